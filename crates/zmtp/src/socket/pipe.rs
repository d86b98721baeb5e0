//! The stream of one connection, with the protocol on it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf as _, BytesMut};
use tokio::time::{Sleep, sleep, sleep_until};

use super::{Ended, Options, PeerCounts, Queue, Refused, Stream};
use crate::{Connection, Error};

/// The stream of one connection, with the protocol on it.
pub(super) struct Pipe {
    stream: Stream,
    pub(super) connection: Connection,
    queue: Queue,
    /// Where the messages in the output end, counted from the first byte of the connection.
    ends: VecDeque<u64>,
    /// Bytes that were written.
    written: u64,
    /// Bytes that were read.
    bytes_read: u64,
    sent: u64,
    dropped_full: u64,
    /// How much is read at once.
    chunk: usize,
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the peer was told that nothing more comes.
    is_shut: bool,
}

/// How much is read at once, at first and at most.
const CHUNK: (usize, usize) = (1 << 10, 64 << 10);

/// How much room a peer keeps that says nothing.
const KEPT: usize = 4 << 10;

/// How long the peer may take to close its end.
const PARTING: Duration = Duration::from_secs(1);

impl Pipe {
    pub(super) fn new(stream: Stream, options: &Options) -> Self {
        stream.prepare();
        Self {
            stream,
            connection: Connection::new(options.connection.clone(), Instant::now()),
            queue: options.queue,
            ends: VecDeque::new(),
            written: 0,
            bytes_read: 0,
            sent: 0,
            dropped_full: 0,
            chunk: CHUNK.0,
            timer: None,
            is_shut: false,
        }
    }

    /// Whether no more may wait to be sent.
    pub(super) fn is_full(&mut self) -> bool {
        self.ends.len() >= self.queue.messages || self.connection.output().remaining() >= self.queue.bytes
    }

    /// Lets a message be written behind the others.
    pub(super) fn send(
        &mut self,
        write: impl FnOnce(&mut Connection) -> Result<(), Error>,
    ) -> Result<(), Refused> {
        if self.is_full() {
            self.dropped_full += 1;
            return Err(Refused::Full);
        }
        write(&mut self.connection).map_err(|_| Refused::NoPeer)?;
        let end = self.written + self.connection.output().remaining() as u64;
        self.ends.push_back(end);
        self.sent += 1;
        Ok(())
    }

    /// What it has carried, but for what only its peer knows.
    pub(super) fn counts(&mut self) -> PeerCounts {
        PeerCounts {
            sent: self.sent,
            dropped_full: self.dropped_full,
            bytes_read: self.bytes_read,
            bytes_written: self.written,
            queued_messages: self.ends.len(),
            queued_bytes: self.connection.output().remaining(),
            ..PeerCounts::default()
        }
    }

