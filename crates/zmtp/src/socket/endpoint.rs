//! Where a socket is met, as ZeroMQ writes it.

use std::fmt::{Display, Formatter};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::Stream;

/// Where a socket is met, as ZeroMQ writes it: `tcp://host:port`, `ipc://path` or `inproc://name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// Over TCP.
    Tcp {
        /// A name, which is looked up at each try, or an IP address.
        host: String,
        /// The port.
        port: u16,
    },
    /// By a socket file.
    Ipc(PathBuf),
    /// At a name inside this process.
    Inproc(String),
}

/// Why a text is no [`Endpoint`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It begins with none of the three.
    #[error("`{0}` does not begin with tcp://, ipc:// or inproc://")]
    Carrier(String),
    /// There is nothing behind that.
    #[error("`{0}` names nothing behind the ://")]
    Empty(String),
    /// There is no port from 1 to 65535 at the end; those who listen may say 0.
    #[error("`{0}` does not end with a port from 1 to 65535")]
    Port(String),
    /// Every host is meant, which is for those who listen.
    #[error("`{0}` names no host: one can listen there, and not connect")]
    Anywhere(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        match Place::read(text)? {
            Place::Tcp { port: 0, .. } => Err(EndpointError::Port(text.to_owned())),
            Place::Tcp { host: "*", .. } => Err(EndpointError::Anywhere(text.to_owned())),
            Place::Tcp { host, port } => Ok(Self::Tcp { host: host.to_owned(), port }),
            Place::Ipc(path) => Ok(Self::Ipc(path.into())),
            Place::Inproc(name) => Ok(Self::Inproc(name.to_owned())),
        }
    }
}

/// What an endpoint is written as. Those who listen may name the host `*` and the port 0.
pub(super) enum Place<'a> {
    Tcp { host: &'a str, port: u16 },
    Ipc(&'a str),
    Inproc(&'a str),
}

impl<'a> Place<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, EndpointError> {
        let own = || text.to_owned();
        match text.split_once("://") {
            Some(("tcp" | "ipc" | "inproc", "")) => Err(EndpointError::Empty(own())),
            Some(("ipc", path)) => Ok(Self::Ipc(path)),
            Some(("inproc", name)) => Ok(Self::Inproc(name)),
            Some(("tcp", place)) => {
                let (host, port) = place.rsplit_once(':').ok_or_else(|| EndpointError::Port(own()))?;
                let port = port.parse().map_err(|_| EndpointError::Port(own()))?;
                let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
                match bare.unwrap_or(host) {
                    "" => Err(EndpointError::Anywhere(own())),
                    host => Ok(Self::Tcp { host, port }),
                }
            }
            _ => Err(EndpointError::Carrier(own())),
        }
    }
}

impl Display for Endpoint {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Ipc(path) => write!(f, "ipc://{}", path.display()),
            Self::Inproc(name) => write!(f, "inproc://{name}"),
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp { host: address.ip().to_string(), port: address.port() }
    }
}

impl Endpoint {
    /// A stream to whoever listens there now, within so much time.
    pub(super) async fn open(&self, limit: Duration) -> io::Result<Stream> {
        match self {
            Self::Tcp { host, port } => {
                let stream = tcp(host, *port, limit, TcpStream::connect::<SocketAddr>);
                within(limit, stream).await.map(Stream::Tcp)
            }
            #[cfg(unix)]
            Self::Ipc(path) => within(limit, tokio::net::UnixStream::connect(path)).await.map(Stream::Unix),
            #[cfg(not(unix))]
            Self::Ipc(_) => Err(io::ErrorKind::Unsupported.into()),
            Self::Inproc(name) => Stream::inproc(name),
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Tries the addresses of a host one after the other.
async fn tcp(
    host: &str,
    port: u16,
    limit: Duration,
    connect: impl AsyncFn(SocketAddr) -> io::Result<TcpStream>,
) -> io::Result<TcpStream> {
    let addresses: Vec<_> = lookup_host((host, port)).await?.collect();
    // One that never says anything leaves time for the others.
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut why = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        match within(share, connect(address)).await {
            Ok(stream) if is_ours(&stream) => why = io::ErrorKind::ConnectionRefused.into(),
            Ok(stream) => return Ok(stream),
            Err(error) => why = error,
        }
    }
    Err(why)
}

/// Whether both ends are ours: the system gives one that connects any free port, also the one that it looks for, where nobody listens.
fn is_ours(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A socket at an address that others of these may have, too.
    fn bound(address: SocketAddr) -> TcpSocket {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("it may be used again");
        socket.bind(address).expect("an address");
        socket
    }

    /// Connects to a port from that port, as the system may where nobody listens.
    async fn from_itself(address: SocketAddr) -> io::Result<TcpStream> {
        Ok(bound(address).connect(address).await.expect("the system lets it"))
    }

    #[tokio::test]
    async fn who_finds_itself_has_found_nobody() {
        // Nobody else is given the port as long as this is there.
        let held = bound((Ipv4Addr::LOCALHOST, 0).into());
        let at = held.local_addr().expect("an address");
        let refused = tcp("127.0.0.1", at.port(), PATIENCE, from_itself).await.expect_err("nobody is there");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let stream = tcp("127.0.0.1", at.port(), PATIENCE, TcpStream::connect::<SocketAddr>).await;
        assert_eq!(stream.and_then(|stream| stream.peer_addr()).ok(), Some(at));
    }

    #[test]
    fn an_endpoint_is_read_and_written_alike() {
        let tcp = |host: &str, port| Endpoint::Tcp { host: host.to_owned(), port };
        for (text, endpoint) in [
            ("tcp://localhost:5555", tcp("localhost", 5555)),
            ("tcp://192.0.2.1:1", tcp("192.0.2.1", 1)),
            ("tcp://[2001:db8::1]:65535", tcp("2001:db8::1", 65535)),
            ("ipc:///run/socket", Endpoint::Ipc("/run/socket".into())),
            ("ipc://here", Endpoint::Ipc("here".into())),
            ("inproc://a name", Endpoint::Inproc("a name".to_owned())),
        ] {
            assert_eq!(text.parse(), Ok(endpoint.clone()));
            assert_eq!(endpoint.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_a_reason() {
        let why = |text: &str| text.parse::<Endpoint>().expect_err("it is none").to_string();
        assert_eq!(why("localhost:5555"), "`localhost:5555` does not begin with tcp://, ipc:// or inproc://");
        assert_eq!(why("udp://a:1"), "`udp://a:1` does not begin with tcp://, ipc:// or inproc://");
        for text in ["tcp://", "ipc://", "inproc://"] {
            assert_eq!(why(text), format!("`{text}` names nothing behind the ://"));
        }
        for text in ["tcp://host", "tcp://host:", "tcp://host:0", "tcp://host:65536", "tcp://host:*"] {
            assert_eq!(why(text), format!("`{text}` does not end with a port from 1 to 65535"));
        }
        for text in ["tcp://*:1", "tcp://:1", "tcp://[]:1"] {
            assert_eq!(why(text), format!("`{text}` names no host: one can listen there, and not connect"));
        }
    }
}
