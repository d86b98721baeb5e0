//! Finds out a peer that has fallen silent.

use std::time::{Duration, Instant};

use super::Heartbeat;

/// What is due next of the signs of life of one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    settings: Option<Heartbeat>,
    /// When anything came last, if that matters: nobody reads the clock before the peer has promised something.
    heard: Option<Instant>,
    /// When the last PING left.
    pinged: Instant,
    /// Whether nothing came since.
    is_waiting: bool,
    /// How long the peer says that this side is to wait for it.
    promised: Option<Duration>,
}

/// What time has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    /// The peer has fallen silent.
    Silence,
}

impl Pulse {
    pub(super) fn new(settings: Option<Heartbeat>, now: Instant) -> Self {
        Self { settings, heard: None, pinged: now, is_waiting: false, promised: None }
    }

    /// Anything came.
    pub(super) fn hear(&mut self, now: Instant) {
        self.heard = Some(now);
        self.is_waiting = false;
    }

    /// Anything came, at a time that is of no matter.
    pub(super) fn hear_something(&mut self) {
        self.is_waiting = false;
    }

    /// Whether it matters when anything came.
    pub(super) fn is_timed(&self) -> bool {
        self.promised.is_some()
    }

    /// The peer speaks a version without signs of life: it would not answer, and so count as silent.
    pub(super) fn ask_nothing(&mut self) {
        self.settings = None;
    }

    /// The peer says how long to wait for it, from now on; zero says nothing.
    pub(super) fn promise(&mut self, time: Duration) {
        if self.promised.is_none() {
            self.heard = None;
        }
        self.promised = (!time.is_zero()).then_some(time);
    }

    /// When the peer counts as silent. One that was not asked owes nothing but what it has promised.
    fn silence(&self) -> Option<Instant> {
        let promised = self.promised.and_then(|time| self.heard?.checked_add(time));
        let asked = self.settings.filter(|_| self.is_waiting);
        let asked = asked.and_then(|settings| self.pinged.checked_add(settings.patience));
        promised.into_iter().chain(asked).min()
    }

    /// When the next PING leaves. One that waits for its answer keeps the time alone.
    fn ping(&self) -> Option<Instant> {
        self.settings
            .filter(|_| !self.is_waiting)
            .and_then(|settings| self.pinged.checked_add(settings.every))
    }

    /// When time brings something next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        // A promise counts from the time that it was given, which is asked for at once.
        let unknown = (self.promised.is_some() && self.heard.is_none()).then_some(self.pinged);
        self.ping().into_iter().chain(self.silence()).chain(unknown).min()
    }

    /// What time has brought.
    pub(super) fn tick(&mut self, now: Instant) -> Due {
        self.heard.get_or_insert(now);
        let has_come = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if has_come(self.silence()) {
            return Due::Silence;
        }
        if has_come(self.ping()) {
            self.pinged = now;
            self.is_waiting = true;
            return Due::Ping;
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(3);
    const PATIENCE: Duration = Duration::from_secs(2);

    fn pulse(now: Instant) -> Pulse {
        Pulse::new(Some(Heartbeat { every: EVERY, patience: PATIENCE, time_to_live: Duration::ZERO }), now)
    }

    #[test]
    fn a_peer_that_answers_is_asked_again_and_again() {
        let start = Instant::now();
        let mut pulse = pulse(start);
        for round in 1..5 {
            let now = start + EVERY * round;
            assert_eq!(pulse.deadline(), Some(now));
            assert_eq!(pulse.tick(now - Duration::from_millis(1)), Due::Nothing);
            assert_eq!(pulse.tick(now), Due::Ping);
            pulse.hear(now + Duration::from_secs(1));
        }
    }

    #[test]
    fn a_peer_that_does_not_answer_is_silent() {
        let start = Instant::now();
        let mut pulse = pulse(start);
        assert_eq!(pulse.tick(start + EVERY), Due::Ping);
        assert_eq!(pulse.deadline(), Some(start + EVERY + PATIENCE));
        assert_eq!(pulse.tick(start + EVERY), Due::Nothing);
        assert_eq!(pulse.tick(start + EVERY + PATIENCE), Due::Silence);
    }

    #[test]
    fn a_peer_keeps_what_it_promises() {
        let start = Instant::now();
        let mut pulse = Pulse::new(None, start);
        assert_eq!(pulse.deadline(), None);
        // Long after it was heard last.
        let later = start + 100 * PATIENCE;
        pulse.hear_something();
        pulse.promise(PATIENCE);
        assert!(pulse.deadline().is_some_and(|due| due <= later));
        assert_eq!(pulse.tick(later), Due::Nothing);
        assert_eq!(pulse.deadline(), Some(later + PATIENCE));
        pulse.hear(start + EVERY);
        assert_eq!(pulse.deadline(), Some(start + EVERY + PATIENCE));
        assert_eq!(pulse.tick(start + EVERY + PATIENCE), Due::Silence);
        pulse.promise(Duration::ZERO);
        assert_eq!(pulse.deadline(), None);
    }
}
