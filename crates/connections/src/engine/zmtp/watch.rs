//! Counts what the engine refuses and whom it meets and loses, and says so.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::zmtp::{self, Cause, Counts};
use crate::counters::{Counters, Refusal};
use crate::peers::Traffic;

/// Who is told what the engine refuses, and whom it meets and loses.
#[derive(Debug)]
pub(super) struct Watch {
    connection: String,
    counters: Arc<Counters>,
    /// What was counted before.
    seen: Cell<Counts>,
    /// When it was last said aloud that the system gives no connections.
    warned: Cell<Option<Instant>>,
}

/// That the system gives no connections is said aloud so often at most.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

impl Watch {
    /// Tells of what happens from now on.
    pub(super) fn new(connection: &str, counters: &Arc<Counters>, seen: Counts) -> Self {
        let (connection, counters) = (connection.to_owned(), Arc::clone(counters));
        counters.inquiry().begin();
        Self { connection, counters, seen: Cell::new(seen), warned: Cell::default() }
    }

    /// The socket is no more: what it had counted by then, whom it leaves, and what it has carried.
    pub(super) fn end(&self, now: Counts, peers: usize, carried: Traffic) {
        self.count(now);
        self.counters.count_disconnected(Cause::ByUs, peers as u64);
        self.counters.inquiry().end(carried);
    }

    pub(super) fn count(&self, now: Counts) {
        let (seen, counters) = (self.seen.replace(now), &self.counters);
        counters.count_connected(now.connected - seen.connected);
        for (cause, times) in now.disconnected.each() {
            counters.count_disconnected(cause, times - seen.disconnected.of(cause));
        }
        for (cause, times) in now.handshakes_failed.each() {
            counters.count_handshake_failed(cause, times - seen.handshakes_failed.of(cause));
        }
        for (reason, seen, now) in [
            (Refusal::TooLarge, seen.disconnected.of(Cause::TooLarge), now.disconnected.of(Cause::TooLarge)),
            (Refusal::TooManyPeers, seen.refused_connections, now.refused_connections),
            (Refusal::NotAccepted, seen.accept_errors, now.accept_errors),
            (Refusal::Misfit, seen.dropped_misfit, now.dropped_misfit),
        ] {
            counters.count_refused_times(reason, now - seen);
        }
    }

    pub(super) fn tell(&self, event: &zmtp::Event) {
        let connection = &self.connection;
        match event {
            zmtp::Event::Disconnected { why, .. } => tracing::debug!(connection, %why, "lost a peer"),
            zmtp::Event::HandshakeFailed { why } => tracing::debug!(connection, %why, "met a stranger"),
            zmtp::Event::TooMany => {
                tracing::debug!(connection, "refused a connection, as there are too many")
            }
            zmtp::Event::Misfit { .. } => {
                tracing::debug!(connection, "dropped a message that is none of its kind")
            }
            zmtp::Event::AcceptFailed { why } => self.tell_of_refusal(why),
            _ => {}
        }
    }

    /// Says that the system gives no connections, but not each time: that goes on for as long as descriptors are missing.
    fn tell_of_refusal(&self, why: &std::io::Error) {
        let connection = &self.connection;
        let now = Instant::now();
        if self.warned.get().is_none_or(|warned| now.duration_since(warned) >= BETWEEN_WARNINGS) {
            self.warned.set(Some(now));
            tracing::warn!(
                connection,
                %why,
                "cannot take more peers; those that are there are served. Raise the limit of open files (`ulimit -n`), or look who connects"
            );
        } else {
            tracing::debug!(connection, %why, "cannot take more peers");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ByCause;

    #[test]
    fn what_the_engine_tells_is_counted_once_by_its_reason() {
        let counters = Arc::<Counters>::default();
        let mut counts = Counts::default();
        // What was before the watch is not counted by it.
        counts.connected = 1;
        let watch = Watch::new("orders", &counters, counts);
        counts.connected += 9;
        counts.disconnected = [(Cause::TooLarge, 1), (Cause::ByPeer, 2)].into_iter().collect();
        counts.handshakes_failed = [(Cause::Timeout, 3), (Cause::NotAdmitted, 4)].into_iter().collect();
        counts.refused_connections = 5;
        counts.accept_errors = 6;
        counts.dropped_misfit = 7;
        // What has nothing to do with it.
        counts.received = 100;
        for _ in 0..2 {
            watch.count(counts);
        }
        counts.accept_errors += 1;
        counts.disconnected.add(Cause::ByUs, 1);
        watch.end(counts, 2, Traffic::default());
        let counted = counters.counts();
        let lost: ByCause =
            [(Cause::TooLarge, 1), (Cause::ByPeer, 2), (Cause::ByUs, 1 + 2)].into_iter().collect();
        assert_eq!((counted.connected, counted.disconnected), (9, lost));
        assert_eq!(counted.handshakes_failed, counts.handshakes_failed);
        let expected = [
            (Refusal::TooLarge, 1),
            (Refusal::TooManyPeers, 5),
            (Refusal::NotAccepted, 7),
            (Refusal::Misfit, 7),
        ];
        for (reason, times) in expected {
            assert_eq!(counted.refused(reason), times, "{}", reason.name());
        }
        assert_eq!(counted.refused.iter().sum::<u64>(), 20);
    }
}
