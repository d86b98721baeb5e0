//! Streams of bytes, whatever carries them.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

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
}

/// A listening socket of the system.
#[derive(Debug)]
#[non_exhaustive]
pub enum Listener {
    /// Over TCP.
    Tcp(TcpListener),
    /// Over a socket file.
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listener {
    pub(super) fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match self {
            Self::Tcp(listener) => listener.poll_accept(context).map_ok(|(stream, _)| Stream::Tcp(stream)),
            #[cfg(unix)]
            Self::Unix(listener) => listener.poll_accept(context).map_ok(|(stream, _)| Stream::Unix(stream)),
        }
    }
}

impl Stream {
    /// Small messages leave at once: whoever writes has put together what belongs together.
    pub(super) fn prepare(&self) {
        if let Self::Tcp(stream) = self {
            // A stream that cannot be told so carries the same bytes.
            _ = stream.set_nodelay(true);
        }
    }

    /// Whether there is something to read.
    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(context),
            #[cfg(unix)]
            Self::Unix(stream) => stream.poll_read_ready(context),
        }
    }

    /// Appends what there is to read; 0 at the end.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        input: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => pin!(stream.read_buf(input)).poll(context),
            #[cfg(unix)]
            Self::Unix(stream) => pin!(stream.read_buf(input)).poll(context),
        }
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
            return match self {
                Self::Tcp(stream) => pin!(stream.write_buf(output)).poll(context),
                #[cfg(unix)]
                Self::Unix(stream) => pin!(stream.write_buf(output)).poll(context),
            };
        }
        // One piece, as mostly, takes the system less than a list with one in it.
        let written = match self {
            Self::Tcp(stream) => pin!(stream.write(output.chunk())).poll(context),
            #[cfg(unix)]
            Self::Unix(stream) => pin!(stream.write(output.chunk())).poll(context),
        };
        if let Poll::Ready(Ok(bytes)) = written {
            output.advance(bytes);
        }
        written
    }

    /// Tells the other end that nothing more comes.
    pub(super) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            #[cfg(unix)]
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
