//! How a socket behaves.

use std::rc::Rc;

use crate::{Config, Credentials, SocketType};

/// How a socket behaves.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// How each of its connections behaves.
    pub connection: Config,
    /// How many connections others may make to it.
    pub connections: usize,
    /// How many messages that came may wait to be taken. When there are as many, nothing more is read.
    pub receive_messages: usize,
    /// How many bytes may wait so. The last message may go beyond.
    pub receive_bytes: usize,
    /// How many subscriptions one peer may have. Who asks for more is sent away.
    pub subscriptions: usize,
    /// How many bytes may be in all of them.
    pub subscription_bytes: usize,
    /// What may wait to be sent to one peer.
    pub queue: Queue,
    /// What becomes of a message for which there is no room there.
    pub when_full: WhenFull,
    /// Whether a REQ puts a number before each question, and takes no answer without it, as libzmq does with `ZMQ_REQ_CORRELATE`.
    ///
    /// It is needed where a REQ has a name ([`Config::identity`]) and asks a ROUTER. If the connection is lost and another one takes its place,
    /// such a peer knows it again, and may answer there what was asked before, which would be taken for the answer to what was asked since.
    /// Without a name, what is late reaches nobody. The peer must give back all that stands before the empty frame, as each REP does.
    pub correlate: bool,
    /// Whether a ROUTER calls its peers by the identities that they ask for. One that does not makes up a name for each connection, which no
    /// other gets: what is still sent to a peer that has gone reaches nobody, even if it has come back by the same identity.
    pub heeds_identities: bool,
    /// Says of each client of a [`Mechanism`](crate::Mechanism) with servers whether it is let in; nobody is if nothing says so.
    pub admits: Option<Admits>,
}

/// Says of a client whether it is let in.
pub type Admits = Rc<dyn Fn(&Credentials) -> bool>;

/// What may wait to be sent to one peer. What becomes of more, [`WhenFull`] says. There is always room for one message, as nothing could be
/// sent otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Messages.
    pub messages: usize,
    /// Bytes in them. The last one may go beyond.
    pub bytes: usize,
}

impl Queue {
    /// As it is, with room for one message at least.
    pub(super) fn of_one_at_least(self) -> Self {
        Self { messages: self.messages.max(1), bytes: self.bytes.max(1) }
    }
}

/// What becomes of a message for a peer whose queue is full. Sockets that have a choice of peers send to one that has room first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// It is not sent to that peer: refused, or dropped and counted by a socket that publishes.
    #[default]
    DropNewest,
    /// It is refused, also by a socket that publishes, which then sends it to nobody; [`Socket::room`](super::Socket::room) waits until there is
    /// room. One subscriber that does not read holds up all others.
    Wait,
    /// It is sent, and those that have waited longest are dropped and counted until there is room for it. What is
    /// on its way already, which is at most half of the queue and at most 64 KiB, or one message, is not dropped: a queue of one message
    /// drops the newest.
    DropOldest,
    /// As the first, and the peer is disconnected: what it gets has no gaps that it does not hear of.
    Disconnect,
}

impl Options {
    /// A socket of this type with safe limits.
    pub fn new(socket_type: SocketType) -> Self {
        Self {
            connection: Config::new(socket_type),
            connections: 10_000,
            receive_messages: 1_000,
            receive_bytes: 64 << 20,
            subscriptions: 10_000,
            subscription_bytes: 1 << 20,
            queue: Queue { messages: 10_000, bytes: 64 << 20 },
            when_full: WhenFull::default(),
            correlate: false,
            heeds_identities: true,
            admits: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("connection", &self.connection)
            .field("connections", &self.connections)
            .field("receive_messages", &self.receive_messages)
            .field("receive_bytes", &self.receive_bytes)
            .field("subscriptions", &self.subscriptions)
            .field("subscription_bytes", &self.subscription_bytes)
            .field("queue", &self.queue)
            .field("when_full", &self.when_full)
            .field("correlate", &self.correlate)
            .field("heeds_identities", &self.heeds_identities)
            .finish_non_exhaustive()
    }
}
