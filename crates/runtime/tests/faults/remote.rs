//! A service in a process of its own, so that what it holds is known apart from what its peers hold.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use service_framework_core::Value;
use service_framework_core::address::Address;
use service_framework_core::plugin::host::Linked;
use service_framework_runtime::{Options, Service};

use crate::process::{self, Process};
use crate::support::{until, wired};

/// Is that service, if this process was started to be it.
pub(crate) fn be<S: Linked>(book: impl FnOnce(&Path) -> Value) {
    let Some(folder) = process::folder() else { return };
    let folder = Path::new(&folder);
    let options = Options { ready: Some(folder.join("ready")), ..wired(book(folder)) };
    process::run_to_exit(&mut Service::of::<S>(options));
}

/// A process that is a service. Dropping it kills it.
pub(crate) struct Remote {
    process: Process,
    folder: tempfile::TempDir,
}

impl Remote {
    /// Runs the test of this name, which begins with [`be`], in a process of its own; returns when its service is up.
    pub(crate) fn start(test: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.stdout(Stdio::null()).stderr(File::create(folder.path().join("said")).unwrap());
        let process = Process::start_by(command, test, folder.path());
        let remote = Self { process, folder };
        until("the service is up", || remote.folder.path().join("ready").exists());
        remote
    }

    /// The folder that its book was made for.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn address(&self, connection: &str) -> Address {
        let ready = std::fs::read_to_string(self.folder.path().join("ready")).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
        ready["endpoints"][connection].as_str().unwrap().parse().unwrap()
    }

    /// The counters of a connection, as the service tells them when it is asked by a signal.
    pub(crate) fn counters(&self, connection: &str) -> serde_json::Value {
        let told = || -> Vec<String> {
            let said = std::fs::read_to_string(self.folder.path().join("said")).unwrap();
            let whole = said.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            whole.filter(|line| line.starts_with("{\"counters\"")).map(str::to_owned).collect()
        };
        let before = told().len();
        self.process.signal(libc::SIGUSR1);
        until("the counters are told", || told().len() > before);
        let last: serde_json::Value = serde_json::from_str(told().last().expect("it was told")).unwrap();
        last["counters"][connection].clone()
    }
}
