//! What a socket tells: why a message was not taken, what happened to its connections, what it has carried.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use thiserror::Error;

use super::keep;
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

/// What happened to the connections of a socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A peer was met.
    Connected {
        /// What a router calls it by.
        identity: Bytes,
    },
    /// A peer that had been met is gone.
    Disconnected {
        /// What a router called it by.
        identity: Bytes,
        /// Why.
        why: Ended,
    },
    /// A stranger was never met.
    HandshakeFailed {
        /// Why.
        why: Ended,
    },
}

/// What a socket has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages that were read.
    pub received: u64,
    /// Messages that were given to a queue.
    pub sent: u64,
    /// Publications that a subscriber's full queue had no room for.
    pub dropped_full: u64,
    /// Messages that a peer sent and the pattern has no use for.
    pub dropped_misfit: u64,
    /// Peers that were met.
    pub connected: u64,
    /// Peers that were lost.
    pub disconnected: u64,
    /// Strangers that were never met.
    pub handshakes_failed: u64,
    /// Connections that were refused, as there were too many.
    pub refused_connections: u64,
    /// Connections that the system could not give.
    pub accept_errors: u64,
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
