//! Writes the records of one service to the console and to hourly files.
//!
//! A line is the Python original's: `time - name - workflow id - level - message`, where the time and the
//! hours in file names are UTC. The name is the module that wrote the record, with the service in front where
//! the module does not say it. One record is one line: whatever could end a line, drive a terminal or reorder
//! its text is written as an escape (`\n`, `\u{1b}`).
//!
//! Nothing here stops or slows a service: records are formatted on its thread, and written by a thread of the
//! log's own, one for the console and one for the file. What cannot be written is lost, counted
//! ([`Log::dropped`]) and said in the file as soon as it can be written again.
//!
//! No global subscriber is installed: each service has a dispatcher of its own.
//!
//! ```
//! use service_framework_runtime::log::{Level, Log, LogOptions, workflow};
//!
//! let folder = tempfile::tempdir()?;
//! let log = Log::open(&LogOptions {
//!     service: "host_board".to_owned(),
//!     console: Level::Off,
//!     path: Some(folder.path().to_owned()),
//!     ..LogOptions::default()
//! })?;
//! {
//!     let _records = tracing::dispatcher::set_default(log.dispatch());
//!     let _work = workflow::enter("5f0c");
//!     tracing::info!(target: "host_board", topics = 4, "subscribed");
//! }
//! drop(log);
//!
//! let written = std::fs::read_to_string(folder.path().join("host_board.log"))?;
//! assert!(written.ends_with(" - host_board - 5f0c - INFO - subscribed topics=4\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::Dispatch;

pub use self::clock::Clock;
pub use self::level::{Level, UnknownLevel};
pub use self::recorder::Recorder;
pub(crate) use self::tell::begin_to_tell;
pub use self::tell::tell;

mod clock;
mod level;
pub mod workflow;

mod escape;
mod line;
mod recorder;

mod console;
mod file;
mod queue;
mod rotation;
mod tell;

use self::file::LogFile;
use self::queue::{Output, Queue};
use self::recorder::Sink;

/// How long dropping a [`Log`] waits for a disk or a terminal that does not take what is still to be written.
const CLOSING: Duration = Duration::from_secs(5);

/// Where the records of a service go, and which of them.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// The service's name: the file's name in a folder, and on lines that other modules write for it.
    pub service: String,
    /// What is shown on stderr.
    pub console: Level,
    /// What is written to the file at `path`.
    pub file: Level,
    /// A file, or a folder (one that exists, or a path that ends in `/`) in which the file is
    /// `<service>.log`. Missing folders are made. Without it no file is written.
    pub path: Option<PathBuf>,
    /// How many hourly files are kept beside the current one. 0 keeps none, where Python's 0 keeps all.
    pub backup_count: usize,
    /// What time it is.
    pub clock: Clock,
}

impl Default for LogOptions {
    /// The original's defaults: `INFO` on the console, no file, and were there one, `INFO` and 24 files kept.
    fn default() -> Self {
        Self {
            service: "service_framework".to_owned(),
            console: Level::Info,
            file: Level::Info,
            path: None,
            backup_count: 24,
            clock: Clock::system(),
        }
    }
}

/// Why a log could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A folder of the log's path does not exist and cannot be made.
    #[error("cannot make folder {} for the log; give a log path in a folder that this user may write", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The log's file cannot be opened for writing.
    #[error("cannot open log file {}; give a log path that this user may write", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The log's path is a pipe, a socket or a disk.
    #[error("log path {} is neither a file nor a folder; give one of those", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The thread that writes cannot be started.
    #[error("cannot start the log's thread; raise the limit of threads (ulimit -u)")]
    Thread {
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// Lines that were lost because they could not be written, or not fast enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Lines that stderr did not take.
    pub console: u64,
    /// Lines that the file did not take.
    pub file: u64,
}

/// The open log of one service; dropping it writes what is still to be written.
///
/// Records that come later, by way of a dispatcher or a recorder that is still held, are counted as dropped.
#[derive(Debug)]
pub struct Log {
    recorder: Recorder,
    dispatch: Dispatch,
    // While a process has one dispatcher, tracing (0.1.44) asks a thread's own whether a callsite is wanted, once,
    // and remembers the no of a thread that has none. With two it asks them all. They agree, so both cost nothing.
    _twin: Dispatch,
    /// How long dropping it waits.
    closing: Duration,
}

impl Log {
    /// Opens the console and the file, and starts the thread of each.
    ///
    /// A file that was last written in an earlier hour is put aside first.
    ///
    /// # Errors
    ///
    /// When the file cannot be written now. What happens to it later is no error, see [`Log::dropped`].
    pub fn open(options: &LogOptions) -> Result<Self, LogError> {
        let console = match options.console {
            Level::Off => None,
            level => {
                let queue = start(Output::Console)?;
                Some(Sink { level, colours: console::colours(), queue })
            }
        };
        let file = match (&options.path, options.file) {
            (None, _) | (_, Level::Off) => None,
            (Some(path), level) => {
                let file = LogFile::open(path, &options.service, options.backup_count, options.clock.now())?;
                Some(Sink { level, colours: false, queue: start(Output::File(Box::new(file)))? })
            }
        };
        let recorder = Recorder::new(options.service.clone(), options.clock.clone(), console, file);
        let [dispatch, twin] = [Dispatch::new(recorder.clone()), Dispatch::new(recorder.clone())];
        Ok(Self { recorder, dispatch, _twin: twin, closing: CLOSING })
    }

    /// The dispatcher that brings `tracing`'s records here: the default of the service's threads, by
    /// [`tracing::dispatcher::set_default`].
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// What takes records that come by other ways than `tracing`, on any thread.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Whether a record of `level` would be written anywhere.
    pub fn enabled(&self, level: Level) -> bool {
        self.recorder.enabled(level)
    }

    /// Writes a record, see [`Recorder::record`].
    pub fn record(&self, level: Level, target: &str, message: &str, workflow_id: Option<&str>) {
        self.recorder.record(level, target, message, workflow_id);
    }

    /// How many lines were lost since the log was opened.
    pub fn dropped(&self) -> Dropped {
        self.recorder.dropped()
    }

    /// Waits, at most for `limit`, until what was recorded so far is written or lost; false if it is not.
    #[must_use]
    pub fn flush(&self, limit: Duration) -> bool {
        self.recorder.flush(limit)
    }

    /// Writes what is still to be written, and waits for that at most for `limit`; false if it is not.
    pub fn close(mut self, limit: Duration) -> bool {
        let is_written = self.flush(limit);
        if !is_written {
            // What took nothing for so long is not waited for again.
            self.closing = Duration::ZERO;
        }
        is_written
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let deadline = Instant::now() + self.closing;
        for sink in self.recorder.sinks() {
            sink.queue.close(deadline);
        }
    }
}

fn start(output: Output) -> Result<Arc<Queue>, LogError> {
    Queue::start(output).map_err(|cause| LogError::Thread { cause })
}
