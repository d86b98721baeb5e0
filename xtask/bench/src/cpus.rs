//! Which cores the processes of a run may use.

use anyhow::{Context as _, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::case::Cores;

/// The two cores that a run uses.
#[derive(Debug)]
pub(crate) struct Cpus {
    own: CpuSet,
    chosen: [usize; 2],
    count: u32,
}

impl Cpus {
    /// The last two cores that this process may use: interrupts mostly go to the first.
    ///
    /// # Errors
    ///
    /// When it may use fewer than two: the figures of this page say nothing then.
    pub(crate) fn of_this_process() -> anyhow::Result<Self> {
        let own = sched_getaffinity(None).context("cannot read which cores this process may use")?;
        let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&cpu| own.is_set(cpu)).collect();
        ensure!(allowed.len() >= 2, "the bench needs two cores, this process may use {}", allowed.len());
        let chosen = [allowed[allowed.len() - 2], allowed[allowed.len() - 1]];
        Ok(Self { own, chosen, count: own.count() })
    }

    /// How many cores this process may use.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Runs `start` with the cores of a case; what it starts inherits them, with every thread to come.
    pub(crate) fn with<T>(
        &self,
        cores: Cores,
        start: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let chosen = match cores {
            Cores::One | Cores::Apart => &self.chosen[1..],
            Cores::Two => &self.chosen[..],
        };
        self.on(chosen, start)
    }

    /// As [`with`](Self::with), for the clients of a case.
    pub(crate) fn with_clients<T>(
        &self,
        cores: Cores,
        start: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        match cores {
            Cores::Apart => self.on(&self.chosen[..1], start),
            Cores::One | Cores::Two => self.with(cores, start),
        }
    }

    fn on<T>(&self, chosen: &[usize], start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let mut set = CpuSet::new();
        chosen.iter().for_each(|&cpu| set.set(cpu));
        sched_setaffinity(None, &set).context("cannot choose cores")?;
        let started = start();
        sched_setaffinity(None, &self.own).context("cannot give back the choice of cores")?;
        started
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_started_has_the_cores_of_its_case() {
        let cpus = Cpus::of_this_process().unwrap();
        let inherited = |cores| {
            cpus.with(cores, || {
                Ok(std::thread::spawn(|| sched_getaffinity(None).unwrap().count()).join().unwrap())
            })
        };
        assert_eq!(inherited(Cores::One).unwrap(), 1);
        assert_eq!(inherited(Cores::Two).unwrap(), 2);
        let own = || Ok(sched_getaffinity(None).unwrap());
        let server = cpus.with(Cores::Apart, own).unwrap();
        let clients = cpus.with_clients(Cores::Apart, own).unwrap();
        assert!(server.count() == 1 && clients.count() == 1 && server != clients);
        assert_eq!(sched_getaffinity(None).unwrap().count(), cpus.count());
    }
}
