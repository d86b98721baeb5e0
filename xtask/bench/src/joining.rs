//! Many copies of one state that are asked for at once, and what their owner does meanwhile.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use service_framework_runtime::{Service, Status};

use crate::{
    many::Many,
    peers::{self, Asker},
    sample::Sample,
};

/// Readers that have their copies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Joined {
    /// Seconds until the last copy was live.
    pub(crate) live_s: f64,
    /// What 99 in 100 answers of their owner took at most, in milliseconds, before and meanwhile; none if nobody asked.
    pub(crate) p99_ms: Option<[f64; 2]>,
}

impl fmt::Display for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "live in {:.3} s", self.live_s)?;
        match self.p99_ms {
            Some([before, meanwhile]) => write!(f, ", p99 {before:.2} ms, meanwhile {meanwhile:.2} ms"),
            None => Ok(()),
        }
    }
}

/// How long all copies may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts services that have a copy each, prints how long it took until all were live, and stays.
pub(crate) fn run(many: &Many) -> anyhow::Result<()> {
    let since = Instant::now();
    let services = many.start()?;
    let is_live = |service: &Service| {
        let status = service.counters().states.get("book").and_then(|state| state.status);
        status.is_some_and(|(status, _)| status == Status::Live)
    };
    for service in &services {
        while !is_live(service) {
            ensure!(since.elapsed() < PATIENCE, "not all copies were live in time");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let seconds = since.elapsed().as_secs_f64();
    peers::print_line(&Sample { messages: u64::from(many.services), lost: 0, seconds }.line()?)?;
    loop {
        std::thread::park();
    }
}

/// Asks an owner about every millisecond, from a thread of its own.
#[derive(Debug)]
pub(crate) struct Prober {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Vec<Answer>>>,
}

/// When it came, and what it took.
type Answer = (Instant, Duration);

impl Prober {
    /// Begins to ask.
    pub(crate) fn start(endpoint: &str) -> anyhow::Result<Self> {
        let asker = Asker::new(endpoint, PATIENCE)?;
        let ends = Arc::new(AtomicBool::new(false));
        let does_end = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            let mut answers = Vec::new();
            while !does_end.load(Ordering::Relaxed) {
                let since = Instant::now();
                asker.ask()?;
                answers.push((Instant::now(), since.elapsed()));
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(answers)
        });
        Ok(Self { ends, thread })
    }

    /// Stops; gives what 99 in 100 answers took at most, in milliseconds: before the last so long, and in it.
    pub(crate) fn end(self, meanwhile: Duration) -> anyhow::Result<[f64; 2]> {
        let began = Instant::now().checked_sub(meanwhile).context("the clock is younger than the run")?;
        self.ends.store(true, Ordering::Relaxed);
        let answers =
            self.thread.join().map_err(|_| anyhow::anyhow!("who asks the owner has panicked"))??;
        let (before, meanwhile): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(at, _)| *at < began);
        Ok([p99_ms(before)?, p99_ms(meanwhile)?])
    }
}

fn p99_ms(answers: Vec<Answer>) -> anyhow::Result<f64> {
    let mut took: Vec<Duration> = answers.into_iter().map(|(_, took)| took).collect();
    took.sort_unstable();
    let last = took.len().checked_sub(1).context("the owner was not asked at all")?;
    Ok(took[last * 99 / 100].as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_left_out() {
        let now = Instant::now();
        let answers = |slow: u64| {
            (0..200).map(|each| (now, Duration::from_millis(if each < slow { 9 } else { 1 }))).collect()
        };
        assert_eq!(p99_ms(answers(1)).unwrap(), 1.0);
        assert_eq!(p99_ms(answers(3)).unwrap(), 9.0);
        assert!(p99_ms(Vec::new()).is_err());
    }
}
