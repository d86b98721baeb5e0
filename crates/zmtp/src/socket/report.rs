//! What a socket tells: why a message was not taken, what happened to its connections, what it has carried.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use super::{Endpoint, keep};
use crate::{Error, Message};

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The queue of every peer that it could go to is full.
    #[error("the queue to the peer is full")]
    Full,
    /// There is no peer that it could go to.
    #[error("there is no peer to send to")]
    NoPeer,
    /// Sockets of this type send nothing, or not now.
    #[error("this socket does not send now")]
    NotNow,
    /// There is no frame to send; for a ROUTER, none behind the name of the peer.
    #[error("the message has no frames")]
    Empty,
}

/// A message that was not taken, and why.
#[derive(Debug)]
pub struct Unsent {
    /// Why.
    pub why: Refused,
    /// The message, whole.
    pub message: Message,
}

/// Why a connection ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Ended {
    /// The peer closed it.
    #[error("the peer closed the connection")]
    ByPeer,
    /// This side closed it.
    #[error("this side closed the connection")]
    ByUs,
    /// The peer took so little of what was sent to it that its queue was full.
    #[error("the peer takes too little of what is sent to it")]
    QueueFull,
    /// The client was not let in by [`Options::admits`](super::Options::admits).
    #[error("the client was not admitted")]
    NotAdmitted,
    /// The peer broke the protocol, or was too slow.
    #[error(transparent)]
    Protocol(#[from] Error),
    /// What the system said.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Counts {
    /// Counts a peer that was lost.
    pub(super) fn lose(&mut self, why: &Ended) {
        self.disconnected += 1;
        match why {
            Ended::Protocol(Error::FrameTooLarge { .. } | Error::MessageTooLarge { .. }) => {
                self.too_large += 1
            }
            Ended::Protocol(Error::Silent) => self.silent += 1,
            Ended::QueueFull => self.too_slow += 1,
            Ended::Protocol(why) if is_fault(why) => self.put_out += 1,
            _ => {}
        }
    }

    /// Counts a stranger that was not met.
    pub(super) fn miss(&mut self, why: &Ended) {
        self.handshakes_failed += 1;
        match why {
            Ended::Protocol(why) if is_fault(why) => self.handshakes_refused += 1,
            Ended::NotAdmitted => self.handshakes_refused += 1,
            _ => {}
        }
    }
}

/// Whether it is what the peer did, and not what it said of this side, nor what this side lacks.
fn is_fault(why: &Error) -> bool {
    !matches!(why, Error::Refused { .. } | Error::NoRandomness)
}

/// What happened to the connections of a socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A peer was met.
    Connected {
        /// What a router calls it by.
        identity: Bytes,
        /// Where it was dialled, if it was.
        endpoint: Option<Endpoint>,
    },
    /// A peer that had been met is gone. If it was dialled, it is tried again.
    Disconnected {
        /// What a router called it by.
        identity: Bytes,
        /// Where it was dialled, if it was.
        endpoint: Option<Endpoint>,
        /// Why.
        why: Ended,
    },
    /// A stranger was never met.
    HandshakeFailed {
        /// Why.
        why: Ended,
    },
    /// A try to reach an endpoint that is dialled came to nothing. The next one follows.
    DialFailed {
        /// Where.
        endpoint: Endpoint,
        /// Why: what the system said, or what went wrong in the handshake.
        why: Ended,
        /// How long is waited before the next try.
        pause: Duration,
    },
    /// A connection was refused, as there are too many.
    TooMany,
    /// The system could not give a connection. It is asked again in a while.
    AcceptFailed {
        /// What it said.
        why: io::Error,
    },
    /// A message was dropped that the pattern has no use for.
    Misfit {
        /// What a router calls its peer by.
        identity: Bytes,
    },
}

/// What a socket has carried.
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
    /// Peers that were lost.
    pub disconnected: u64,
    /// Of these, peers that were put out for a message beyond the limit of bytes.
    pub too_large: u64,
    /// And peers that were put out as they broke the protocol in another way.
    pub put_out: u64,
    /// And peers that fell silent.
    pub silent: u64,
    /// And peers that took too little of what was sent to them.
    pub too_slow: u64,
    /// Strangers that were never met.
    pub handshakes_failed: u64,
    /// Of these, strangers that this side refused; the others left by themselves.
    pub handshakes_refused: u64,
    /// Tries to reach an endpoint that is dialled that came to nothing.
    pub dials_failed: u64,
    /// Connections that were refused, as there were too many.
    pub refused_connections: u64,
    /// Connections that the system could not give.
    pub accept_errors: u64,
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

/// The last things that happened, for whoever asks.
#[derive(Debug, Default)]
pub(super) struct Events {
    recent: VecDeque<Event>,
    waker: Option<Waker>,
}

/// How many events are kept that nobody asks for.
const EVENTS_MAX: usize = 256;

impl Events {
    /// Adds an event, and gives whoever waits for one.
    pub(super) fn push(&mut self, event: Event) -> Option<Waker> {
        if self.recent.len() >= EVENTS_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(event);
        self.waker.take()
    }

    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<Event> {
        match self.recent.pop_front() {
            Some(event) => Poll::Ready(event),
            None => {
                keep(&mut self.waker, context);
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_side_lacks_is_not_held_against_the_peer() {
        let missed = |why| {
            let mut counts = Counts::default();
            counts.miss(&Ended::Protocol(why));
            (counts.handshakes_failed, counts.handshakes_refused)
        };
        assert_eq!(missed(Error::NoRandomness), (1, 0));
        assert_eq!(missed(Error::Unopened("HELLO")), (1, 1));
    }
}
