//! A shell that runs the commands of a page one block after another, as a reader's does.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// The line that ends the output of a block, with the exit code behind it.
const MARK: &str = "-- end of the block:";

/// A running shell. Dropping it ends it, and everything that it has started.
#[derive(Debug)]
pub(super) struct Shell {
    process: Child,
    input: ChildStdin,
    output: Receiver<String>,
    /// Where the blocks are written, for the shell to read.
    blocks: PathBuf,
}

impl Shell {
    /// Starts a shell in `folder`; programs that it installs go to `tools`, what it builds to `target`.
    pub(super) fn start(folder: &Path, tools: &Path, checkout: &Path, target: &Path) -> anyhow::Result<Self> {
        let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
        let mut path = tools.join("bin").into_os_string();
        if let Some(others) = std::env::var_os("PATH") {
            path.push(":");
            path.push(others);
        }
        let mut command = Command::new("sh");
        command
            .current_dir(folder)
            .env("SERVICE_FRAMEWORK", checkout)
            .env("CARGO_INSTALL_ROOT", tools)
            .env("CARGO_TARGET_DIR", target)
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            // So that what it leaves in the background ends with it.
            .process_group(0);
        let mut process = command.spawn().context("cannot start `sh`")?;
        let mut input = process.stdin.take().expect("it was piped above");
        // A command that fails ends the shell, which then says so.
        writeln!(input, "set -e; trap 'printf \"\\n{MARK} %s\\n\" $?' EXIT")?;
        let (lines, output) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
                if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process, input, output, blocks: tools.to_owned() })
    }

    /// Runs a block and gives what it prints, on stdout and stderr.
    pub(super) fn run(&mut self, commands: &str, limit: Duration) -> anyhow::Result<String> {
        let block = self.blocks.join("block.sh");
        fs::write(&block, commands).with_context(|| format!("cannot write {}", block.display()))?;
        // The commands must not read the shell's own input.
        writeln!(self.input, ". '{}' </dev/null; printf '\\n{MARK} %s\\n' 0", block.display())
            .context("the shell has ended")?;
        let until = Instant::now() + limit;
        let mut text = String::new();
        loop {
            match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => match line.strip_prefix(MARK) {
                    Some(" 0") => return Ok(text),
                    Some(code) => bail!("exit code{code}, after this:\n{text}"),
                    None => text.extend([line.as_str(), "\n"]),
                },
                Err(RecvTimeoutError::Timeout) => bail!("not done after {limit:?}; so far:\n{text}"),
                Err(RecvTimeoutError::Disconnected) => bail!("the shell has ended, after this:\n{text}"),
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            // It may be gone already.
            _ = kill_process_group(group, Signal::KILL);
        }
        _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn shell(folder: &Path) -> Shell {
        Shell::start(folder, folder, folder, folder).unwrap()
    }

    #[test]
    fn one_block_sees_what_another_left() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = shell(folder.path());
        assert_eq!(shell.run("a=1; mkdir b; cd b", LIMIT).unwrap().trim(), "");
        let text = shell.run("echo $a; basename \"$PWD\"; echo c >&2", LIMIT).unwrap();
        assert_eq!(text.trim(), "1\nb\nc");
    }

    #[test]
    fn a_command_that_fails_is_told_with_what_was_printed() {
        let folder = tempfile::tempdir().unwrap();
        let error = shell(folder.path()).run("echo a\nsh -c 'exit 3'\necho b", LIMIT).unwrap_err();
        assert_eq!(error.to_string(), "exit code 3, after this:\na\n\n");
    }

    #[test]
    fn what_runs_in_the_background_ends_with_the_shell() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = shell(folder.path());
        let text = shell.run("sleep 1000 & echo $!", LIMIT).unwrap();
        let pid = Pid::from_raw(text.trim().parse().unwrap()).unwrap();
        drop(shell);
        let until = Instant::now() + LIMIT;
        // A process that has ended is there until its parent, which is not this one, has noticed.
        let is_there = || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        while is_there() {
            assert!(Instant::now() < until, "it is still there");
            std::thread::yield_now();
        }
    }
}
