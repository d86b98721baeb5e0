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
    /// Says of each client of a [`Mechanism`](crate::Mechanism) with servers whether it is let in; nobody is if nothing says so.
    pub admits: Option<Admits>,
}

/// Says of a client whether it is let in.
pub type Admits = Rc<dyn Fn(&Credentials) -> bool>;

/// What may wait to be sent to one peer. More is refused, or dropped by sockets that publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Messages.
    pub messages: usize,
    /// Bytes in them. The last one may go beyond.
    pub bytes: usize,
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
            .finish_non_exhaustive()
    }
}
