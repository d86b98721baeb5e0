//! What a socket and each of its connections have carried, and how many of these there were.

use std::net::SocketAddr;

use bytes::Bytes;

use super::ByCause;

/// What has happened to a socket's messages and connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages that were read.
    pub received: u64,
    /// Messages that were given to a queue, without those that were dropped there.
    pub sent: u64,
    /// Publications that a subscriber's full queue had no room for, and messages that were dropped there for newer ones.
    pub dropped_full: u64,
    /// Messages that a peer sent and the pattern has no use for.
    pub dropped_misfit: u64,
    /// Peers that were met.
    pub connected: u64,
    /// Of these, peers that were lost.
    pub disconnected: ByCause,
    /// Strangers that were never met.
    pub handshakes_failed: ByCause,
    /// Tries to reach an endpoint that is dialled that came to nothing. One that failed in its handshake is a stranger, too.
    pub dials_failed: ByCause,
    /// Connections that were refused, as there were too many.
    pub refused_connections: u64,
    /// Connections that the system could not give.
    pub accept_errors: u64,
}

/// What has gone over the connections of a socket so far, and what waits in it now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Bytes that were read, of all that the protocol says, from all peers and strangers that there have been.
    pub bytes_read: u64,
    /// Bytes that were written to them, of all that the protocol says.
    pub bytes_written: u64,
    /// Messages that wait to be sent, to whichever peer.
    pub queued_messages: usize,
    /// Bytes that wait to be sent.
    pub queued_bytes: usize,
    /// Messages that have come and were not taken.
    pub inbox_messages: usize,
    /// Bytes in them.
    pub inbox_bytes: usize,
}

impl Traffic {
    /// This and what another connection has carried, or has to.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            bytes_read: self.bytes_read + other.bytes_read,
            bytes_written: self.bytes_written + other.bytes_written,
            queued_messages: self.queued_messages + other.queued_messages,
            queued_bytes: self.queued_bytes + other.queued_bytes,
            inbox_messages: self.inbox_messages + other.inbox_messages,
            inbox_bytes: self.inbox_bytes + other.inbox_bytes,
        }
    }

    /// What has gone over it alone: nothing waits in a connection that is no more.
    pub(super) fn gone(self) -> Self {
        Self { bytes_read: self.bytes_read, bytes_written: self.bytes_written, ..Self::default() }
    }
}

/// What one connection has carried so far, and what waits to be sent by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerCounts {
    /// What a router calls the peer by.
    pub identity: Bytes,
    /// The identity that the peer asked for; empty if it asked for none.
    pub asked_identity: Bytes,
    /// Where it is, over TCP, while it is connected.
    pub address: Option<SocketAddr>,
    /// Messages that were read.
    pub received: u64,
    /// Messages that were given to the queue, without those that were dropped there.
    pub sent: u64,
    /// Messages that were dropped, as the queue had no room for them or to make room for newer ones.
    pub dropped_full: u64,
    /// Messages that the queue had no room for, and that were given back to whoever sent them.
    pub refused_full: u64,
    /// Bytes that were read, of all that the protocol says.
    pub bytes_read: u64,
    /// Bytes that were written, of all that the protocol says.
    pub bytes_written: u64,
    /// Messages in the queue.
    pub queued_messages: usize,
    /// Bytes in the queue.
    pub queued_bytes: usize,
}
