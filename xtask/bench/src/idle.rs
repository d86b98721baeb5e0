//! What a process costs that nobody talks to.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;

/// What an idle process used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Idle {
    /// Percent of one core.
    pub(crate) cpu_percent: f64,
    /// How often any of its threads woke, per second.
    pub(crate) wakes_per_second: f64,
    /// MB of 1,000,000 bytes resident at the end.
    pub(crate) resident_mb: f64,
}

impl Idle {
    /// Watches a process for a while.
    pub(crate) fn watch(process_id: u32, time: Duration) -> anyhow::Result<Self> {
        let folder = PathBuf::from(format!("/proc/{process_id}"));
        let before = Reading::of(&folder)?;
        let since = Instant::now();
        std::thread::sleep(time);
        let after = Reading::of(&folder)?;
        let seconds = since.elapsed().as_secs_f64();
        Ok(Self {
            cpu_percent: (after.run_ns.saturating_sub(before.run_ns)) as f64 / 1e9 / seconds * 100.0,
            wakes_per_second: after.switches.saturating_sub(before.switches) as f64 / seconds,
            resident_mb: resident_mb(process_id)?,
        })
    }
}

#[derive(Debug)]
struct Reading {
    run_ns: u64,
    switches: u64,
}

/// MB of 1,000,000 bytes that a process has resident.
pub(crate) fn resident_mb(process_id: u32) -> anyhow::Result<f64> {
    let status = PathBuf::from(format!("/proc/{process_id}/status"));
    Ok(read(&status, |text| field(text, "VmRSS:"))? as f64 * 1024.0 / 1e6)
}

impl Reading {
    /// Sums over the threads: the clock of the scheduler counts nanoseconds, where `stat` rounds to ticks.
    /// A thread that ends meanwhile takes its time with it; those of an idle process do not end.
    fn of(folder: &Path) -> anyhow::Result<Self> {
        let (mut run_ns, mut switches) = (0, 0);
        let tasks = folder.join("task");
        for task in fs::read_dir(&tasks).with_context(|| format!("cannot read {}", tasks.display()))? {
            let task = task.with_context(|| format!("cannot read {}", tasks.display()))?.path();
            let readings =
                read(&task.join("schedstat"), |text| text.split_whitespace().next()).and_then(|ran| {
                    Ok((ran, read(&task.join("status"), |text| field(text, "voluntary_ctxt_switches:"))?))
                });
            match readings {
                Ok((ran, switched)) => {
                    run_ns += ran;
                    switches += switched;
                }
                Err(_) if !task.exists() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { run_ns, switches })
    }
}

fn read(path: &Path, find: impl Fn(&str) -> Option<&str>) -> anyhow::Result<u64> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    find(&text)
        .and_then(|number| number.parse().ok())
        .with_context(|| format!("{} is not as expected", path.display()))
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory() {
        let idle = Idle::watch(std::process::id(), Duration::from_millis(1)).unwrap();
        assert!(idle.resident_mb > 0.1, "{idle:?}");
        assert!(idle.cpu_percent >= 0.0, "{idle:?}");
    }
}
