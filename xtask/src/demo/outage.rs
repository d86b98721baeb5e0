//! The outage of the demo: when the owner of what is shown is killed, and when it is started again.

use std::time::Duration;

/// How long the demo runs before, if it is not too short for that.
const BEFORE_MAX: Duration = Duration::from_secs(10);

/// How long the owner is away, likewise.
const AWAY_MAX: Duration = Duration::from_secs(3);

/// What is to be done with the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Kill,
    Restart,
}

/// The steps that are to come, the last first, each with the time of the demo at which it is due.
#[derive(Debug)]
pub(crate) struct Outage(Vec<(Duration, Step)>);

impl Outage {
    /// One that is over well before a demo ends that ends by itself: a third of it is shown before, and a third after.
    pub(crate) fn within(limit: Option<Duration>) -> Self {
        let third = limit.map_or(BEFORE_MAX, |limit| limit / 3);
        let killed = third.min(BEFORE_MAX);
        Self(vec![(killed + third.min(AWAY_MAX), Step::Restart), (killed, Step::Kill)])
    }

    /// What is to be done by now; each step is told once.
    pub(crate) fn due(&mut self, elapsed: Duration) -> Option<Step> {
        self.0.pop_if(|(at, _)| *at <= elapsed).map(|(_, step)| step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of both steps, in seconds.
    fn steps(limit_s: Option<u64>) -> (u64, u64) {
        let mut outage = Outage::within(limit_s.map(Duration::from_secs));
        let mut next = |due| (0..100).find(|second| outage.due(Duration::from_secs(*second)) == Some(due));
        (next(Step::Kill).unwrap(), next(Step::Restart).unwrap())
    }

    #[test]
    fn there_is_time_before_and_after_it() {
        assert_eq!(steps(None), (10, 13));
        assert_eq!(steps(Some(600)), (10, 13));
        assert_eq!(steps(Some(12)), (4, 7));
        assert_eq!(steps(Some(6)), (2, 4));
    }

    #[test]
    fn each_step_is_told_once() {
        let mut outage = Outage::within(None);
        let late = Duration::from_secs(60);
        assert_eq!([(); 3].map(|()| outage.due(late)), [Some(Step::Kill), Some(Step::Restart), None]);
    }
}
