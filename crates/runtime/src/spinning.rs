//! Looks for messages for a while before the service's thread sleeps, for services that are asked again soon: to be woken takes longer than most handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use service_framework_connections::Counters;
use tokio::sync::Notify;

/// Whether a thread of this process spins. A second one would take the core from whom the first waits for.
static SPINS: AtomicBool = AtomicBool::new(false);

/// The right to spin, which one thread of a process has at a time.
struct Turn;

impl Turn {
    fn take() -> Option<Self> {
        SPINS.compare_exchange(false, true, Ordering::Relaxed, Ordering::Relaxed).is_ok().then_some(Self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        SPINS.store(false, Ordering::Relaxed);
    }
}

/// Whether spinning has paid of late: each time that it has not, twice as many occasions are let pass, up to 1,024.
#[derive(Debug, Default)]
struct Worth {
    in_vain: u32,
    to_pass: u32,
}

impl Worth {
    /// There is an occasion; says whether it is taken.
    fn is_worth_it(&mut self) -> bool {
        let is_worth_it = self.to_pass == 0;
        self.to_pass = self.to_pass.saturating_sub(1);
        is_worth_it
    }

    /// It was taken; `has_paid` if a message came before the time was over.
    fn spun(&mut self, has_paid: bool) {
        self.in_vain = if has_paid { 0 } else { (self.in_vain + 1).min(10) };
        self.to_pass = (1 << self.in_vain) - 1;
    }
}

/// Spins for so long after the last message, each time that the thread was woken, for as long as the service lives.
pub(crate) async fn spin(sockets: Vec<Arc<Counters>>, time: Duration, woken: Arc<Notify>) {
    // Who spins on the only core keeps its peer from answering.
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        tracing::info!(target: crate::LOG, "there is one core: `spin_us` is not heeded");
        return;
    }
    let heard = || sockets.iter().map(|socket| socket.messages_in()).sum::<u64>();
    let mut worth = Worth::default();
    loop {
        woken.notified().await;
        if !worth.is_worth_it() {
            continue;
        }
        let Some(_turn) = Turn::take() else { continue };
        let (mut last, mut until, mut has_paid) = (heard(), Instant::now() + time, false);
        while Instant::now() < until {
            // With nothing else to do, the runtime asks the system what has come, and does not sleep.
            tokio::task::yield_now().await;
            let now = heard();
            if now != last {
                (last, until, has_paid) = (now, Instant::now() + time, true);
            }
        }
        worth.spun(has_paid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_pay_is_tried_ever_more_rarely() {
        let mut worth = Worth::default();
        let mut passed = Vec::new();
        for _ in 0..13 {
            let mut count = 0;
            while !worth.is_worth_it() {
                count += 1;
            }
            passed.push(count);
            worth.spun(false);
        }
        assert_eq!(passed, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023, 1023]);
    }

    #[test]
    fn what_pays_is_done_each_time() {
        let mut worth = Worth::default();
        worth.spun(false);
        worth.spun(true);
        assert!(worth.is_worth_it() && worth.is_worth_it());
    }

    fn is_spun() -> bool {
        SPINS.load(Ordering::Relaxed)
    }

    /// All that concerns the one flag of the process.
    #[test]
    fn one_thread_of_a_process_spins_when_it_was_woken_and_until_its_time_is_over() {
        let turn = Turn::take();
        assert!(turn.is_some() && Turn::take().is_none());
        drop(turn);
        if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            for (time, is_long) in [(Duration::ZERO, false), (Duration::from_secs(3_600), true)] {
                let woken = Arc::new(Notify::new());
                let task = tokio::task::spawn_local(spin(Vec::new(), time, Arc::clone(&woken)));
                tokio::task::yield_now().await;
                assert!(!is_spun(), "nothing has woken it");
                woken.notify_one();
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                assert_eq!(is_spun(), is_long);
                task.abort();
                _ = task.await;
                assert!(!is_spun(), "its turn ends with it");
            }
        });
    }
}