    /// Appends what there is to read to the input; 0 at the end.
    pub(super) fn read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let read = self.read_some(context);
        if read.is_pending() {
            self.rest();
        }
        read
    }

    fn read_some(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // No room is made for what has not come.
        ready!(self.stream.poll_read_ready(context))?;
        let input = self.connection.input();
        input.reserve(self.chunk);
        let room = input.capacity() - input.len();
        let bytes = ready!(self.stream.poll_read(context, input))?;
        self.bytes_read += bytes as u64;
        if bytes == room {
            self.chunk = (2 * self.chunk).min(CHUNK.1);
        } else if bytes < self.chunk / 8 {
            self.chunk = (self.chunk / 2).max(CHUNK.0);
        }
        self.connection.received_by(Instant::now);
        Poll::Ready(Ok(bytes))
    }

    /// Gives large room back, which a peer that was busy once would hold for as long as it is there.
    fn rest(&mut self) {
        let is_large = self.chunk > KEPT || self.connection.input().capacity() > KEPT;
        if is_large && self.connection.input().is_empty() {
            *self.connection.input() = BytesMut::new();
        }
    }

    pub(super) fn write(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while !self.connection.output().is_empty() {
            match self.stream.poll_write(context, self.connection.output()) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(bytes)) => self.written += bytes as u64,
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        match self.connection.output().is_empty() {
            true => self.ends.clear(),
            false => {
                while self.ends.front().is_some_and(|end| *end <= self.written) {
                    self.ends.pop_front();
                }
            }
        }
        Ok(())
    }

    /// Sees to what time brings.
    pub(super) fn pass_time(&mut self, context: &mut Context<'_>, reading: Reading) -> Result<(), Ended> {
        loop {
            let Some(due) = self.connection.deadline() else {
                self.timer = None;
                return Ok(());
            };
            // A timer that is too early costs one look; setting it after each message would cost more.
            let timer = match &mut self.timer {
                // It was polled when it was set, and wakes by itself.
                Some(timer) if timer.deadline().into_std() <= due && !timer.is_elapsed() => return Ok(()),
                Some(timer) if timer.deadline().into_std() <= due => timer,
                place => place.insert(Box::pin(sleep_until(due.into()))),
            };
            if timer.as_mut().poll(context).is_pending() {
                return Ok(());
            }
            self.timer = None;
            let now = Instant::now();
            if reading == Reading::Paused {
                // What the peer says lies unread: that it is silent cannot be known.
                self.connection.received(now);
            }
            self.connection.tick(now)?;
            self.write(context)?;
        }
    }

    /// Goes over to [`part`](Self::part), which takes no longer than a while even if the peer takes nothing.
    pub(super) fn part_soon(&mut self) {
        self.timer = Some(Box::pin(sleep(PARTING)));
    }

    /// Goes over to [`part`](Self::part), which gives the peer as long as it needs to take what was sent.
    pub(super) fn part_when_sent(&mut self) {
        self.timer = None;
    }

    /// Lets the output leave, then says that this was all, and waits a while for the peer to close its end. What comes is passed
    /// over but read: the system takes back what is still on its way if a stream is closed that has something to be read.
    pub(super) fn part(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.read(context) {
                Poll::Pending => break,
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => self.connection.input().clear(),
            }
        }
        if self.write(context).is_err() {
            return Poll::Ready(());
        }
        if self.connection.output().is_empty() && !self.is_shut {
            match self.stream.poll_shutdown(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => self.is_shut = true,
            }
            self.timer.get_or_insert_with(|| Box::pin(sleep(PARTING)));
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

/// Whether what the peer says is read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Active,
    /// The inbox has no room.
    Paused,
}

#[cfg(all(test, unix))]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::UnixStream;

    use super::*;
    use crate::SocketType;

    /// Reads all there is, and says how large the largest buffer was.
    async fn read_all(pipe: &mut Pipe) -> usize {
        poll_fn(|context| {
            let mut largest = 0;
            while let Poll::Ready(read) = pipe.read(context) {
                assert!(read.expect("it is open") > 0);
                largest = largest.max(pipe.connection.input().capacity());
                pipe.connection.input().clear();
            }
            Poll::Ready(largest)
        })
        .await
    }

    #[tokio::test]
    async fn a_peer_that_was_busy_once_holds_no_room_for_ever() {
        let (near, mut far) = UnixStream::pair().expect("two ends");
        let mut pipe = Pipe::new(Stream::Unix(near), &Options::new(SocketType::Pull));
        let mut largest = 0;
        for _ in 0..8 {
            far.write_all(&[0; 64 << 10]).await.expect("it is taken");
            poll_fn(|context| pipe.stream.poll_read_ready(context)).await.expect("it is open");
            largest = largest.max(read_all(&mut pipe).await);
        }
        assert!(largest >= 32 << 10, "a busy peer is read in large pieces: {largest}");
        assert_eq!(pipe.connection.input().capacity(), 0);
        // And what comes one by one is read in small ones again.
        for _ in 0..8 {
            far.write_all(&[0; 100]).await.expect("it is taken");
            poll_fn(|context| pipe.stream.poll_read_ready(context)).await.expect("it is open");
            largest = read_all(&mut pipe).await;
        }
        assert!(largest <= KEPT, "{largest}");
    }
}
