//! Counts messages between the end of the warm-up and the end of the run.

use std::{cell::Cell, time::Instant};

use crate::sample::{Sample, Window};

/// Counts for a client that has one loop. The warm-up begins with the first message, so that
/// connecting is no part of it.
#[derive(Debug)]
pub(crate) struct Meter {
    window: Window,
    phase: Phase,
    last_number: u64,
}

#[derive(Debug)]
enum Phase {
    New,
    WarmUp { since: Instant },
    Counting { since: Instant, messages: u64, number_before: u64 },
}

impl Meter {
    pub(crate) fn new(window: Window) -> Self {
        Self { window, phase: Phase::New, last_number: 0 }
    }

    /// Adds replies; gives the sample when the time is over.
    pub(crate) fn add(&mut self, messages: u64) -> Option<Sample> {
        self.add_numbered(messages, self.last_number + messages)
    }

    /// Adds messages of which the last had this number; the publisher numbers them one by one, and
    /// what is missing was lost.
    pub(crate) fn add_numbered(&mut self, messages: u64, last_number: u64) -> Option<Sample> {
        self.step(messages, last_number, Instant::now())
    }

    fn step(&mut self, added: u64, last_number: u64, now: Instant) -> Option<Sample> {
        self.last_number = last_number;
        match &mut self.phase {
            Phase::New => self.phase = Phase::WarmUp { since: now },
            Phase::WarmUp { since } => {
                if now - *since >= self.window.warm_up {
                    self.phase = Phase::Counting { since: now, messages: 0, number_before: last_number };
                }
            }
            Phase::Counting { since, messages, number_before } => {
                *messages += added;
                let counted = now - *since;
                if counted >= self.window.counted {
                    let sent = last_number.saturating_sub(*number_before);
                    return Some(Sample {
                        messages: *messages,
                        lost: sent.saturating_sub(*messages),
                        seconds: counted.as_secs_f64(),
                    });
                }
            }
        }
        None
    }
}

/// Watches a counter that tasks on this thread raise, for a client that has many loops.
pub(crate) async fn watch(counter: &Cell<u64>, window: Window) -> Sample {
    while counter.get() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(window.warm_up).await;
    let (since, before) = (Instant::now(), counter.get());
    tokio::time::sleep(window.counted).await;
    Sample { messages: counter.get() - before, lost: 0, seconds: since.elapsed().as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_comes_after_the_warm_up_counts_and_gaps_are_losses() {
        let second = Duration::from_secs(1);
        let mut meter = Meter::new(Window { warm_up: second, counted: 2 * second });
        let start = Instant::now();
        assert_eq!(meter.step(10, 10, start), None);
        assert_eq!(meter.step(10, 20, start + second), None);
        assert_eq!(meter.step(10, 32, start + 2 * second), None);
        assert_eq!(
            meter.step(5, 40, start + 3 * second),
            Some(Sample { messages: 15, lost: 5, seconds: 2.0 })
        );
    }
}
