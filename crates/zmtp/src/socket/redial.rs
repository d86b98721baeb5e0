//! How long to wait between two tries to reach a peer.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// How soon a peer that is not there is tried again.
///
/// Each pause is twice as long as the one before, up to the longest, less a part that is left to chance. A connection that has
/// held for at least as long as the longest pause lets them begin anew with the shortest. So a peer that lets one in and
/// then goes away is troubled no more often than one that does not answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Redial {
    /// The pause after the first failure, 1 ms at least.
    pub first: Duration,
    /// The longest pause, 1 ms at least.
    pub cap: Duration,
    /// The part of each pause that is left to chance, from 0, nothing, to 1, all of it: so that many who have lost one peer do not
    /// come back as one.
    pub jitter: f64,
}

impl Default for Redial {
    /// From 0.1 s to 5 s, half of it left to chance.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), cap: Duration::from_secs(5), jitter: 0.5 }
    }
}

/// No pause is shorter before chance takes its part: whatever the settings, nobody tries in a tight loop.
const SHORTEST: Duration = Duration::from_millis(1);

impl Redial {
    fn cap(&self) -> Duration {
        self.cap.max(SHORTEST)
    }

    /// The pause after so many failures in a row; `chance` is from 0 to 1.
    fn pause(&self, failures: u32, chance: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.first.max(SHORTEST).saturating_mul(1 << doublings).min(self.cap());
        let part = share(self.jitter) * share(chance);
        // So long that it cannot be told is all of it.
        let left_out = Duration::try_from_secs_f64(whole.as_secs_f64() * part).unwrap_or(whole);
        whole.saturating_sub(left_out).max(SHORTEST)
    }
}

/// A part of something, from 0 to 1; what is no number is nothing.
fn share(part: f64) -> f64 {
    if part > 0.0 { part.min(1.0) } else { 0.0 }
}

/// How often in a row a peer was not reached, or did not stay, and what pause follows. It has no clock, and leaves nothing to chance itself.
#[derive(Clone, Debug)]
pub struct Backoff {
    redial: Redial,
    failures: u32,
}

impl Backoff {
    /// Before the first try.
    pub fn new(redial: Redial) -> Self {
        Self { redial, failures: 0 }
    }

    /// The pause after a try that came to nothing; `chance` is from 0 to 1, as [`chance`] gives it.
    pub fn failed(&mut self, chance: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.redial.pause(self.failures, chance)
    }

    /// The pause after the loss of a connection that had held for so long; `chance` is from 0 to 1.
    pub fn lost(&mut self, held: Duration, chance: f64) -> Duration {
        if held >= self.redial.cap() {
            self.failures = 0;
        }
        self.failed(chance)
    }
}

/// Any number from 0 to 1, for a [`Backoff`].
pub fn chance() -> f64 {
    random() as f64 / u64::MAX as f64
}

/// Any number. The standard library's maps begin with one that nobody can guess.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redials() -> impl Strategy<Value = Redial> {
        let jitter = prop_oneof![0.0..=1.0, Just(1.0), prop::num::f64::ANY];
        let duration = || prop_oneof![any::<Duration>(), Just(Duration::ZERO), Just(Duration::MAX)];
        (duration(), duration(), jitter).prop_map(|(first, cap, jitter)| Redial { first, cap, jitter })
    }

    fn usual() -> impl Strategy<Value = Redial> {
        (1..10_000u64, 1..100_000u64, 0.0..=1.0).prop_map(|(first, cap, jitter)| Redial {
            first: Duration::from_millis(first),
            cap: Duration::from_millis(cap),
            jitter,
        })
    }

    /// What happened to a peer: a try failed, or a connection held for so long; and a chance.
    fn course() -> impl Strategy<Value = Vec<(Option<Duration>, f64)>> {
        let chance = prop_oneof![0.0..=1.0, Just(0.0), Just(1.0)];
        prop::collection::vec((any::<Option<Duration>>(), chance), 1..80)
    }

    fn pause(backoff: &mut Backoff, what: Option<Duration>, chance: f64) -> Duration {
        match what {
            Some(held) => backoff.lost(held, chance),
            None => backoff.failed(chance),
        }
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_the_cap_nor_none_at_all(redial in redials(), course in course()) {
            let mut backoff = Backoff::new(redial);
            for (what, chance) in course {
                let pause = pause(&mut backoff, what, chance);
                prop_assert!(pause <= redial.cap.max(SHORTEST), "{pause:?}");
                prop_assert!(pause >= SHORTEST, "{pause:?}");
            }
        }

        #[test]
        fn pauses_double_up_to_the_cap_less_what_is_left_to_chance(redial in usual(), chances in prop::collection::vec(0.0..=1.0, 1..40)) {
            let mut backoff = Backoff::new(redial);
            let mut whole = redial.first.min(redial.cap);
            for chance in chances {
                let pause = backoff.failed(chance);
                prop_assert!(pause <= whole && pause + Duration::from_nanos(1) >= whole.mul_f64(1.0 - redial.jitter).min(whole));
                whole = (2 * whole).min(redial.cap);
            }
        }

        #[test]
        fn a_connection_that_held_as_long_as_the_cap_begins_anew_and_no_other(
            redial in usual(), failures in 1..40u32, part in 0.0..1.0, more in any::<u32>(),
        ) {
            let without_chance = |held| {
                let mut backoff = Backoff::new(redial);
                (0..failures).for_each(|_| { backoff.failed(0.0); });
                backoff.lost(held, 0.0)
            };
            let first = Backoff::new(redial).failed(0.0);
            prop_assert_eq!(without_chance(redial.cap + Duration::from_nanos(more.into())), first);
            prop_assert_eq!(without_chance(redial.cap.mul_f64(part).min(redial.cap - Duration::from_nanos(1))), redial.pause(failures + 1, 0.0));
        }
    }

    #[test]
    fn chance_is_from_nothing_to_all() {
        let chances: Vec<_> = (0..1_000).map(|_| chance()).collect();
        assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)));
        assert!(chances.iter().any(|chance| *chance < 0.2) && chances.iter().any(|chance| *chance > 0.8));
    }
}
