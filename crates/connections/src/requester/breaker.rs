//! Decides whether a peer that fails again and again is asked at all. Does no IO.
//!
//! The circuit breaker of Nygard's "Release It!", with one call as the probe after each pause.

use std::time::{Duration, Instant};

/// When a peer is not asked any more, and how soon it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOptions {
    /// How often it fails in a row until then; 0 asks it always.
    pub failures: u32,
    /// How long nobody asks it then, but for one call after each such time.
    pub pause: Duration,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { failures: 5, pause: Duration::from_secs(1) }
    }
}

#[derive(Debug)]
pub(super) struct Breaker {
    options: BreakerOptions,
    /// Failures since it gave a sign of life.
    failures: u32,
    /// While it is open: when the next call may try.
    next: Option<Instant>,
}

impl Breaker {
    pub(super) fn new(options: BreakerOptions) -> Self {
        Self { options, failures: 0, next: None }
    }

    /// Whether a call may be made; one that may while it is open is the probe.
    pub(super) fn admits(&mut self, now: impl FnOnce() -> Instant) -> bool {
        let Some(next) = &mut self.next else { return true };
        let now = now();
        let admits = *next <= now;
        if admits {
            *next = now + self.options.pause;
        }
        admits
    }

    /// The peer gave a sign of life; whether that was news.
    pub(super) fn live(&mut self) -> bool {
        self.failures = 0;
        self.next.take().is_some()
    }

    /// There is a connection to the peer: who asks next finds out.
    pub(super) fn connected(&mut self, now: Instant) {
        if let Some(next) = &mut self.next {
            *next = now;
        }
    }

    /// The peer failed once more; whether it is not asked from now on.
    pub(super) fn fail(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let opens =
            self.next.is_none() && self.options.failures != 0 && self.failures >= self.options.failures;
        if opens {
            self.next = Some(now + self.options.pause);
        }
        opens
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Ask,
        Live,
        Connected,
        Fail,
        Wait { ms: u64 },
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            5 => Just(Step::Ask),
            1 => Just(Step::Live),
            1 => Just(Step::Connected),
            4 => Just(Step::Fail),
            3 => (0_u64..1_500).prop_map(|ms| Step::Wait { ms }),
        ]
    }

    proptest! {
        #[test]
        fn it_asks_until_that_many_failures_and_then_once_a_pause(
            most in 0_u32..6,
            steps in proptest::collection::vec(any_step(), 0..80),
        ) {
            let pause = Duration::from_secs(1);
            let mut breaker = Breaker::new(BreakerOptions { failures: most, pause });
            // An hour ahead, so that there is a time before it.
            let (mut now, mut in_a_row) = (Instant::now() + Duration::from_secs(3_600), 0);
            // When a call was let through last, or it opened, while open.
            let mut since: Option<Instant> = None;
            for step in steps {
                match step {
                    Step::Wait { ms } => now += Duration::from_millis(ms),
                    Step::Live => {
                        prop_assert_eq!(breaker.live(), since.is_some());
                        (in_a_row, since) = (0, None);
                    }
                    Step::Connected => {
                        breaker.connected(now);
                        since = since.map(|_| now - pause);
                    }
                    Step::Fail => {
                        in_a_row += 1;
                        let opens = most > 0 && in_a_row >= most && since.is_none();
                        prop_assert_eq!(breaker.fail(now), opens);
                        if opens {
                            since = Some(now);
                        }
                    }
                    Step::Ask => {
                        let admits = since.is_none_or(|since| now - since >= pause);
                        prop_assert_eq!(breaker.admits(|| now), admits);
                        if admits && since.is_some() {
                            since = Some(now);
                        }
                    }
                }
            }
        }
    }
}
