//! What happens on a connection.

use bytes::Bytes;

use super::{Credentials, SocketType};
use crate::Message;

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A client of a [`Mechanism`](super::Mechanism) with servers says who it is, and waits for
    /// [`Connection::admit`](super::Connection::admit) or [`Connection::refuse`](super::Connection::refuse).
    Credentials(Credentials),
    /// The handshake is done.
    Ready(Peer),
    /// A message came.
    Message(Message),
    /// The peer wants what begins with this.
    Subscribe(Bytes),
    /// The peer does no longer want what begins with this.
    Cancel(Bytes),
    /// A command came that was seen to: a sign of life, or one that says nothing that is known. Nothing is to be done, but a peer may send them
    /// without end, so that whoever sees to several counts these, too.
    Control,
}

/// Who the peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// The type of its socket.
    pub socket_type: SocketType,
    /// What it wants to be called by; empty if it does not care.
    pub identity: Bytes,
    /// The second number of the version that both speak, ZMTP 3.0 or 3.1.
    pub minor_version: u8,
}
