//! Places that are the same whoever listens there, and sockets that are dialled to them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{
    Dial, Endpoint, Event, InprocListener, Listener, Options, Redial, Socket, Stream,
};
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream, UnixListener};

use crate::support::{Carrier, event, socket};

/// Short pauses, so that nobody waits for them.
pub(crate) const SOON: Redial =
    Redial { first: Duration::from_millis(1), cap: Duration::from_millis(8), jitter: 0.5 };

/// A place that is the same whoever listens there, one after the other, and that nobody else takes in between.
pub(crate) struct Home {
    pub(crate) endpoint: Endpoint,
    /// Holds the port.
    _port: Option<TcpSocket>,
    _folder: Option<TempDir>,
}

fn tcp_at(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("it may be used again");
    socket.bind(address).expect("the port is free");
    socket
}

impl Home {
    pub(crate) fn new(carrier: Carrier) -> Self {
        match carrier {
            Carrier::Tcp => {
                let port = tcp_at((Ipv4Addr::LOCALHOST, 0).into());
                let address = port.local_addr().expect("an address");
                Self { endpoint: address.into(), _port: Some(port), _folder: None }
            }
            Carrier::Unix => {
                let folder = tempfile::tempdir().expect("a folder");
                let endpoint = Endpoint::Ipc(folder.path().join("socket"));
                Self { endpoint, _port: None, _folder: Some(folder) }
            }
            Carrier::Inproc => {
                let folder = tempfile::tempdir().expect("a folder");
                // As unique as the folder is.
                let endpoint = Endpoint::Inproc(folder.path().display().to_string());
                Self { endpoint, _port: None, _folder: Some(folder) }
            }
        }
    }

    pub(crate) fn listener(&self) -> Listener {
        match &self.endpoint {
            Endpoint::Tcp { host, port } => {
                let socket = tcp_at((host.parse::<Ipv4Addr>().expect("an address"), *port).into());
                Listener::Tcp(socket.listen(16).expect("nobody else listens"))
            }
            Endpoint::Ipc(path) => {
                // Left behind by who listened before.
                _ = std::fs::remove_file::<&PathBuf>(path);
                Listener::Unix(UnixListener::bind(path).expect("a file"))
            }
            Endpoint::Inproc(name) => Listener::Inproc(InprocListener::bind(name).expect("a free name")),
            _ => unreachable!("there are no others"),
        }
    }

    /// A socket that listens there.
    pub(crate) fn open(&self, socket_type: SocketType) -> Socket {
        let socket = socket(socket_type, |_| ());
        socket.listen(self.listener());
        socket
    }

    /// A connection over TCP to whoever listens there.
    pub(crate) fn stream(&self) -> io::Result<Stream> {
        let Endpoint::Tcp { host, port } = &self.endpoint else { panic!("it is not over TCP") };
        let stream = std::net::TcpStream::connect((host.as_str(), *port))?;
        stream.set_nonblocking(true)?;
        Ok(Stream::Tcp(TcpStream::from_std(stream)?))
    }

    pub(crate) fn dial(&self, socket: &Socket) -> Dial {
        socket.dial(self.endpoint.clone(), SOON)
    }
}

/// Waits for a peer to be met there, whatever comes to nothing before.
pub(crate) async fn connected(socket: &Socket, home: &Home) {
    loop {
        match event(socket).await {
            Event::Connected { endpoint, .. } => return assert_eq!(endpoint.as_ref(), Some(&home.endpoint)),
            Event::DialFailed { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Waits for a peer to be lost there.
pub(crate) async fn disconnected(socket: &Socket, home: &Home) {
    match event(socket).await {
        Event::Disconnected { endpoint, .. } => assert_eq!(endpoint.as_ref(), Some(&home.endpoint)),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn named(name: &'static str) -> impl FnOnce(&mut Options) {
    move |options| options.connection.identity = Bytes::from_static(name.as_bytes())
}
