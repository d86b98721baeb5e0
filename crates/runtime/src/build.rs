//! Builds the crate of a service with cargo.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::control::{Control, Stop};
use crate::error::Error;

/// How often a build is asked whether it is wanted any more.
const LOOK: Duration = Duration::from_millis(50);

/// Builds the crate in `folder` and gives its shared library. What the compiler says goes to stderr as it comes.
pub(crate) fn library(folder: &Path) -> Result<PathBuf, Error> {
    let build = Build::of(folder)?;
    let child = build.spawn(build.command())?;
    let output = child.wait_with_output().map_err(|error| build.cannot_run(&error))?;
    build.outcome(output.status, &output.stdout)
}

/// As [`library`], for a service that may be told to stop meanwhile: the build ends then, with all that it has started, and gives nothing.
pub(crate) fn library_under(folder: &Path, control: &Control) -> Result<Option<PathBuf>, Error> {
    let build = Build::of(folder)?;
    let mut command = build.command();
    // cargo alone would leave its compilers behind. What stops this process, such as Ctrl+C, is told to them by this process.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = build.spawn(command)?;
    let mut stdout = child.stdout.take().expect("it is piped");
    let (sender, output) = mpsc::sync_channel(1);
    let read = move || {
        let mut bytes = Vec::new();
        _ = sender.send(stdout.read_to_end(&mut bytes).map(|_| bytes));
    };
    let reader = thread::Builder::new().name("build".into()).spawn(read);
    let output = reader.and_then(|_| {
        loop {
            match output.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) if control.reason() == Stop::No => {}
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Ok(read) => return read.map(Some),
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
    });
    if !matches!(output, Ok(Some(_))) {
        end(&mut child);
    }
    let status = child.wait().map_err(|error| build.cannot_run(&error))?;
    match output.map_err(|error| build.cannot_run(&error))? {
        Some(output) => build.outcome(status, &output).map(Some),
        None => Ok(None),
    }
}

/// Ends a child that nobody has waited for, and its group.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // One that has ended by itself is gone.
        _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    _ = child.kill();
}

/// The build of one crate.
struct Build<'f> {
    folder: &'f Path,
    manifest: PathBuf,
    cargo: PathBuf,
}

impl<'f> Build<'f> {
    fn of(folder: &'f Path) -> Result<Self, Error> {
        // cargo sets CARGO to itself for programs that it runs.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()).into();
        let build = Self { folder, manifest: folder.join("Cargo.toml"), cargo };
        match build.manifest.is_file() {
            true => Ok(build),
            false => Err(build.refused(
                "there is no Cargo.toml in it: give the folder of a service's crate, or a shared library",
            )),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        command.args(["build", "--message-format=json-render-diagnostics", "--manifest-path"]);
        command.arg(&self.manifest);
        // Debug services under a debug command, optimised ones under an optimised command.
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        command
    }

    fn spawn(&self, mut command: Command) -> Result<Child, Error> {
        command.spawn().map_err(|error| self.cannot_run(&error))
    }

    /// Finds the library in what cargo said, if it has built one.
    fn outcome(&self, status: ExitStatus, said: &[u8]) -> Result<PathBuf, Error> {
        if !status.success() {
            return Err(self.refused(format!("`cargo build` ended with {status}")));
        }
        let manifest = self.manifest.canonicalize().map_err(|error| self.refused(error.to_string()))?;
        let libraries = String::from_utf8_lossy(said);
        let library = libraries.lines().filter_map(|line| artifact(line, &manifest)).next_back();
        library.ok_or_else(|| {
            self.refused("it builds no shared library: write `[lib] crate-type = [\"cdylib\", \"rlib\"]` in its Cargo.toml")
        })
    }

    fn refused(&self, why: impl Into<String>) -> Error {
        Error::Build { path: self.folder.to_owned(), why: why.into() }
    }

    fn cannot_run(&self, error: &io::Error) -> Error {
        self.refused(format!("cannot run {}: {error}", self.cargo.display()))
    }
}

/// The shared library in a line of cargo's messages, if it is one about the crate of `manifest`.
fn artifact(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let is_of_crate = message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
    if message["reason"] != "compiler-artifact" || !is_of_crate {
        return None;
    }
    let position = message["target"]["crate_types"].as_array()?.iter().position(|kind| kind == "cdylib")?;
    // One file for each crate type, debug information beside them.
    let files: Vec<&str> = message["filenames"].as_array()?.iter().filter_map(|file| file.as_str()).collect();
    let is_library = |file: &&str| file.ends_with(std::env::consts::DLL_SUFFIX);
    files
        .get(position)
        .copied()
        .filter(is_library)
        .or_else(|| files.into_iter().find(is_library))
        .map(PathBuf::from)
}
