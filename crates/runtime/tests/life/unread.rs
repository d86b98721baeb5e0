//! A service whose stderr is a pipe that nobody reads and that is full: it works, and hears signals, all the same.

use std::path::Path;
use std::process::{Command, Stdio};

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

use crate::process::{self, Process};
use crate::support::{until, wired};

#[derive(Model)]
struct At {
    folder: String,
}

/// Logs more than any pipe holds.
struct Talkative {
    at: At,
}

#[service]
impl Talkative {
    fn new(at: At) -> Result<Self> {
        Ok(Self { at })
    }

    fn init(&self, cx: &Context) -> Result<()> {
        let much = "much ".repeat(200);
        for _ in 0..3_000 {
            tracing::info!("{much}");
        }
        if self.at.folder.ends_with("goes_on") {
            cx.spawn(|cx| async move {
                cx.stopping().await;
                std::future::pending().await
            });
        }
        Ok(process::note(&self.at.folder, "full")?)
    }

    fn on_sigterm(&self) -> Result<()> {
        Ok(process::note(&self.at.folder, "on_sigterm")?)
    }
}

service_framework::link!(Talkative);

fn be_talkative(folder: &str) -> ! {
    let options = Options {
        config: value!({"folder": folder}).into(),
        console_level: Level::Info,
        log_path: Some(Path::new(folder).join("log")),
        ..wired(value!({"settings": {"drain_s": 3600}}))
    };
    process::run_to_exit(&mut Service::of::<Talkative>(options))
}

fn start(test: &str, folder: &Path) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.stderr(Stdio::piped());
    let process = Process::start_by(command, test, folder);
    noted(folder, "full");
    process
}

fn noted(folder: &Path, text: &str) {
    until(text, || process::notes(folder).iter().any(|note| note == text));
}

#[test]
fn a_service_stops_though_nobody_reads_what_it_says() {
    if let Some(folder) = process::folder() {
        be_talkative(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut process = start("unread::a_service_stops_though_nobody_reads_what_it_says", folder.path());
    // These would print the counters.
    process.signal(libc::SIGUSR1);
    process.signal(libc::SIGUSR1);
    process.signal(libc::SIGTERM);
    assert_eq!(process.wait().code(), Some(0));
    assert_eq!(process::notes(folder.path()), ["full", "on_sigterm"]);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.lines().any(|line| line.ends_with("has stopped")), "what is said last is in the file");
}

#[test]
fn a_second_signal_stops_at_once_though_nobody_reads_that_it_does() {
    if let Some(folder) = process::folder() {
        be_talkative(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("goes_on");
    std::fs::create_dir(&folder).unwrap();
    let test = "unread::a_second_signal_stops_at_once_though_nobody_reads_that_it_does";
    let mut process = start(test, &folder);
    process.signal(libc::SIGTERM);
    noted(&folder, "on_sigterm");
    // The first that does not come at once after it is a second one.
    assert_eq!(process.signal_until_it_ends(libc::SIGTERM).code(), Some(75));
}
