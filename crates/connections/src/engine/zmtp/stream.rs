//! Opens what a socket listens on, or is connected by.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use service_framework_core::address::{Address, Host};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Error;
use super::zmtp::{Ended, InprocListener, Listener, Stream};
use crate::error::SocketError;
use crate::listen::{self, SocketFile};

/// Listens, and gives the address back as it came out.
pub(super) async fn listen(
    address: &Address,
) -> Result<(Listener, Option<SocketFile>, Address), SocketError> {
    if let Address::Inproc(name) = address {
        let listener = InprocListener::bind(name).map_err(|cause| SocketError::from_bind(address, cause))?;
        return Ok((Listener::Inproc(listener), None, address.clone()));
    }
    let (listener, address) = listen::listen(address).await?;
    let (listener, file) = adopt(listener).map_err(SocketError::System)?;
    Ok((listener, file, address))
}

fn adopt(listener: listen::Listener) -> std::io::Result<(Listener, Option<SocketFile>)> {
    match listener {
        listen::Listener::Tcp(listener) => {
            listener.set_nonblocking(true)?;
            Ok((Listener::Tcp(TcpListener::from_std(listener)?), None))
        }
        #[cfg(unix)]
        listen::Listener::Ipc(listener, file) => {
            listener.set_nonblocking(true)?;
            Ok((Listener::Unix(tokio::net::UnixListener::from_std(listener)?), Some(file)))
        }
    }
}

/// How long a host is asked that says nothing at all. The system asks it at once and after a second; to begin anew then finds one that comes back sooner than the system, which waits
/// longer and longer.
const REACH: Duration = Duration::from_secs(2);

/// A stream to whoever listens there.
pub(super) async fn connect(address: &Address) -> Result<Stream, SocketError> {
    let connected = match address {
        Address::Tcp { host: Host::Ip(ip), port } => tcp(&[(*ip, *port).into()]).await.map(Stream::Tcp),
        Address::Tcp { host: Host::Name(name), port } => {
            tcp(&listen::resolve(name, *port).await?).await.map(Stream::Tcp)
        }
        Address::Tcp { host: Host::Any, .. } => return Err(SocketError::ConnectToAny),
        #[cfg(unix)]
        Address::Ipc(path) => tokio::net::UnixStream::connect(path).await.map(Stream::Unix),
        #[cfg(not(unix))]
        Address::Ipc(_) => Err(ErrorKind::Unsupported.into()),
        Address::Inproc(name) => Stream::inproc(name),
    };
    let connected = connected.map_err(|cause| match cause.kind() {
        ErrorKind::TimedOut => SocketError::Silence { after: REACH },
        _ => SocketError::System(cause),
    })?;
    // The system gives one that connects any free port, also the one that it looks for, where nobody listens.
    if let Stream::Tcp(stream) = &connected
        && matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
    {
        return Err(SocketError::System(ErrorKind::ConnectionRefused.into()));
    }
    Ok(connected)
}

/// Tries the addresses of a host one after the other.
async fn tcp(addresses: &[SocketAddr]) -> std::io::Result<TcpStream> {
    let mut why = ErrorKind::NotFound.into();
    for address in addresses {
        match timeout(REACH, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => why = error,
            Err(_) => why = ErrorKind::TimedOut.into(),
        }
    }
    Err(why)
}

/// Why a peer was not met, who was given so long.
pub(super) fn misfit(why: Ended, patience: Duration) -> SocketError {
    match why {
        Ended::Protocol(Error::HandshakeTimeout) => SocketError::Silence { after: patience },
        Ended::System(cause) => SocketError::System(cause),
        why => SocketError::Misfit { cause: why.cause(), reason: why.to_string() },
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::TcpSocket;
    use tokio::time::Instant;

    use super::*;

    /// The clock stands still while there is anything to do.
    #[tokio::test(start_paused = true)]
    async fn an_address_that_says_nothing_leaves_time_for_the_next() {
        let any_port = || SocketAddr::from(([127, 0, 0, 1], 0));
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(any_port()).unwrap();
        let full = socket.listen(1).unwrap();
        let full_at = full.local_addr().unwrap();
        // Nobody takes them, so that soon the system does not answer any more.
        let mut waiting = Vec::new();
        while let Ok(stream) = tcp(&[full_at]).await {
            waiting.push(stream);
        }
        let there = TcpListener::bind(any_port()).await.unwrap();
        let since = Instant::now();
        let stream = tcp(&[full_at, there.local_addr().unwrap()]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), there.local_addr().unwrap());
        assert!((REACH..2 * REACH).contains(&since.elapsed()), "{:?}", since.elapsed());
        let silent = connect(&full_at.to_string().parse().unwrap()).await.map(drop).unwrap_err();
        assert!(matches!(silent, SocketError::Silence { .. }), "{silent}");
    }
}
