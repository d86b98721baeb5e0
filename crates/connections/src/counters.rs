//! Counts what one connection carried, what it refused and whom it lost, readable from any thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use crate::engine::{ByCause, Cause};
use crate::peers::{Asked, Inquiry, Told};

/// Why a message was dropped by a connection, before or after any handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// A request or reply without the empty frame that ends its envelope.
    NoDelimiter,
    /// More or fewer frames than the one that is due.
    FrameCount,
    /// A reply to a call that was answered, forgotten or past its deadline.
    LateReply,
    /// A reply to a call that was never made.
    UnknownReply,
    /// A reply to a peer that has gone.
    PeerGone,
    /// A publication while no peer was connected (connecting publishers only).
    NotConnected,
    /// The queue of outgoing messages was full.
    QueueFull,
    /// It came, or was to be sent, while the connection was being closed.
    Closing,
    /// A message so much larger than the limit that its peer was put out unheard; the peer is counted by [`Counts::disconnected`], too.
    TooLarge,
    /// A connection beyond as many as a listening socket takes.
    TooManyPeers,
    /// The system could not give a connection to be made: no descriptor was left.
    NotAccepted,
    /// A message that sockets of this type have no use for.
    Misfit,
}

impl Refusal {
    /// Every reason, in the order in which [`Counts::refused`] has them.
    pub const ALL: [Self; 12] = [
        Self::NoDelimiter,
        Self::FrameCount,
        Self::LateReply,
        Self::UnknownReply,
        Self::PeerGone,
        Self::NotConnected,
        Self::QueueFull,
        Self::Closing,
        Self::TooLarge,
        Self::TooManyPeers,
        Self::NotAccepted,
        Self::Misfit,
    ];

    /// The reason's name in reports, which never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoDelimiter => "no_delimiter",
            Self::FrameCount => "frame_count",
            Self::LateReply => "late_reply",
            Self::UnknownReply => "unknown_reply",
            Self::PeerGone => "peer_gone",
            Self::NotConnected => "not_connected",
            Self::QueueFull => "queue_full",
            Self::Closing => "closing",
            Self::TooLarge => "too_large",
            Self::TooManyPeers => "too_many_peers",
            Self::NotAccepted => "not_accepted",
            Self::Misfit => "misfit",
        }
    }
}

/// The counters of one connection. They only rise.
#[derive(Debug, Default)]
pub struct Counters {
    messages_in: AtomicU64,
    messages_out: AtomicU64,
    payload_bytes_in: AtomicU64,
    payload_bytes_out: AtomicU64,
    refused: [AtomicU64; Refusal::ALL.len()],
    socket: Arc<OfSocket>,
}

/// What is counted and told of a socket, which several connections may share.
#[derive(Debug, Default)]
struct OfSocket {
    connected: AtomicU64,
    disconnected: Causes,
    handshakes_failed: Causes,
    dials_failed: Causes,
    inquiry: Inquiry,
}

/// Counts by cause.
#[derive(Debug, Default)]
struct Causes([AtomicU64; Cause::ALL.len()]);

/// The counters of one connection at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages received and handed on.
    pub messages_in: u64,
    /// Messages given to the socket.
    pub messages_out: u64,
    /// Payload bytes of `messages_in`, without envelopes.
    pub payload_bytes_in: u64,
    /// Payload bytes of `messages_out`, without envelopes.
    pub payload_bytes_out: u64,
    /// Peers that were met: how often one that connects found its peer, how many came to one that listens. With the engine `zeromq` nobody knows who
    /// comes.
    pub connected: u64,
    /// Of these, peers that were lost. The engine `zeromq` tells of the peer of one that connects, and not why.
    pub disconnected: ByCause,
    /// Strangers that came and were never met. The engine `zeromq` tells of none.
    pub handshakes_failed: ByCause,
    /// Tries to connect that came to nothing, also in the handshake.
    pub dials_failed: ByCause,
    /// Messages dropped, by reason, in the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
}

