//! Runs the command, finds the plugins that it runs, and asks them.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};
use tempfile::TempDir;

/// Longer than any of it takes, on any machine: a command that builds a service waits for the builds of other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// The command under test.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_service_framework"));
    command.stdin(Stdio::null());
    command
}

/// Runs the command to its end.
pub(crate) fn run(words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    command().args(words).output().expect("the command runs")
}

/// What the command said, with its exit code.
pub(crate) fn said(output: &Output) -> String {
    let mut said = String::new();
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !bytes.is_empty() {
            said += &format!("{name}:\n{}", String::from_utf8_lossy(bytes));
        }
    }
    said + &format!("exit code: {}\n", output.status.code().expect("no signal ended it"))
}

/// Where this crate's cargo builds to.
pub(crate) fn target_folder() -> &'static Path {
    let command = Path::new(env!("CARGO_BIN_EXE_service_framework"));
    command.ancestors().nth(2).expect("it is in the folder of a profile")
}

/// The shared library of a service in `tests/services`, built once, and out of the way of whoever builds it again.
pub(crate) fn library(service: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "parrot", "--package", "crowd", "--target-dir"]);
        let status = cargo.arg(target_folder()).status().expect("cargo runs");
        assert!(status.success(), "the services of the tests build");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        ["parrot", "crowd"].iter().for_each(|service| keep(&file_of(service), folder));
        folder.to_owned()
    });
    folder.join(file_of(service))
}

fn file_of(service: &str) -> String {
    format!("{}{service}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Copies a library that was built to `folder`, where one that is open is replaced, never written over.
fn keep(file: &str, folder: &Path) {
    let whole = tempfile::NamedTempFile::new_in(folder).expect("a file").into_temp_path();
    std::fs::copy(target_folder().join("debug").join(file), &whole).expect("it was built");
    whole.persist(folder.join(file)).expect("the same folder");
}

/// A folder with the files of a parrot, each as one would write it.
pub(crate) struct Cage(TempDir);

impl Cage {
    /// With all sockets on ports that are free.
    pub(crate) fn new() -> Self {
        Self::with_settings("{}")
    }

    /// With these settings for the whole service.
    pub(crate) fn with_settings(settings: &str) -> Self {
        let cage = Self(tempfile::tempdir().expect("a folder"));
        cage.write("parrot.json", "{\n  \"greeting\": \"Hello\"\n}\n");
        let addresses = r#"{
  "in": {
    "say": {"replyer": "127.0.0.1:0"},
    "hold": {"replyer": "127.0.0.1:0"},
    "stick": {"replyer": "127.0.0.1:0"}
  },
  "out": {
    "gossip": {"publisher": "127.0.0.1:0"}
  },
  "settings": SETTINGS
}
"#;
        cage.write("addresses.json", &addresses.replace("SETTINGS", settings));
        cage
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).expect("a file of the test");
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).expect("a file of the test")
    }

    /// The command in this folder, with the parrot and its files, and more words.
    pub(crate) fn command<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Command {
        self.command_of(None, words)
    }

    /// As [`command`](Self::command), of a subcommand.
    pub(crate) fn command_of<'w>(
        &self,
        subcommand: Option<&str>,
        words: impl IntoIterator<Item = &'w str>,
    ) -> Command {
        let mut command = command();
        command.current_dir(self.0.path()).args(subcommand).arg("-s").arg(library("parrot"));
        command.args(["-c", "parrot.json", "-a", "addresses.json"]).args(words);
        command
    }

    /// Runs it to its end.
    pub(crate) fn said<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> String {
        said(&self.command(words).output().expect("the command runs"))
    }

    /// Starts it, and waits until its sockets are open.
    pub(crate) fn start<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Running {
        let mut running = Running::start(self.command(["--ready", "ready.json"]).args(words));
        running.wait_for(" is up");
        running
    }

    /// Where a connection of the running service lives.
    pub(crate) fn endpoint(&self, connection: &str) -> String {
        let ready: serde_json::Value =
            serde_json::from_str(&self.read("ready.json")).expect("a line of JSON");
        ready["endpoints"][connection].as_str().expect("it is bound").to_owned()
    }
}

/// A command that goes on.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    /// All that it has said on stderr so far.
    pub(crate) heard: Vec<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the command runs");
        let stderr = child.stderr.take().expect("it is piped");
        let (heard, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if heard.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, heard: Vec::new() }
    }

    /// Waits for a line with this text, and gives it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.heard.push(line),
                Err(error) => panic!("no line with `{text}` ({error}), but {:#?}", self.heard),
            }
            if let Some(line) = self.heard.last().filter(|line| line.contains(text)) {
                return line.clone();
            }
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        let status = kill.args([format!("-{signal}"), self.child.id().to_string()]).status();
        assert!(status.expect("there is `kill`").success());
    }

    /// Whether it has said this, or says it within a moment.
    pub(crate) fn has_said(&mut self, text: &str) -> bool {
        let ended = loop {
            match self.lines.recv_timeout(Duration::from_millis(20)) {
                Ok(line) => self.heard.push(line),
                Err(mpsc::RecvTimeoutError::Timeout) => break false,
                Err(mpsc::RecvTimeoutError::Disconnected) => break true,
            }
        };
        let has_said = self.heard.iter().any(|line| line.contains(text));
        assert!(has_said || !ended, "it never says {text}: {:#?}", self.heard);
        has_said
    }

    /// Waits until it ends, and gives its exit code.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> i32 {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.heard.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("it does not end ({error}): {:#?}", self.heard),
            }
        }
        // stderr is closed, which is the last that a process does.
        self.child.wait().expect("it can be waited for").code().expect("no signal ended it")
    }

    /// How many lines with this text it has said.
    pub(crate) fn times(&self, text: &str) -> usize {
        self.heard.iter().filter(|line| line.contains(text)).count()
    }

    /// The counters that it printed last.
    #[track_caller]
    pub(crate) fn counters(&self) -> serde_json::Value {
        let line = self.heard.iter().rev().find(|line| line.starts_with("{\"counters\""));
        let line = line.unwrap_or_else(|| panic!("no counters in {:#?}", self.heard));
        serde_json::from_str(line).expect("one line of JSON")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is no more to be killed.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Asks once.
#[derive(Debug)]
struct Asker {
    config: Question,
}

/// What is asked.
#[derive(Model, Debug)]
struct Question {
    args: Value,
}

const ASK: Requester<Value, Value> = Requester::new("ask");

#[service(uses(ASK))]
impl Asker {
    fn new(config: Question) -> Result<Self> {
        Ok(Self { config })
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        let answer = cx.request(&ASK, &self.config.args).await?;
        tracing::info!("{answer}");
        Ok(())
    }
}

export!(Asker);

/// Begins to ask; [`Service::wait`] tells whether an answer came.
pub(crate) fn ask(endpoint: &str, args: Value) -> Service {
    let addresses = value!({"out": {"ask": {"requester": {"address": endpoint, "deadline_s": 60}}}});
    let mut asker = Service::of::<Asker>(Options {
        config: value!({"args": args}).into(),
        addresses: addresses.into(),
        console_level: Level::Off,
        ..Options::default()
    });
    asker.start_main().expect("nothing keeps it from asking");
    asker
}
