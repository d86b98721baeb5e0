//! One service of the demo, in a process of its own.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::last_lines;

/// How long a service may take to open its sockets.
const START_MAX: Duration = Duration::from_secs(60);

/// How long a service may take to stop; it drains for up to 10 s.
const STOP_MAX: Duration = Duration::from_secs(20);

/// A service that runs, or has run. Dropping it ends it at once.
#[derive(Debug)]
pub(crate) struct Child {
    service: &'static str,
    process: process::Child,
    log: PathBuf,
    ready: PathBuf,
    ended: Option<ExitStatus>,
}

/// What a service says when its sockets are open.
#[derive(Debug)]
pub(crate) struct Ready {
    /// Its process.
    pub(crate) pid: u64,
    /// Its connections, each with its URL.
    pub(crate) endpoints: BTreeMap<String, String>,
}

impl Child {
    /// Starts a service with its log in `folder`, behind that of an earlier one, and its output there too unless it is shown.
    pub(crate) fn start(
        service: &'static str,
        mut command: Command,
        folder: &Path,
        is_shown: bool,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{service}.log"));
        let ready = folder.join(format!("{service}.ready.json"));
        let file = OpenOptions::new().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("cannot write {}", log.display()))?;
        match fs::remove_file(&ready) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
        .with_context(|| format!("cannot remove {}", ready.display()))?;
        if !is_shown {
            command.stdout(file.try_clone()?);
        }
        command.arg("--ready").arg(&ready).stdin(Stdio::null()).stderr(file);
        let process = command.spawn().with_context(|| format!("cannot start {service}"))?;
        Ok(Self { service, process, log, ready, ended: None })
    }

    /// Waits until its sockets are open; `None` if somebody wants an end meanwhile.
    pub(crate) fn ready(&mut self, stop: &AtomicBool) -> anyhow::Result<Option<Ready>> {
        let begun = Instant::now();
        while !self.ready.exists() {
            self.check()?;
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if begun.elapsed() > START_MAX {
                bail!(
                    "{} is not ready after {START_MAX:?}; its log ends{}",
                    self.service,
                    last_lines(&self.log, 10)
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let line: serde_json::Value = serde_json::from_slice(&fs::read(&self.ready)?)?;
        let endpoints = line["endpoints"].as_object().into_iter().flatten();
        let endpoints = endpoints.filter_map(|(name, url)| Some((name.clone(), url.as_str()?.to_owned())));
        Ok(Some(Ready { pid: line["pid"].as_u64().unwrap_or_default(), endpoints: endpoints.collect() }))
    }

    /// Fails if it has ended, which none of them does by itself.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.status()? else { return Ok(()) };
        bail!("{} ended by itself with {status}; its log ends{}", self.service, last_lines(&self.log, 10));
    }

    /// Ends it at once, without a word to it.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.check()?;
        self.process.kill().with_context(|| format!("cannot kill {}", self.service))?;
        self.ended = Some(self.process.wait()?);
        Ok(())
    }

    /// Asks it to stop, and makes it if it does not.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        match self.status()? {
            None => self.signal(Signal::TERM),
            Some(status) if status.success() => return Ok(()),
            Some(_) => return self.check(),
        }
        let begun = Instant::now();
        while begun.elapsed() < STOP_MAX {
            match self.status()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    bail!("{} stopped with {status}; its log ends{}", self.service, last_lines(&self.log, 10))
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        self.process.kill()?;
        self.ended = Some(self.process.wait()?);
        bail!("{} did not stop within {STOP_MAX:?} and was ended", self.service)
    }

    /// Whether it has ended as it should.
    pub(crate) fn ended_well(&self) -> bool {
        self.ended.is_some_and(|status| status.success())
    }

    fn status(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.process.try_wait().with_context(|| format!("cannot watch {}", self.service))?;
        }
        Ok(self.ended)
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        // One that has just ended takes no signal, and needs none.
        _ = pid.map(|pid| kill_process(pid, signal));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.ended.is_none() {
            _ = self.process.kill();
            _ = self.process.wait();
        }
    }
}
