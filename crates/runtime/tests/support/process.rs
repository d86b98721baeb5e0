//! A test as a process of its own: it runs a service there, and is sent signals.
#![allow(dead_code, reason = "no test binary uses all of it")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use service_framework_runtime::Service;

use crate::support::until;

/// Where the process that is the service finds its folder.
const FOLDER: &str = "SERVICE_FRAMEWORK_TEST_FOLDER";

/// The folder of this process, if it was started to be a service.
pub(crate) fn folder() -> Option<String> {
    std::env::var(FOLDER).ok()
}

/// Runs a service in the foreground, and ends as the command does.
pub(crate) fn run_to_exit(service: &mut Service) -> ! {
    let ended = service.run().expect("it starts");
    std::process::exit(if ended.not_drained.is_empty() { 0 } else { 75 })
}

/// Gives a signal its default effect in this process. A shell takes that of SIGINT from what it runs in the background, tests included.
#[expect(unsafe_code, reason = "the effect of a signal is set by the system's own call")]
pub(crate) fn reset(signal: i32) {
    // SAFETY: the default takes no function of this process.
    assert_ne!(unsafe { libc::signal(signal, libc::SIG_DFL) }, libc::SIG_ERR);
}

/// Notes what happens, for whoever reads the folder.
pub(crate) fn note(folder: &str, text: &str) -> std::io::Result<()> {
    let path = Path::new(folder).join("notes");
    writeln!(std::fs::OpenOptions::new().create(true).append(true).open(path)?, "{text}")
}

pub(crate) fn notes(folder: &Path) -> Vec<String> {
    let notes = std::fs::read_to_string(folder.join("notes")).unwrap_or_default();
    notes.lines().map(str::to_owned).collect()
}

/// A process that runs one test, which finds its [`folder`].
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(test: &str, folder: &Path) -> Self {
        Self::start_by(Command::new(std::env::current_exe().unwrap()), test, folder)
    }

    /// The same by a command that runs its arguments, or the test binary itself.
    pub(crate) fn start_by(mut command: Command, test: &str, folder: &Path) -> Self {
        Self(
            command
                .args(["--exact", test, "--include-ignored", "--nocapture"])
                .env(FOLDER, folder)
                .spawn()
                .unwrap(),
        )
    }

    #[expect(unsafe_code, reason = "a signal is sent by the system's own call")]
    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: it takes two numbers and touches no memory; the child is not reaped before `wait`.
        assert_eq!(unsafe { libc::kill(self.0.id().cast_signed(), signal) }, 0);
    }

    /// Stops it, and waits until the last of its threads has come to rest.
    #[expect(unsafe_code, reason = "that a child has stopped is told by the system's own call")]
    pub(crate) fn stop(&self) {
        self.signal(libc::SIGSTOP);
        let mut status = 0;
        // SAFETY: the status is written to a number of ours.
        let stopped = unsafe { libc::waitpid(self.0.id().cast_signed(), &raw mut status, libc::WUNTRACED) };
        assert!(stopped == self.0.id().cast_signed() && libc::WIFSTOPPED(status));
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.wait_while(|_| ())
    }

    pub(crate) fn signal_until_it_ends(&mut self, signal: i32) -> ExitStatus {
        self.wait_while(|process| process.signal(signal))
    }

    fn wait_while(&mut self, goad: impl Fn(&Self)) -> ExitStatus {
        let mut ended = None;
        until("the process has ended", || {
            goad(self);
            ended = self.0.try_wait().unwrap();
            ended.is_some()
        });
        ended.expect("it was waited for")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended is no more to be killed.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
