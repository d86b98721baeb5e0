//! Starts the Python originals, and talks with them by lines.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::support::{HeldPort, PATIENCE};

/// Which of the originals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// 0.0.18, the last one with states.
    V18,
    /// 0.0.20, whose subscriber cannot start as it was published.
    V20,
}

pub(crate) const BOTH: [Version; 2] = [Version::V18, Version::V20];

impl Version {
    /// The folder with its environment, which must be there.
    fn environment(self) -> PathBuf {
        let folder = match self {
            Self::V18 => "py18",
            Self::V20 => "py20",
        };
        let all = std::env::var_os("SERVICE_FRAMEWORK_PYTHON").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/interop"),
            PathBuf::from,
        );
        let environment = all.join(folder);
        assert!(
            environment.join("bin/service_framework").exists(),
            "there is no Python original in {}: `cargo xtask test` puts one there, or set \
             SERVICE_FRAMEWORK_PYTHON to a folder with two virtual environments, py18 with \
             service_framework==0.0.18 and py20 with service_framework==0.0.20, each with pyzmq, msgpack and numpy",
            environment.display(),
        );
        environment
    }

    fn book(self, places: &[Place]) -> Json {
        let mut book = json!({"connections": {"in": {}, "out": {}}, "states": {"in": {}, "out": {}}});
        for place in places {
            let address = format!("127.0.0.1:{}", place.port);
            // The sockets of a state are places of one name.
            book[place.group][place.side][place.connection][place.socket] = address.into();
        }
        match self {
            Self::V18 => book,
            Self::V20 => book["connections"].take(),
        }
    }
}

/// Where a connection of a Python service lives, or a socket of a state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    group: &'static str,
    side: &'static str,
    connection: &'static str,
    socket: &'static str,
    port: u16,
}

const CONNECTIONS: &str = "connections";

impl Place {
    pub(crate) fn replyer(connection: &'static str, port: u16) -> Self {
        Self { group: CONNECTIONS, side: "in", connection, socket: "replyer", port }
    }

    pub(crate) fn subscriber(connection: &'static str, port: u16) -> Self {
        Self { group: CONNECTIONS, side: "in", connection, socket: "subscriber", port }
    }

    pub(crate) fn requester(connection: &'static str, port: u16) -> Self {
        Self { group: CONNECTIONS, side: "out", connection, socket: "requester", port }
    }

    /// A socket of a copy.
    pub(crate) fn of_state_in(state: &'static str, socket: &'static str, port: u16) -> Self {
        Self { group: "states", side: "in", connection: state, socket, port }
    }

    /// A socket of an owner.
    pub(crate) fn of_state_out(state: &'static str, socket: &'static str, port: u16) -> Self {
        Self { group: "states", side: "out", connection: state, socket, port }
    }

    pub(crate) fn publisher(connection: &'static str, port: u16) -> Self {
        Self { group: CONNECTIONS, side: "out", connection, socket: "publisher", port }
    }
}

/// What a Python service does once it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Loop,
    Main,
}

/// A Python process. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Python {
    name: String,
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    /// All that came on stderr.
    errors: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    /// Its config and address book.
    _files: TempDir,
    /// Where it listens.
    _ports: Vec<HeldPort>,
}

impl Python {
    /// Starts a script of this folder that is no service.
    pub(crate) fn script(version: Version, script: &str, arguments: &[String]) -> Self {
        let mut command = Command::new(version.environment().join("bin/python"));
        command.arg(script).args(arguments);
        Self::start(format!("{script} of {version:?}"), command, tempfile::tempdir().unwrap())
    }

    /// Starts a pyzmq XSUB/XPUB proxy; gives its ports for publishers and for subscribers, too.
    pub(crate) fn proxy() -> (Self, u16, u16) {
        let mut proxy = Self::script(Version::V18, "proxy.py", &[]);
        let ports = proxy.line();
        let (publishers, subscribers) = ports.split_once(' ').unwrap();
        let ports = (publishers.parse().unwrap(), subscribers.parse().unwrap());
        (proxy, ports.0, ports.1)
    }

