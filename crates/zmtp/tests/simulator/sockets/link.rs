//! One connection between two sockets, and the bytes that are on their way.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use service_framework_zmtp::socket::{Socket, Stream};
use tokio::io::{AsyncRead as _, AsyncWrite as _, DuplexStream, ReadBuf, duplex};

/// More than anybody says at once.
const CAPACITY: usize = 16 << 10;

/// The end of the client. That of the server is 1.
pub(super) const CLIENT: usize = 0;

/// One connection. Each of its ends has a stream that leads here.
pub(super) struct Link {
    ends: [Option<DuplexStream>; 2],
    /// What each end has said and the other has not heard.
    on_their_way: [VecDeque<u8>; 2],
    /// Whether an end has said that this is all.
    is_done: [bool; 2],
}

impl Link {
    pub(super) fn open(client: &Socket, server: &Socket) -> Self {
        let ends = [client, server].map(|socket| {
            let (theirs, ours) = duplex(CAPACITY);
            // Whether they meet is seen from what they say.
            drop(socket.connect(Stream::Inproc(theirs)));
            Some(ours)
        });
        Self { ends, on_their_way: Default::default(), is_done: [false; 2] }
    }

    /// An end has lost it. The other goes on to hear what was said before. Gives whether there was any of that.
    pub(super) fn lose(&mut self, end: usize) -> bool {
        self.listen(end);
        self.ends[end] = None;
        self.is_done[end] = true;
        self.on_their_way[1 - end].clear();
        self.ends[1 - end].is_some() && !self.on_their_way[end].is_empty()
    }

    /// Whether no end has it any more.
    pub(super) fn is_over(&self) -> bool {
        self.ends.iter().all(Option::is_none)
    }

    /// Brings to the other end what this one has said, no more than so many bytes; gives whether anything has changed.
    pub(super) fn carry(&mut self, from: usize, most: usize) -> bool {
        self.listen(from);
        let way = &mut self.on_their_way[from];
        let Some(to) = &mut self.ends[1 - from] else { return false };
        if way.is_empty() {
            // Who has heard all that there is finds that out.
            if self.is_done[from] {
                self.ends = [None, None];
            }
            return self.is_done[from];
        }
        let piece = way.make_contiguous();
        let piece = &piece[..piece.len().min(most)];
        match Pin::new(to).poll_write(&mut Context::from_waker(Waker::noop()), piece) {
            Poll::Ready(Ok(bytes)) => _ = way.drain(..bytes),
            Poll::Ready(Err(_)) => self.ends = [None, None],
            Poll::Pending => return false,
        }
        true
    }

    /// Takes what an end has said.
    fn listen(&mut self, end: usize) {
        let Some(stream) = &mut self.ends[end] else { return };
        let mut bytes = [0; 1 << 10];
        while !self.is_done[end] {
            let mut read = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    self.on_their_way[end].extend(read.filled());
                }
                Poll::Ready(_) => self.is_done[end] = true,
                Poll::Pending => return,
            }
        }
    }
}
