//! What a transport engine does for the connections: opens sockets that carry frames.

pub mod zeromq;
pub mod zmtp;

use std::fmt::Debug;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use service_framework_core::address::Address;

use crate::error::SocketError;

/// The frames of one message, first to last.
pub type Frames = zmtp::Message;

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

    /// Opens a socket and connects it once, giving up after `patience`. Dropping the future gives up at once.
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
    #[expect(clippy::result_large_err, reason = "who sends gets the message back as it was")]
    fn send(&self, frames: Frames) -> Result<(), Unsent>;

    /// How often a publication was dropped so far because the queue to a subscriber had no room; 0 where the engine does not say.
    fn dropped(&self) -> u64 {
        0
    }

    /// Gives the next event, or wakes the last caller when there is one.
    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Event>;

    /// Closes the socket for good: nothing more is taken in either direction. The future ends when all
    /// messages sent before have left the process; it may take as long as the slowest peer.
    fn close(&self) -> LocalFuture<'static, ()>;
}

/// The engine used unless another is given: [`Zmtp`](zmtp::Zmtp).
pub fn default_engine() -> Rc<dyn Engine> {
    Rc::new(zmtp::Zmtp::default())
}

/// The engine of that name, for connections whose messages may have that many bytes; `None` if there is none.
pub fn engine_by_name(name: &str, message_bytes: usize) -> Option<Rc<dyn Engine>> {
    match name {
        "zmtp" => Some(Rc::new(zmtp::Zmtp::new(message_bytes))),
        "zeromq" => Some(Rc::new(zeromq::Zeromq)),
        _ => None,
    }
}
