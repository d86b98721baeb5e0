//! What a socket tells: why a message was not taken, what happened to its connections.

use std::collections::VecDeque;
use std::io;
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
