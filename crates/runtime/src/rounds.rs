//! Spreads messages over rounds with a least time between them, for `--service_loop_min_wait_time_s`.

use std::cell::RefCell;
use std::time::{Duration, Instant};

/// Rounds of one service: in each, every incoming connection may take one message.
#[derive(Debug)]
pub(crate) struct Rounds {
    least: Duration,
    state: RefCell<Option<Round>>,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    number: u64,
    began: Instant,
}

impl Rounds {
    pub(crate) fn new(least: Duration) -> Self {
        Self { least, state: RefCell::new(None) }
    }

    /// Whether there is a time to be kept between rounds.
    pub(crate) fn are_spread(&self) -> bool {
        !self.least.is_zero()
    }

    /// Whether a connection that took its last message in round `last` may take another at `now`: then the round is kept in `last`. Otherwise, when to ask again.
    pub(crate) fn take(&self, last: &mut u64, now: Instant) -> Result<(), Instant> {
        if self.least.is_zero() {
            return Ok(());
        }
        let mut state = self.state.borrow_mut();
        let round = match *state {
            Some(round) if now < round.began + self.least => round,
            before => Round { number: before.map_or(1, |round| round.number + 1), began: now },
        };
        *state = Some(round);
        if round.number > *last {
            *last = round.number;
            Ok(())
        } else {
            Err(round.began + self.least)
        }
    }

    /// Waits until [`take`](Self::take) lets a message through.
    pub(crate) async fn wait(&self, last: &mut u64) {
        while let Err(until) = self.take(last, Instant::now()) {
            tokio::time::sleep_until(until.into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_takes_one_message_a_round_and_rounds_keep_their_distance() {
        let rounds = Rounds::new(Duration::from_secs(2));
        let start = Instant::now();
        let after = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let (mut one, mut other) = (0, 0);
        assert_eq!(rounds.take(&mut one, after(0.0)), Ok(()));
        assert_eq!(rounds.take(&mut other, after(0.5)), Ok(()), "the round is open to every connection once");
        assert_eq!(rounds.take(&mut one, after(1.0)), Err(after(2.0)));
        assert_eq!(rounds.take(&mut one, after(2.0)), Ok(()));
        assert_eq!(rounds.take(&mut one, after(3.9)), Err(after(4.0)));
        assert_eq!(rounds.take(&mut other, after(9.0)), Ok(()), "an idle time is no credit");
        assert_eq!(rounds.take(&mut one, after(9.0)), Ok(()));
        assert_eq!(rounds.take(&mut other, after(10.0)), Err(after(11.0)));
    }

    #[test]
    fn without_a_least_time_nothing_waits() {
        let rounds = Rounds::new(Duration::ZERO);
        let mut last = 0;
        assert!((0..9).all(|_| rounds.take(&mut last, Instant::now()).is_ok()));
    }
}
