//! Carries frames by our own engine; the only file that names it.

mod stream;
mod socket;
mod presence;
mod watch;

use std::rc::Rc;
use std::time::Duration;

use service_framework_core::address::Address;
use service_framework_zmtp::socket::{self as zmtp, Options, Queue};
pub use service_framework_zmtp::socket::{
    Backoff, ByCause, Cause, Greeting, Newcomer, Receiver, Redial, WhenFull, chance,
};
use service_framework_zmtp::{Credentials, Error, Heartbeat, Mechanism};
pub use service_framework_zmtp::{KeyError, KeyPair, PublicKey, SecretKey};
pub use service_framework_zmtp::{Message, SocketType};

use self::socket::ZmtpSocket;
use self::stream::{connect, listen, misfit};
use super::{Bound, BusEnd, Engine, EngineOptions, LocalFuture, Role, Socket};
use crate::error::SocketError;
use crate::listen::SocketFile;
use crate::security::Security;

/// Our own engine, on the tokio runtime of the caller, which should be a current-thread one.
#[derive(Clone, Debug)]
pub struct Zmtp(EngineOptions);

/// Bytes of an envelope and more, which a message may have beyond what is in it.
const ENVELOPE: usize = 64 << 10;

impl Zmtp {
    /// For connections that are like this.
    ///
    /// Messages of up to twice as many are given to the connection, which can say that they are too large. A peer that announces
    /// more is put out before any of it is kept, which the connection counts as [`Refusal::TooLarge`](crate::Refusal::TooLarge).
    ///
    /// A peer that gives no sign of life for twice as long as the time between two questions for one is put out.
    pub fn new(options: EngineOptions) -> Self {
        Self(options)
    }
}

impl Default for Zmtp {
    fn default() -> Self {
        Self::new(EngineOptions::default())
    }
}

impl Engine for Zmtp {
    fn name(&self) -> &'static str {
        "zmtp"
    }

    fn check(&self, _: &Address) -> Result<(), SocketError> {
        Ok(())
    }

    fn bind<'a>(&'a self, role: Role, address: &'a Address) -> LocalFuture<'a, Result<Bound, SocketError>> {
        Box::pin(async move {
            let (socket, listener) = (self.open(&role), listen(address).await?);
            Ok(match role {
                Role::Subscribe(_) => bound(socket, listener, ZmtpSocket::listening_for_publishers),
                Role::Router | Role::Dealer | Role::Publish => bound(socket, listener, ZmtpSocket::listening),
            })
        })
    }

    fn bind_bus<'a>(
        &'a self,
        end: BusEnd,
        address: &'a Address,
    ) -> LocalFuture<'a, Result<Bound, SocketError>> {
        let socket_type = match end {
            BusEnd::Publishers => SocketType::XSub,
            BusEnd::Subscribers => SocketType::XPub,
        };
        let socket = self.open_as(socket_type);
        Box::pin(async move { Ok(bound(socket, listen(address).await?, ZmtpSocket::listening)) })
    }

    fn connect<'a>(
        &'a self,
        role: Role,
        address: &'a Address,
        patience: Duration,
    ) -> LocalFuture<'a, Result<Rc<dyn Socket>, SocketError>> {
        Box::pin(async move {
            let meet = async {
                let socket = self.open(&role);
                let stream = connect(address).await?;
                socket.connect(stream).await.map_err(|why| misfit(why, patience))?;
                Ok(Rc::new(ZmtpSocket::connected(socket)) as Rc<dyn Socket>)
            };
            match tokio::time::timeout(patience, meet).await {
                Ok(met) => met,
                Err(_) => Err(SocketError::Silence { after: patience }),
            }
        })
    }
}

impl Zmtp {
    fn open_as(&self, socket_type: SocketType) -> zmtp::Socket {
        let EngineOptions { message_bytes, heartbeat, security, .. } = &self.0;
        let mut options = Options::new(socket_type);
        options.connections = self.0.peers;
        options.queue = Queue { messages: self.0.queue_messages, bytes: self.0.queue_bytes };
        options.when_full = self.0.when_full;
        // A reply is for who has asked, and for nobody who comes later by the same name.
        options.heeds_identities = false;
        // Peers are told of no time to live: a service may hold its thread for longer than they would wait.
        options.connection.heartbeat = (!heartbeat.is_zero()).then_some(Heartbeat {
            every: *heartbeat,
            patience: heartbeat.saturating_mul(2),
            time_to_live: Duration::ZERO,
        });
        let limits = &mut options.connection.limits;
        limits.message_bytes = message_bytes.saturating_mul(2).saturating_add(ENVELOPE);
        limits.frame_bytes = limits.message_bytes;
        match security {
            Security::Open => {}
            Security::Client { own, server } => {
                options.connection.mechanism = Mechanism::CurveClient { own: own.clone(), server: *server };
            }
            Security::Server { own, allow } => {
                options.connection.mechanism = Mechanism::CurveServer { own: own.clone() };
                let allow = Rc::clone(allow);
                options.admits = Some(Rc::new(move |who| match who {
                    Credentials::Key(key) => allow.admits(key),
                    _ => false,
                }));
            }
        }
        zmtp::Socket::new(options)
    }

    fn open(&self, role: &Role) -> zmtp::Socket {
        let socket = self.open_as(match role {
            Role::Router => SocketType::Router,
            Role::Dealer => SocketType::Dealer,
            Role::Publish => SocketType::Pub,
            Role::Subscribe(_) => SocketType::Sub,
        });
        if let Role::Subscribe(filter) = role {
            socket.subscribe(filter.clone());
        }
        socket
    }
}

fn bound(
    socket: zmtp::Socket,
    (listener, file, address): (zmtp::Listener, Option<SocketFile>, Address),
    as_one: fn(zmtp::Socket, Option<SocketFile>) -> ZmtpSocket,
) -> Bound {
    socket.listen(listener);
    Bound { socket: Rc::new(as_one(socket, file)), address }
}
