//! What many services cost that live in one process.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::{idle, many::Many, peers};

/// What a crowd of services used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Crowd {
    /// How many have answered.
    pub(crate) services: u32,
    /// Seconds from the first start until the last one was open.
    pub(crate) start_s: f64,
    /// Seconds from the first stop until the last one had ended.
    pub(crate) stop_s: f64,
    /// MB of 1,000,000 bytes that each has made resident, when all had answered.
    pub(crate) resident_mb_each: f64,
    /// Threads of the process then.
    pub(crate) threads: usize,
    /// Descriptors of the process then.
    pub(crate) descriptors: usize,
}

impl Crowd {
    /// Reads the line that [`run`] printed; `None` for any other line.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

/// How long a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts the services one after the other, asks each once, stops them, and prints what that took.
pub(crate) fn run(many: &Many) -> anyhow::Result<()> {
    let before = idle::resident_mb(std::process::id())?;
    let since = Instant::now();
    let mut services = many.start()?;
    let start_s = since.elapsed().as_secs_f64();
    for service in &services {
        let endpoints = service.endpoints();
        let endpoint = endpoints.get("echo").context("a service has no replyer `echo`")?;
        peers::Asker::new(&endpoint.url(), PATIENCE)?.ask()?;
    }
    let resident_mb_each = (idle::resident_mb(std::process::id())? - before) / f64::from(many.services);
    let (threads, descriptors) = (entries("/proc/self/task")?, entries("/proc/self/fd")?);
    let since = Instant::now();
    for service in &mut services {
        let ended = service.stop().context("a service does not stop")?;
        ensure!(ended.not_drained.is_empty(), "a service has left something undone");
    }
    let stop_s = since.elapsed().as_secs_f64();
    let crowd = Crowd { services: many.services, start_s, stop_s, resident_mb_each, threads, descriptors };
    peers::print_line(&serde_json::to_string(&crowd)?)
}

fn entries(folder: impl AsRef<Path>) -> anyhow::Result<usize> {
    let folder = folder.as_ref();
    Ok(fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?.count())
}
