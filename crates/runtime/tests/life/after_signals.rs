//! What signals do to a program when no service of it runs in the foreground any more: what they did before.

use std::cell::RefCell;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::process::{self, Process};
use crate::support::{until, wired};

#[derive(Model)]
struct At {
    folder: String,
}

/// Stops itself when it runs for the first time.
struct Twice {
    at: At,
}

#[service]
impl Twice {
    fn new(at: At) -> Result<Self> {
        Ok(Self { at })
    }

    fn init(&self, cx: &Context) -> Result<()> {
        if process::notes(Path::new(&self.at.folder)).is_empty() {
            cx.stop();
            return Ok(process::note(&self.at.folder, "first")?);
        }
        Ok(process::note(&self.at.folder, "second")?)
    }
}

service_framework::link!(Twice);

/// Runs the service twice, the second time until a signal comes, and then does something else for ever.
fn run_twice_and_go_on(folder: &str) -> ! {
    let config = value!({"folder": folder});
    let mut service = Service::of::<Twice>(Options { config: config.into(), ..wired(value!({})) });
    service.run().unwrap();
    service.run().unwrap();
    process::note(folder, "after").unwrap();
    loop {
        std::thread::park();
    }
}

/// Starts such a process, and stops its service by a signal.
fn start(command: Command, test: &str, folder: &Path) -> Process {
    let process = Process::start_by(command, test, folder);
    let noted = |text: &str| until(text, || process::notes(folder).iter().any(|note| note == text));
    noted("second");
    process.signal(libc::SIGTERM);
    noted("after");
    process
}

fn this_binary() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

#[test]
fn a_signal_ends_a_program_whose_services_have_ended() {
    if let Some(folder) = process::folder() {
        process::reset(libc::SIGINT);
        run_twice_and_go_on(&folder);
    }
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let folder = tempfile::tempdir().unwrap();
        let test = "after_signals::a_signal_ends_a_program_whose_services_have_ended";
        let mut process = start(this_binary(), test, folder.path());
        process.signal(signal);
        assert_eq!(process.wait().signal(), Some(signal));
    }
}

#[test]
fn a_program_that_handles_a_signal_itself_goes_on_doing_so() {
    if let Some(folder) = process::folder() {
        let mut signals = signal_hook::iterator::Signals::new([libc::SIGINT]).unwrap();
        std::thread::spawn(move || {
            assert_eq!(signals.forever().next(), Some(libc::SIGINT));
            std::process::exit(7);
        });
        run_twice_and_go_on(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let test = "after_signals::a_program_that_handles_a_signal_itself_goes_on_doing_so";
    let mut process = start(this_binary(), test, folder.path());
    process.signal(libc::SIGINT);
    assert_eq!(process.wait().code(), Some(7));
}

/// Stops itself, and leaves its thread a signal to send when nothing else is left of the service.
struct Late;

struct Signal;

impl Drop for Signal {
    fn drop(&mut self) {
        signal_hook::low_level::raise(libc::SIGTERM).expect("a process may signal itself");
    }
}

#[service]
impl Late {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    fn init(&self, cx: &Context) -> Result<()> {
        thread_local! {
            static LEFT: RefCell<Option<Signal>> = const { RefCell::new(None) };
        }
        LEFT.set(Some(Signal));
        cx.stop();
        Ok(())
    }
}

service_framework::link!(Late);

/// Runs a service that has ended when the signal comes, and ends with exit code 7.
fn run_late() -> ! {
    Service::of::<Late>(wired(value!({}))).run().unwrap();
    std::process::exit(7);
}

#[test]
fn a_signal_at_the_very_end_of_a_service_ends_the_program() {
    if process::folder().is_some() {
        run_late();
    }
    let folder = tempfile::tempdir().unwrap();
    let test = "after_signals::a_signal_at_the_very_end_of_a_service_ends_the_program";
    assert_eq!(Process::start(test, folder.path()).wait().signal(), Some(libc::SIGTERM));
}

#[test]
fn a_signal_at_the_very_end_of_a_service_is_the_programs_to_handle() {
    if process::folder().is_some() {
        let _handled = signal_hook::iterator::Signals::new([libc::SIGTERM]).unwrap();
        run_late();
    }
    let folder = tempfile::tempdir().unwrap();
    let test = "after_signals::a_signal_at_the_very_end_of_a_service_is_the_programs_to_handle";
    assert_eq!(Process::start(test, folder.path()).wait().code(), Some(7));
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_was_ignored_is_ignored_again() {
    if let Some(folder) = process::folder() {
        run_twice_and_go_on(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let test = "after_signals::a_signal_that_was_ignored_is_ignored_again";
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" INT; exec "$0" "$@""#]).arg(std::env::current_exe().unwrap());
    let mut process = start(command, test, folder.path());
    process.signal(libc::SIGINT);
    process.signal(libc::SIGTERM);
    assert_eq!(process.wait().signal(), Some(libc::SIGTERM), "SIGINT would have ended it first");
}
