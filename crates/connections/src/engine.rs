//! What a transport engine does for the connections: opens sockets that carry frames.

pub mod zeromq;
pub mod zmtp;

use std::fmt::Debug;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use service_framework_core::address::Address;
use service_framework_core::wire::Limits;

use crate::counters::Counters;
use crate::error::SocketError;
use crate::security::Security;

/// The frames of one message, first to last.
pub type Frames = zmtp::Message;

/// How long to wait between two tries, whatever the engine.
pub(crate) use zmtp::{Backoff, Redial, chance};
/// Why connections end or are never made, whatever the engine; takes messages as soon as they are read; sees to those who subscribe.
pub use zmtp::{ByCause, Cause, Greeting, Newcomer, Receiver, SocketType, WhenFull};

/// A future that stays on its thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Which of ZeroMQ's patterns a socket follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Talks to many peers: the first frame names the peer, in both directions.
    Router,
    /// Sends to and receives from its peer as it likes.
    Dealer,
    /// Sends each message to all subscribers whose filter it begins with; receives nothing.
    Publish,
    /// Receives messages whose first frame begins with this filter; sends nothing.
    Subscribe(Bytes),
}

/// The two ends of a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusEnd {
    /// Receives publications, and passes on to all publishers what is sent: subscriptions as messages (XSUB).
    Publishers,
    /// Sends publications to those who asked, and gives their subscriptions as messages (XPUB).
    Subscribers,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The queue to the peer is full.
    Full,
    /// The peer, or the socket, is gone.
    Gone,
}

/// A message that was not taken.
#[derive(Debug)]
pub struct Unsent {
    /// Why not.
    pub why: SendError,
    /// Its frames; none when the engine lost them.
    pub frames: Frames,
}

/// What a socket has to tell.
#[derive(Debug)]
pub enum Event {
    /// A message came.
    Message(Frames),
    /// A connected socket lost its peer and will not find it again: open another.
    Lost,
    /// A socket that listens for publishers, and had none, has one now. An engine that does not know of its peers says so at the start.
    Met,
    /// The last publisher of such a socket is gone. An engine that does not know of its peers never says so.
    Alone,
}

/// A socket that listens.
#[derive(Debug)]
pub struct Bound {
    /// The socket.
    pub socket: Rc<dyn Socket>,
    /// The address asked for, with the port that it got.
    pub address: Address,
}

/// Opens sockets. One engine serves all connections of a service, on the service's thread.
pub trait Engine: Debug {
    /// The engine's name, for messages to people.
    fn name(&self) -> &'static str;

    /// Says whether the engine can carry this address at all.
    ///
    /// # Errors
    ///
    /// When it never can, such as for a transport that it lacks.
    fn check(&self, address: &Address) -> Result<(), SocketError>;

    /// Opens a socket that listens on exactly `address`.
    fn bind<'a>(&'a self, role: Role, address: &'a Address) -> LocalFuture<'a, Result<Bound, SocketError>>;

    /// Opens a socket that listens on exactly `address` as one end of a bus.
    fn bind_bus<'a>(
        &'a self,
        _end: BusEnd,
        _address: &'a Address,
    ) -> LocalFuture<'a, Result<Bound, SocketError>> {
        Box::pin(async { Err(SocketError::NoBus { engine: self.name() }) })
    }

    /// Opens a socket and connects it, giving up after `patience`, or sooner if whoever is there refuses. Dropping the future gives up at once.
    fn connect<'a>(
        &'a self,
        role: Role,
        address: &'a Address,
        patience: Duration,
    ) -> LocalFuture<'a, Result<Rc<dyn Socket>, SocketError>>;
}

/// An open socket. Dropping it stops it; what was sent may then still leave, or may not.
pub trait Socket: Debug {
    /// Queues a message, at once. The socket writes it by itself, several in one write when it can.
    ///
    /// # Errors
    ///
    /// The message was not taken, and nothing of it was sent.
    fn send(&self, frames: Frames) -> Result<(), Unsent>;

    /// From now on counts what the engine itself refuses and whom it loses, and logs it with the name of the connection, where the engine says so at all. What
    /// the socket has carried stays counted when it is dropped.
    fn watch(self: Rc<Self>, _connection: &str, _counters: &Arc<Counters>) {}

    /// Ready while that many peers at least have subscribed to anything; else wakes the last caller when there may be as many. An engine
    /// that does not know is never ready.
    fn poll_subscribers(&self, _count: usize, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    /// Shows `greeting` each peer that subscribes to something that begins with `prefix`, and those who have already. An engine that cannot shows it nobody.
    fn greet(&self, _prefix: &Bytes, _greeting: &Greeting) {}

    /// Asks for what begins with `filter`, too, of all publishers that have been told of the filter of its [`Role`], and behind that of those to come. An engine that cannot
    /// asks for nothing more.
    fn subscribe(&self, _filter: Bytes) {}

    /// How often a publication was dropped so far because the queue to a subscriber had no room; 0 where the engine does not say.
    fn dropped(&self) -> u64 {
        0
    }

    /// Ends when there may be room for what was refused as [`SendError::Full`]; at once where the engine does not say.
    fn room(&self) -> LocalFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Gives messages to `receiver` as soon as they are read, for as long as that is there and no older ones wait for
    /// [`poll_recv`](Self::poll_recv). An engine that cannot lets all of them wait.
    fn deliver_to(&self, receiver: Weak<dyn Receiver>) {
        drop(receiver);
    }

    /// Gives the next event, or wakes the last caller when there is one.
    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Event>;

    /// Whether [`close`](Self::close) lets what was sent arrive though peers go on sending: it tells them that nothing more comes, and reads on. One
    /// that just closes takes along what they have not read by then.
    fn half_closes(&self) -> bool {
        false
    }

    /// Closes the socket for good: nothing more is taken in either direction. The future ends when all
    /// messages sent before have left the process; it may take as long as the slowest peer.
    fn close(&self) -> LocalFuture<'static, ()>;
}

/// The engine used unless another is given: [`Zmtp`](zmtp::Zmtp).
pub fn default_engine() -> Rc<dyn Engine> {
    Rc::new(zmtp::Zmtp::default())
}

/// What the connections of an engine are like.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// How many bytes their messages may have.
    pub message_bytes: usize,
    /// How often their peers are asked for a sign of life; zero for never.
    pub heartbeat: Duration,
    /// How many peers may connect to one that listens.
    pub peers: usize,
    /// How many messages may wait to be sent to one peer.
    pub queue_messages: usize,
    /// How many bytes may.
    pub queue_bytes: usize,
    /// What becomes of more.
    pub when_full: WhenFull,
    /// Who their peers may be, and whether others may listen in.
    pub security: Security,
}

impl Default for EngineOptions {
    /// Messages of the usual size, no heartbeats, no encryption.
    fn default() -> Self {
        Self {
            message_bytes: Limits::default().max_message_bytes,
            heartbeat: Duration::ZERO,
            peers: 10_000,
            queue_messages: 10_000,
            queue_bytes: 64 << 20,
            when_full: WhenFull::default(),
            security: Security::Open,
        }
    }
}

/// The engine of that name, for connections that are like this; `None` if there is none. The engine `zeromq` heeds none of it.
pub fn engine_by_name(name: &str, options: EngineOptions) -> Option<Rc<dyn Engine>> {
    match name {
        "zmtp" => Some(Rc::new(zmtp::Zmtp::new(options))),
        "zeromq" => Some(Rc::new(zeromq::Zeromq)),
        _ => None,
    }
}