impl Counts {
    /// Messages dropped for one reason.
    pub fn refused(&self, reason: Refusal) -> u64 {
        self.refused[reason as usize]
    }
}

impl Counters {
    /// Those of another connection by the same socket, with which it has in common what that counts of its peers.
    pub(crate) fn of_same_socket(&self) -> Self {
        Self { socket: Arc::clone(&self.socket), ..Self::default() }
    }

    /// Reads all of them. Each is exact; they are not read at one instant.
    pub fn counts(&self) -> Counts {
        Counts {
            messages_in: self.messages_in.load(Relaxed),
            messages_out: self.messages_out.load(Relaxed),
            payload_bytes_in: self.payload_bytes_in.load(Relaxed),
            payload_bytes_out: self.payload_bytes_out.load(Relaxed),
            connected: self.socket.connected.load(Relaxed),
            disconnected: self.socket.disconnected.read(),
            handshakes_failed: self.socket.handshakes_failed.read(),
            dials_failed: self.socket.dials_failed.read(),
            refused: std::array::from_fn(|reason| self.refused[reason].load(Relaxed)),
        }
    }

    /// Messages received and handed on.
    pub fn messages_in(&self) -> u64 {
        self.messages_in.load(Relaxed)
    }

    /// Asks the thread of the connection who its peers are, what has gone to and fro and what waits, without waiting for the answer. An engine that
    /// does not know answers that there are no peers and no bytes. Publishers that share a socket are told the same.
    pub fn ask(&self) -> Asked {
        self.socket.inquiry.ask()
    }

    /// Waits for what was asked, no longer than until then. While the thread is held, there is the answer to the last question that it had time
    /// for.
    pub fn told(&self, asked: Asked, until: Instant) -> Told {
        self.socket.inquiry.wait(asked, until)
    }

    pub(crate) fn inquiry(&self) -> &Inquiry {
        &self.socket.inquiry
    }

    pub(crate) fn count_in(&self, bytes: usize) {
        add(&self.messages_in, 1);
        add(&self.payload_bytes_in, bytes as u64);
    }

    pub(crate) fn count_out(&self, bytes: usize) {
        add(&self.messages_out, 1);
        add(&self.payload_bytes_out, bytes as u64);
    }

    pub(crate) fn count_connected(&self, times: u64) {
        add(&self.socket.connected, times);
    }

    pub(crate) fn count_disconnected(&self, cause: Cause, times: u64) {
        add(&self.socket.disconnected.0[cause as usize], times);
    }

    pub(crate) fn count_handshake_failed(&self, cause: Cause, times: u64) {
        add(&self.socket.handshakes_failed.0[cause as usize], times);
    }

    pub(crate) fn count_dial_failed(&self, cause: Cause) {
        add(&self.socket.dials_failed.0[cause as usize], 1);
    }

    pub(crate) fn count_refused(&self, reason: Refusal) {
        self.count_refused_times(reason, 1);
    }

    pub(crate) fn count_refused_times(&self, reason: Refusal, times: u64) {
        add(&self.refused[reason as usize], times);
    }
}

impl Causes {
    fn read(&self) -> ByCause {
        Cause::ALL.into_iter().map(|cause| (cause, self.0[cause as usize].load(Relaxed))).collect()
    }
}

/// Only the thread of the connection counts, so that it needs not be locked out of its own counter, which takes as long as a small step.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed) + more, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_counts_in_its_own_place_under_its_own_name() {
        let counters = Counters::default();
        for (times, reason) in Refusal::ALL.into_iter().enumerate() {
            (0..times).for_each(|_| counters.count_refused(reason));
        }
        let counts = counters.counts();
        for (times, reason) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(counts.refused(reason), times as u64, "{}", reason.name());
        }
        let names = Refusal::ALL.map(Refusal::name);
        expect_test::expect![[r#"["no_delimiter", "frame_count", "late_reply", "unknown_reply", "peer_gone", "not_connected", "queue_full", "closing", "too_large", "too_many_peers", "not_accepted", "misfit"]"#]]
            .assert_eq(&format!("{names:?}"));
    }
}
