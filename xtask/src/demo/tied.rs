//! Runs programs that end when the process which started them does, however that ends.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// A program to become.
#[derive(Debug, clap::Args)]
pub(crate) struct Tied {
    /// The process whose end ends it.
    parent: i32,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    words: Vec<OsString>,
}

/// A command that runs `program` tied to this process; its arguments are still to be given.
///
/// It goes by way of this program, [`Tied::run`], since what is tied has to say so itself.
pub(crate) fn command(program: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(this_program()?);
    command.arg("tied").arg(std::process::id().to_string()).arg("--").arg(program);
    // Ctrl+C goes to a whole group of processes. This program alone should have it, and stop the others in order.
    command.process_group(0);
    Ok(command)
}

/// The file of this program.
pub(super) fn this_program() -> anyhow::Result<PathBuf> {
    // A build may have put another file in its place meanwhile.
    let this = if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() };
    this.context("cannot find this program")
}

impl Tied {
    /// Ties this process, and becomes the program.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
            .context("cannot tie a process to the one that starts it")?;
        // It may have ended before that.
        let parent = rustix::process::getppid().map(rustix::process::Pid::as_raw_nonzero);
        if parent.is_none_or(|parent| parent.get() != self.parent) {
            return Ok(());
        }
        let [program, args @ ..] = &self.words[..] else { return Ok(()) };
        Err(Command::new(program).args(args).exec())
            .with_context(|| format!("cannot run {}", program.display()))
    }
}
