//! A service whose process has no file descriptor left serves those it has, says so, and takes peers again when there are some.

use std::fs::File;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use service_framework::prelude::*;
use service_framework_core::address::Address;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

use crate::process::{self, Process};
use crate::support::{Client, run, until, wired};

#[derive(Model)]
struct Number {
    number: u64,
}

struct Echo;

#[service]
impl Echo {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn echo(&self, args: Number) -> Result<Number> {
        Ok(args)
    }
}

service_framework::link!(Echo);

/// More than the service has; its threads and its runtime need a dozen.
const DESCRIPTORS: usize = 64;

/// The same test binary, with so few descriptors.
fn limited(stderr: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {DESCRIPTORS} && exec \"$0\" \"$@\"")]);
    command.arg(std::env::current_exe().unwrap()).stderr(File::create(stderr).unwrap());
    command
}

/// How often connections were not accepted, as the service says when it is asked.
fn not_accepted(process: &Process, stderr: &Path) -> u64 {
    process.signal(libc::SIGUSR1);
    let said = std::fs::read_to_string(stderr).unwrap();
    let Some(line) = said.lines().rfind(|line| line.starts_with('{')) else { return 0 };
    let counters: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    counters["counters"]["echo"]["refused"]["not_accepted"].as_u64().unwrap_or(0)
}

#[test]
fn without_descriptors_a_service_serves_those_it_has_and_recovers() {
    if let Some(folder) = process::folder() {
        let options = Options {
            console_level: Level::Warn,
            ready: Some(Path::new(&folder).join("ready")),
            ..wired(value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}}))
        };
        process::run_to_exit(&mut Service::of::<Echo>(options));
    }
    let folder = tempfile::tempdir().unwrap();
    let (ready, stderr) = (folder.path().join("ready"), folder.path().join("stderr"));
    let test = "descriptors::without_descriptors_a_service_serves_those_it_has_and_recovers";
    let mut process = Process::start_by(limited(&stderr), test, folder.path());
    until("the service is ready", || ready.exists());
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(ready).unwrap()).unwrap();
    let at: Address = ready["endpoints"]["echo"].as_str().unwrap().parse().unwrap();
    run(async {
        let first = Client::to(&at);
        assert_eq!(first.ask(value!({"number": 1})).await.ok(), value!({"number": 1}));
        let host_and_port = at.to_string();
        let strangers: Vec<_> =
            (0..2 * DESCRIPTORS).map(|_| TcpStream::connect(&host_and_port).unwrap()).collect();
        // Twice, so that a second failure would be said aloud if each was.
        until("connections are not accepted", || not_accepted(&process, &stderr) >= 2);
        assert_eq!(first.ask(value!({"number": 2})).await.ok(), value!({"number": 2}));
        drop(strangers);
        let second = Client::to(&at);
        assert_eq!(second.ask(value!({"number": 3})).await.ok(), value!({"number": 3}));
        assert_eq!(first.ask(value!({"number": 4})).await.ok(), value!({"number": 4}));
    });
    process.signal(libc::SIGTERM);
    assert_eq!(process.wait().code(), Some(0));
    let said = std::fs::read_to_string(stderr).unwrap();
    let warnings: Vec<_> = said.lines().filter(|line| line.contains("cannot take more peers")).collect();
    assert_eq!(warnings.len(), 1, "{said}");
    assert!(warnings[0].contains("connection=echo") || warnings[0].contains("connection=\"echo\""), "{said}");
}
