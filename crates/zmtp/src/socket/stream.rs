//! Streams of bytes, whatever carries them.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::inproc;
use crate::Output;

/// A connected stream.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a socket file.
    #[cfg(unix)]
    Unix(UnixStream),
    /// Inside this process, as [`Stream::inproc`] gives it.
    Inproc(DuplexStream),
}

/// Does the same with a stream of any kind.
macro_rules! with_each {
    ($stream:expr, $one:ident => $do:expr) => {
        match $stream {
            Stream::Tcp($one) => $do,
            #[cfg(unix)]
            Stream::Unix($one) => $do,
            Stream::Inproc($one) => $do,
        }
    };
}

impl Stream {
    /// A stream to whoever listens at `name` in this process, on whichever thread.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if nobody does.
    pub fn inproc(name: &str) -> io::Result<Self> {
        inproc::connect(name).map(Self::Inproc)
    }

    /// Small messages leave at once: whoever writes has put together what belongs together.
    pub(super) fn prepare(&self) {
        if let Self::Tcp(stream) = self {
            // A stream that cannot be told so carries the same bytes.
            _ = stream.set_nodelay(true);
        }
    }

    /// Where the other end is.
    pub(super) fn peer_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok(),
            _ => None,
        }
    }

    /// Whether there is something to read.
    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(context),
            #[cfg(unix)]
            Self::Unix(stream) => stream.poll_read_ready(context),
            // It does not say.
            Self::Inproc(_) => Poll::Ready(Ok(())),
        }
    }

    /// Appends what there is to read; 0 at the end.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        input: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        with_each!(self, stream => pin!(stream.read_buf(input)).poll(context))
    }

    /// Writes what it takes of the output.
    pub(super) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        output: &mut Output,
    ) -> Poll<io::Result<usize>> {
        if !output.has_remaining() {
            return Poll::Ready(Ok(0));
        }
        if output.chunk().len() < output.remaining() {
            return with_each!(self, stream => pin!(stream.write_buf(output)).poll(context));
        }
        // One piece, as mostly, takes the system less than a list with one in it.
        let written = with_each!(self, stream => pin!(stream.write(output.chunk())).poll(context));
        if let Poll::Ready(Ok(bytes)) = written {
            output.advance(bytes);
        }
        written
    }

    /// Tells the other end that nothing more comes.
    pub(super) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_each!(self, stream => Pin::new(stream).poll_shutdown(context))
    }
}
