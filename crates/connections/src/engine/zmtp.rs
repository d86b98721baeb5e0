//! Carries frames by our own engine; the only file that names it.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use service_framework_core::address::{Address, Host};
use service_framework_core::wire::Limits;
pub use service_framework_zmtp::Message;
use service_framework_zmtp::socket::{self as zmtp, Ended, Listener, Options, Refused, Stream};
use service_framework_zmtp::{Error, SocketType};
use tokio::net::{TcpListener, TcpStream};

use super::{Bound, Engine, Event, Frames, LocalFuture, Role, SendError, Socket, Unsent};
use crate::error::SocketError;
use crate::listen::{self, SocketFile};

/// Our own engine, on the tokio runtime of the caller, which should be a current-thread one.
#[derive(Clone, Copy, Debug)]
pub struct Zmtp {
    message_bytes: usize,
}

/// Bytes of an envelope and more, which a message may have beyond what is in it.
const ENVELOPE: usize = 64 << 10;

impl Zmtp {
    /// For connections whose messages may have that many bytes.
    ///
    /// Messages of up to twice as many are given to the connection, which can say that they are too large. A peer that announces
    /// more is put out before any of it is kept.
    pub fn new(message_bytes: usize) -> Self {
        Self { message_bytes: message_bytes.saturating_mul(2).saturating_add(ENVELOPE) }
    }
}

impl Default for Zmtp {
    fn default() -> Self {
        Self::new(Limits::default().max_message_bytes)
    }
}

impl Engine for Zmtp {
    fn name(&self) -> &'static str {
        "zmtp"
    }

    fn check(&self, address: &Address) -> Result<(), SocketError> {
        match address {
            Address::Inproc(_) => Err(SocketError::NoInproc { engine: self.name() }),
            Address::Tcp { .. } | Address::Ipc(_) => Ok(()),
        }
    }

    fn bind<'a>(&'a self, role: Role, address: &'a Address) -> LocalFuture<'a, Result<Bound, SocketError>> {
        Box::pin(async move {
            self.check(address)?;
            let (listener, address) = listen::listen(address).await?;
            let (listener, file) = adopt(listener).map_err(SocketError::System)?;
            let socket = self.open(&role);
            socket.listen(listener);
            let file = RefCell::new(file);
            Ok(Bound { socket: Rc::new(ZmtpSocket { socket, is_connecting: false, file }), address })
        })
    }

    fn connect<'a>(
        &'a self,
        role: Role,
        address: &'a Address,
        patience: Duration,
    ) -> LocalFuture<'a, Result<Rc<dyn Socket>, SocketError>> {
        Box::pin(async move {
            self.check(address)?;
            let meet = async {
                let socket = self.open(&role);
                let stream = connect(address).await?;
                socket.connect(stream).await.map_err(|why| misfit(why, patience))?;
                let file = RefCell::default();
                Ok(Rc::new(ZmtpSocket { socket, is_connecting: true, file }) as Rc<dyn Socket>)
            };
            match tokio::time::timeout(patience, meet).await {
                Ok(met) => met,
                Err(_) => Err(SocketError::Silence { after: patience }),
            }
        })
    }
}

impl Zmtp {
    fn open(self, role: &Role) -> zmtp::Socket {
        let mut options = Options::new(match role {
            Role::Router => SocketType::Router,
            Role::Dealer => SocketType::Dealer,
            Role::Publish => SocketType::Pub,
            Role::Subscribe(_) => SocketType::Sub,
        });
        let limits = &mut options.connection.limits;
        (limits.frame_bytes, limits.message_bytes) = (self.message_bytes, self.message_bytes);
        let socket = zmtp::Socket::new(options);
        if let Role::Subscribe(filter) = role {
            socket.subscribe(filter.clone());
        }
        socket
    }
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

async fn connect(address: &Address) -> Result<Stream, SocketError> {
    let connected = match address {
        Address::Tcp { host: Host::Ip(ip), port } => TcpStream::connect((*ip, *port)).await.map(Stream::Tcp),
        Address::Tcp { host: Host::Name(name), port } => {
            let found = listen::resolve(name, *port).await?;
            TcpStream::connect(&*found).await.map(Stream::Tcp)
        }
        Address::Tcp { host: Host::Any, .. } => return Err(SocketError::ConnectToAny),
        #[cfg(unix)]
        Address::Ipc(path) => tokio::net::UnixStream::connect(path).await.map(Stream::Unix),
        #[cfg(not(unix))]
        Address::Ipc(_) => Err(std::io::ErrorKind::Unsupported.into()),
        Address::Inproc(_) => return Err(SocketError::NoInproc { engine: "zmtp" }),
    };
    connected.map_err(SocketError::System)
}

fn misfit(why: Ended, patience: Duration) -> SocketError {
    match why {
        Ended::Protocol(Error::HandshakeTimeout) => SocketError::Silence { after: patience },
        Ended::System(cause) => SocketError::System(cause),
        why => SocketError::Misfit { reason: why.to_string() },
    }
}

#[derive(Debug)]
struct ZmtpSocket {
    socket: zmtp::Socket,
    is_connecting: bool,
    file: RefCell<Option<SocketFile>>,
}

impl Socket for ZmtpSocket {
    fn send(&self, frames: Frames) -> Result<(), Unsent> {
        self.socket.send(frames).map_err(|unsent| Unsent {
            why: if unsent.why == Refused::Full { SendError::Full } else { SendError::Gone },
            frames: unsent.message,
        })
    }

    fn dropped(&self) -> u64 {
        self.socket.counts().dropped_full
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(message) = self.socket.poll_recv(cx) {
            return Poll::Ready(Event::Message(message));
        }
        while self.is_connecting
            && let Poll::Ready(event) = self.socket.poll_event(cx)
        {
            if let zmtp::Event::Disconnected { why, .. } = event {
                tracing::debug!(%why, "lost a peer");
                return Poll::Ready(Event::Lost);
            }
        }
        Poll::Pending
    }

    fn close(&self) -> LocalFuture<'static, ()> {
        drop(self.file.take());
        Box::pin(self.socket.close())
    }
}
