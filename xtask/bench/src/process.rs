//! A process that the bench started: its lines are read, and it ends with the bench.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

/// Long enough for a slow machine to start Python.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running process. Dropping kills it, whatever it makes of gentler signals: what it did is counted.
#[derive(Debug)]
pub(crate) struct Process {
    what: String,
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts a command; `what` names it in errors. Its errors go where ours go.
    pub(crate) fn start(what: impl Into<String>, mut command: Command) -> anyhow::Result<Self> {
        let what = what.into();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {what}: {}", command.get_program().display()))?;
        let stdout = child.stdout.take().expect("it was asked for two lines above");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { what, child, lines })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the first line that `read` makes something of, for at most `time` and some patience.
    ///
    /// # Errors
    ///
    /// When the process ends, or the time does, before there was such a line.
    pub(crate) fn line<T>(&mut self, time: Duration, read: impl Fn(&str) -> Option<T>) -> anyhow::Result<T> {
        let deadline = Instant::now() + time + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(found) = read(&line) {
                        return Ok(found);
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("{} said nothing in time", self.what),
                Err(RecvTimeoutError::Disconnected) => {
                    let status =
                        self.child.wait().with_context(|| format!("cannot wait for {}", self.what))?;
                    bail!("{} ended too early, with {status}", self.what);
                }
            }
        }
    }

    /// Waits until `look` finds something, looking every few milliseconds: for what announces itself in a
    /// file or a port.
    ///
    /// # Errors
    ///
    /// When the process ends, or patience does, before that.
    pub(crate) fn until<T>(&mut self, look: impl Fn() -> Option<T>) -> anyhow::Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return Ok(found);
            }
            self.must_run()?;
            if Instant::now() > deadline {
                bail!("{} was not ready in time", self.what);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Fails when the process has ended.
    pub(crate) fn must_run(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait().with_context(|| format!("cannot wait for {}", self.what))? {
            Some(status) => bail!("{} ended too early, with {status}", self.what),
            None => Ok(()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start("a shell", command).unwrap()
    }

    #[test]
    fn the_line_that_is_waited_for_is_found() {
        let mut process = shell("echo 1; echo two; echo 3; exec cat /dev/zero > /dev/null");
        assert_eq!(process.line(Duration::ZERO, |line| (line == "two").then_some(2)).unwrap(), 2);
        process.must_run().unwrap();
    }

    #[test]
    fn a_process_that_ends_early_is_named() {
        let error = shell("exit 3").line(Duration::ZERO, |_| Some(())).unwrap_err();
        assert_eq!(error.to_string(), "a shell ended too early, with exit status: 3");
        let error = shell("exit 4").until(|| None::<()>).unwrap_err();
        assert_eq!(error.to_string(), "a shell ended too early, with exit status: 4");
    }
}
