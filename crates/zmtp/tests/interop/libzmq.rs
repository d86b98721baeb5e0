//! Starts a process with sockets of libzmq, and tells it what to do.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use bytes::Bytes;
use service_framework_zmtp::Message;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::ramp;

/// A Python process with sockets of libzmq. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Libzmq {
    child: Child,
    stdin: ChildStdin,
    lines: UnboundedReceiver<String>,
}

/// The interpreter of an environment with pyzmq, which must be there.
fn python() -> PathBuf {
    let folder = std::env::var_os("SERVICE_FRAMEWORK_PYTHON")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/interop"), PathBuf::from);
    let python = folder.join("py20/bin/python");
    assert!(
        python.exists(),
        "there is no {}: `cargo xtask test` puts one there, or set SERVICE_FRAMEWORK_PYTHON to a folder with a \
         virtual environment py20 that has pyzmq",
        python.display()
    );
    python
}

impl Libzmq {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let mut command = Command::new(python());
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/peer.py"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
        let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (tell, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, stdin, lines }
    }

    /// Says a line.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").expect("it listens; what is wrong stands above");
    }

    /// The answer to the first line that has none yet.
    pub(crate) async fn answer(&mut self) -> String {
        self.lines.recv().await.expect("it answers; what is wrong stands above")
    }

    /// Says a line, and waits for the answer.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.answer().await
    }

    pub(crate) async fn send(&mut self, socket: &str, message: &Message) {
        assert_eq!(self.ask(&format!("send {socket} {}", words(message))).await, "done");
    }

    pub(crate) async fn recv(&mut self, socket: &str) -> Message {
        message(&self.ask(&format!("recv {socket}")).await)
    }

    /// Sends it a signal of the system.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("there is `kill`").success());
    }
}

impl Drop for Libzmq {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A frame as `peer.py` writes it.
pub(crate) fn word(frame: &[u8]) -> String {
    if frame.len() > 64 && *frame == *ramp(frame.len()) {
        return format!("r{}", frame.len());
    }
    frame.iter().fold("x".to_owned(), |word, byte| word + &format!("{byte:02x}"))
}

fn words(message: &Message) -> String {
    message.iter().map(|frame| word(frame)).collect::<Vec<_>>().join(" ")
}

fn message(words: &str) -> Message {
    words.split(' ').map(frame).collect()
}

fn frame(word: &str) -> Bytes {
    match word.split_at(1) {
        ("r", length) => ramp(length.parse().expect("a length")),
        (_, digits) => {
            let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
            bytes.collect::<Result<_, _>>().expect("hexadecimal")
        }
    }
}
