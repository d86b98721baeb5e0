//! The log of a service, as its operator sees it: lines, levels, files, and what goes wrong with them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use service_framework_runtime::log::{Clock, Level, Log, LogOptions};

mod console;
mod faults;
mod files;
mod levels;
mod lines;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// 2026-07-24 10:00:00 UTC, in seconds since 1970.
const TEN: u64 = 1_784_887_200;
const HOUR: u64 = 3600;

/// A log at `path` and nowhere else.
fn options(path: &Path) -> LogOptions {
    LogOptions {
        service: "board".to_owned(),
        console: Level::Off,
        path: Some(path.to_owned()),
        ..LogOptions::default()
    }
}

fn open(path: &Path) -> Log {
    Log::open(&options(path)).expect("the log opens")
}

/// A time of day that a test sets, in seconds since 1970.
#[derive(Clone)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.0);
        Clock::new(move || UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::Relaxed)))
    }
}

/// Records `message`, and waits until it is written or lost.
#[track_caller]
fn say(log: &Log, message: &str) {
    log.record(Level::Info, "board", message, None);
    assert!(log.flush(PATIENCE), "`{message}` is still waiting");
}

/// The messages in a file, without their columns.
#[track_caller]
fn messages(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let message = |line: &str| line.splitn(5, " - ").last().unwrap_or_default().to_owned();
    text.lines().map(message).collect()
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}
