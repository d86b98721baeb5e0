//! What a socket listens on, whatever carries its connections.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
#[cfg(unix)]
use std::path::Path;
use std::task::{Context, Poll};

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use super::endpoint::Place;
use super::{Endpoint, EndpointError, InprocListener, Stream};

/// A listening socket of the system.
#[derive(Debug)]
#[non_exhaustive]
pub enum Listener {
    /// Over TCP.
    Tcp(TcpListener),
    /// Over a socket file.
    #[cfg(unix)]
    Unix(UnixListener),
    /// At a name inside this process.
    Inproc(InprocListener),
}

impl Listener {
    /// Listens at `tcp://host:port`, `ipc://path` or `inproc://name`. The port 0 is any that is free, and the host `*` is all addresses of this
    /// machine: [`endpoint`](Self::endpoint) says what came of it. A socket file that nobody listens on any more is replaced; ours
    /// stays where it is when this is dropped.
    ///
    /// # Errors
    ///
    /// Those of the system, and [`InvalidInput`](io::ErrorKind::InvalidInput) with an [`EndpointError`] inside.
    pub async fn bind(endpoint: &str) -> io::Result<Self> {
        match Place::read(endpoint).map_err(invalid)? {
            Place::Tcp { host: "*", port } => match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
                // Unsupported by the kernel, or switched off.
                Err(why) if why.kind() != io::ErrorKind::AddrInUse => {
                    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
                }
                bound => bound,
            }
            .map(Self::Tcp),
            Place::Tcp { host, port } => TcpListener::bind((host, port)).await.map(Self::Tcp),
            #[cfg(unix)]
            Place::Ipc(path) => bind_file(Path::new(path)).map(Self::Unix),
            #[cfg(not(unix))]
            Place::Ipc(_) => Err(io::ErrorKind::Unsupported.into()),
            Place::Inproc(name) => InprocListener::bind(name).map(Self::Inproc),
        }
    }

    /// Where others find it, with the port that it got.
    ///
    /// # Errors
    ///
    /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) for a socket file without a name.
    pub fn endpoint(&self) -> io::Result<Endpoint> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Endpoint::from),
            #[cfg(unix)]
            Self::Unix(listener) => match listener.local_addr()?.as_pathname() {
                Some(path) => Ok(Endpoint::Ipc(path.to_owned())),
                None => Err(io::ErrorKind::Unsupported.into()),
            },
            Self::Inproc(listener) => Ok(Endpoint::Inproc(listener.name().to_owned())),
        }
    }

    pub(super) fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match self {
            Self::Tcp(listener) => listener.poll_accept(context).map_ok(|(stream, _)| Stream::Tcp(stream)),
            #[cfg(unix)]
            Self::Unix(listener) => listener.poll_accept(context).map_ok(|(stream, _)| Stream::Unix(stream)),
            Self::Inproc(listener) => listener.poll_accept(context).map_ok(Stream::Inproc),
        }
    }
}

/// Listens on a socket file, in place of one whose owner has ended.
#[cfg(unix)]
fn bind_file(path: &Path) -> io::Result<UnixListener> {
    let in_use = match UnixListener::bind(path) {
        Err(why) if why.kind() == io::ErrorKind::AddrInUse => why,
        bound => return bound,
    };
    match std::os::unix::net::UnixStream::connect(path) {
        // A file that is no socket refuses, too, and is not ours to remove.
        Err(why) if why.kind() == io::ErrorKind::ConnectionRefused && is_socket(path) => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        _ => Err(in_use),
    }
}

#[cfg(unix)]
fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;

    path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket())
}

fn invalid(why: EndpointError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