    /// Starts a service of this folder with the original's own command, and waits until its sockets are open.
    pub(crate) fn service(version: Version, file: &str, mode: Mode, places: &[Place], config: &Json) -> Self {
        let mut python = Self::unready(version, file, mode, places, config);
        match python.lines.recv_timeout(PATIENCE) {
            Ok(line) if line == "ready" => python,
            Ok(line) => python.fail(&format!("said `{line}`, not `ready`")),
            Err(_) => python.fail("is not ready"),
        }
    }

    /// Starts a service without waiting for it.
    pub(crate) fn unready(version: Version, file: &str, mode: Mode, places: &[Place], config: &Json) -> Self {
        let files = tempfile::tempdir().unwrap();
        let write = |name: &str, json: &Json| {
            let path = files.path().join(name);
            std::fs::write(&path, json.to_string()).unwrap();
            path
        };
        let mut command = Command::new(version.environment().join("bin/service_framework"));
        command.arg("-s").arg(file);
        command.arg("-a").arg(write("addresses.json", &version.book(places)));
        command.arg("-c").arg(write("config.json", config));
        match mode {
            Mode::Main => command.arg("-m"),
            // Its loop asks its sockets without waiting, and would take a core of its own.
            Mode::Loop => command.args(["-wt", "0.0002"]),
        };
        Self::start(format!("{file} of {version:?}"), command, files)
    }

    /// Starts a service that listens, at ports that stay its own when it has ended, and gives these: `places` says who listens where.
    pub(crate) fn listening<const N: usize>(
        version: Version,
        file: &str,
        mode: Mode,
        config: &Json,
        places: impl Fn([u16; N]) -> Vec<Place>,
    ) -> (Self, [u16; N]) {
        // Python listens on all interfaces, whatever its address book says.
        let held = [(); N].map(|()| HeldPort::everywhere());
        let ports = held.each_ref().map(HeldPort::port);
        let mut python = Self::service(version, file, mode, &places(ports), config);
        python._ports = held.into();
        (python, ports)
    }

    /// Starts a service that only connects.
    pub(crate) fn connecting(
        version: Version,
        file: &str,
        mode: Mode,
        config: &Json,
        places: &[Place],
    ) -> Self {
        Self::service(version, file, mode, places, config)
    }

    fn start(name: String, mut command: Command, files: TempDir) -> Self {
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/python"));
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        let errors = Arc::<Mutex<String>>::default();
        let written = Arc::clone(&errors);
        let readers = vec![
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines() {
                    let Ok(line) = line else { return };
                    if let Some(line) = line.strip_prefix("> ")
                        && sender.send(line.to_owned()).is_err()
                    {
                        return;
                    }
                }
            }),
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = stderr.read(&mut buffer) {
                    written.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
                }
            }),
        ];
        Self { name, child, stdin, lines, errors, readers, _files: files, _ports: Vec::new() }
    }

    /// Says a line to it.
    #[track_caller]
    pub(crate) fn say(&mut self, line: &str) {
        if writeln!(self.stdin, "{line}").is_err() {
            self.fail("does not listen");
        }
    }

    /// The next line that it says.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => self.fail("says nothing"),
            Err(RecvTimeoutError::Disconnected) => self.fail("has ended"),
        }
    }

    /// The next line, if it comes that soon.
    #[track_caller]
    pub(crate) fn line_within(&mut self, time: Duration) -> Option<String> {
        match self.lines.recv_timeout(time) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => self.fail("has ended"),
        }
    }

    /// Says a line and gives the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.line()
    }

    /// Waits until it ends by itself, and gives the last line that it wrote on stderr: Python's exception.
    #[track_caller]
    pub(crate) fn last_words(&mut self) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => self.fail("lives on"),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait().unwrap();
        self.kill();
        assert!(!status.success(), "{} ended well", self.name);
        let errors = self.errors.lock().unwrap();
        errors.lines().last().unwrap_or_default().to_owned()
    }

    /// Kills it, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
    }

    #[track_caller]
    fn fail(&mut self, what: &str) -> ! {
        self.kill();
        panic!("{} {what}; its stderr:\n{}", self.name, self.errors.lock().unwrap())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        self.kill();
    }
}
