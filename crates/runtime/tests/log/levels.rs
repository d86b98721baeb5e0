//! Which records are written.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use service_framework_runtime::log::{Level, Log, LogOptions};

use super::{messages, options};

fn at(path: &Path, file: Level) -> Log {
    Log::open(&LogOptions { file, ..options(path) }).expect("the log opens")
}

fn one_of_each(log: &Log) {
    tracing::dispatcher::with_default(log.dispatch(), || {
        tracing::trace!("trace");
        tracing::debug!("debug");
        tracing::info!("info");
        tracing::warn!("warn");
        tracing::error!("error");
    });
}

#[test]
fn a_level_includes_those_above_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = ["trace", "debug", "info", "warn", "error"];
    let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];
    for (first, level) in levels.into_iter().enumerate() {
        let path = folder.path().join(format!("{level}.log"));
        let log = at(&path, level);
        assert!(log.enabled(level) && !log.enabled(Level::Off));
        one_of_each(&log);
        for (level, message) in levels.iter().zip(all) {
            log.record(*level, "board", message, None);
        }
        log.record(Level::Off, "board", "off", None);
        drop(log);
        assert_eq!(messages(&path), [&all[first..], &all[first..]].concat());
    }
}

#[test]
fn a_log_without_a_level_writes_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = at(&path, Level::Off);
    assert!(!log.enabled(Level::Error));
    one_of_each(&log);
    drop(log);
    assert!(!path.exists());
}

#[test]
fn two_services_in_one_process_keep_their_levels() {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    const ROUNDS: u64 = 200;

    // One place in the code for both, since that is what tracing remembers.
    fn work(round: u64) {
        tracing::debug!(asked = ASKED.fetch_add(1, Ordering::Relaxed), "round {round}");
        tracing::error!("failed");
    }

    let folder = tempfile::tempdir().expect("a folder");
    let (quiet, loud) = (folder.path().join("quiet.log"), folder.path().join("loud.log"));
    let quiet_log = at(&quiet, Level::Error);
    // The place is known before the second service is there, and hears of it.
    tracing::dispatcher::with_default(quiet_log.dispatch(), || work(0));
    let loud_log = at(&loud, Level::Debug);
    let together = Barrier::new(2);
    thread::scope(|scope| {
        for log in [&quiet_log, &loud_log] {
            let together = &together;
            scope.spawn(move || {
                let _records = tracing::dispatcher::set_default(log.dispatch());
                together.wait();
                (0..ROUNDS).for_each(work);
            });
        }
    });
    drop((quiet_log, loud_log));
    assert_eq!(messages(&quiet).len() as u64, 1 + ROUNDS);
    assert!(messages(&quiet).iter().all(|message| message == "failed"));
    assert_eq!(messages(&loud).len() as u64, 2 * ROUNDS);
    assert_eq!(ASKED.load(Ordering::Relaxed), ROUNDS, "a record that is not written is not built");
    // A thread of no service has no log.
    work(0);
    assert_eq!(ASKED.load(Ordering::Relaxed), ROUNDS);
}
