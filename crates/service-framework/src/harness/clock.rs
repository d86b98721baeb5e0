//! The time that a service under test sees, and what it does when that has come.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::world::Outcome;

/// Where the clock begins: far from 0, so that nothing takes the two for one another.
const START: Duration = Duration::from_secs(1_000_000);

/// A clock that stands still until it is moved, or one that runs.
#[derive(Debug)]
pub(super) struct Clock {
    /// What the clock showed at `since`, or shows.
    at: Duration,
    since: Option<Instant>,
    /// By the time that they end; then in the order they were set.
    timers: BTreeMap<(Duration, u64), Due>,
    next: u64,
}

/// What ends when its time has come.
#[derive(Debug)]
pub(super) enum Due {
    /// An operation: a sleep, or the deadline of a request.
    Operation(u64),
    /// The deadline of a call.
    Call(u64),
    /// The answer to a request is there.
    Answer(u64, Outcome),
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { at: START, since: None, timers: BTreeMap::new(), next: 0 }
    }

    pub(super) fn now(&self) -> Duration {
        self.at + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.now() - START
    }

    pub(super) fn run(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    pub(super) fn is_running(&self) -> bool {
        self.since.is_some()
    }

    /// Moves a clock that stands still; one that runs gets there by itself.
    pub(super) fn move_to(&mut self, at: Duration) {
        if self.since.is_none() {
            self.at = self.at.max(at);
        }
    }

    pub(super) fn set(&mut self, at: Duration, due: Due) {
        self.timers.insert((at, self.next), due);
        self.next += 1;
    }

    /// Forgets what is not to end any more.
    pub(super) fn forget(&mut self, is_meant: impl Fn(&Due) -> bool) {
        self.timers.retain(|_, due| !is_meant(due));
    }

    /// When the next thing ends.
    pub(super) fn next(&self) -> Option<Duration> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// The first thing whose time has come.
    pub(super) fn due(&mut self) -> Option<Due> {
        let at = self.next()?;
        (at <= self.now()).then(|| self.timers.pop_first().expect("it was looked at").1)
    }
}
