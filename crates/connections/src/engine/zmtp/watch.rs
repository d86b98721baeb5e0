//! Counts what the engine refuses, and says so.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::zmtp::{self, Counts};
use crate::counters::{Counters, Refusal};

/// Who is told what the engine refuses.
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
    /// Tells of what is refused from now on.
    pub(super) fn new(connection: &str, counters: &Arc<Counters>, seen: Counts) -> Self {
        let (connection, counters) = (connection.to_owned(), Arc::clone(counters));
        Self { connection, counters, seen: Cell::new(seen), warned: Cell::default() }
    }

    pub(super) fn count(&self, now: Counts) {
        let seen = self.seen.replace(now);
        for (reason, seen, now) in [
            (Refusal::TooLarge, seen.too_large, now.too_large),
            (Refusal::PutOut, seen.put_out, now.put_out),
            (Refusal::SilentPeer, seen.silent, now.silent),
            (Refusal::SlowPeer, seen.too_slow, now.too_slow),
            (Refusal::NoPeer, seen.handshakes_refused, now.handshakes_refused),
            (Refusal::TooManyPeers, seen.refused_connections, now.refused_connections),
            (Refusal::NotAccepted, seen.accept_errors, now.accept_errors),
            (Refusal::Misfit, seen.dropped_misfit, now.dropped_misfit),
        ] {
            if now > seen {
                self.counters.count_refused_times(reason, now - seen);
            }
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

    #[test]
    fn what_the_engine_refuses_is_counted_once_by_its_reason() {
        let counters = Arc::<Counters>::default();
        let watch = Watch::new("orders", &counters, Counts::default());
        let mut counts = Counts::default();
        counts.too_large = 1;
        counts.put_out = 2;
        counts.silent = 3;
        counts.handshakes_refused = 4;
        counts.refused_connections = 5;
        counts.accept_errors = 6;
        counts.dropped_misfit = 7;
        counts.too_slow = 8;
        // What has nothing to do with a refusal.
        (counts.received, counts.disconnected, counts.handshakes_failed) = (100, 100, 100);
        for _ in 0..2 {
            watch.count(counts);
        }
        counts.accept_errors += 1;
        watch.count(counts);
        let counted = counters.counts();
        let expected = [
            (Refusal::TooLarge, 1),
            (Refusal::PutOut, 2),
            (Refusal::SilentPeer, 3),
            (Refusal::NoPeer, 4),
            (Refusal::TooManyPeers, 5),
            (Refusal::NotAccepted, 7),
            (Refusal::Misfit, 7),
            (Refusal::SlowPeer, 8),
        ];
        for (reason, times) in expected {
            assert_eq!(counted.refused(reason), times, "{}", reason.name());
        }
        assert_eq!(counted.refused.iter().sum::<u64>(), 37);
    }
}
