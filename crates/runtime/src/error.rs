//! How a service ends: as it should, or why not.

use std::path::PathBuf;
use std::sync::Arc;

use service_framework_core::Failure;
use service_framework_core::failure::code;
use service_framework_core::problem::{Place, Problems};

/// How a service that ran ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// What was still in work when the time for draining was over, by connection; empty if all was done.
    pub not_drained: Vec<String>,
}

/// Why a service did not start, or stopped.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is no plugin that can be loaded.
    #[error("cannot load the service {}: {why}", path.display())]
    Plugin {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The crate of the service does not build.
    #[error("cannot build the service in {}: {why}", path.display())]
    Build {
        /// The folder of the crate.
        path: PathBuf,
        /// The compiler's words.
        why: String,
    },
    /// Config, addresses or the service itself are not as they must be. One line for each fault.
    #[error("{0}")]
    Refused(Problems),
    /// The log cannot be written where it should be.
    #[error("cannot log")]
    Log(#[source] Arc<crate::log::LogError>),
    /// A socket cannot be opened.
    #[error(transparent)]
    Socket(Arc<Unopened>),
    /// `new` of the service says that it cannot be.
    #[error("service `{service}` refuses its config{}: {}", listed(config), reason(failure))]
    New {
        /// The service.
        service: String,
        /// Where the config comes from: files, and keys of the command line.
        config: Vec<String>,
        /// What it says.
        failure: Failure,
    },
    /// A method of the service failed, which ends it: `init`, `main`.
    #[error("`{method}` of service `{service}` failed: {}", reason(failure))]
    Method {
        /// The service.
        service: String,
        /// The method.
        method: &'static str,
        /// What it says.
        failure: Failure,
    },
    /// The service is running already.
    #[error("service `{service}` is running already: stop it first")]
    Running {
        /// The service.
        service: String,
    },
    /// The system does not give what a service needs: a thread, a file for `--ready`.
    #[error("cannot {what}: {why}")]
    System {
        /// What was to be done.
        what: String,
        /// Why it cannot.
        why: String,
    },
    /// A fault of the framework's own.
    #[error("a fault of service_framework itself, please report it: {0}")]
    Fault(String),
}

/// A socket that cannot be opened. Reads as `addresses/gateway.json:12:5: cannot bind `orders` to *:80`, and has its cause as its source.
#[derive(Debug)]
pub struct Unopened {
    /// Where its address stands.
    pub place: Option<Place>,
    /// Why not.
    pub cause: service_framework_connections::Error,
}

impl std::fmt::Display for Unopened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.cause),
            None => self.cause.fmt(f),
        }
    }
}

impl std::error::Error for Unopened {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}

impl Error {
    /// A socket that cannot be opened, whose address stands at a place.
    pub(crate) fn at(place: Option<Place>, cause: service_framework_connections::Error) -> Self {
        Self::Socket(Arc::new(Unopened { place, cause }))
    }

    /// The exit code of the command for this error: 78 for what was given wrongly, 70 for a fault of the framework, 1 for the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Plugin { .. }
            | Self::Build { .. }
            | Self::Refused(_)
            | Self::Log(_)
            | Self::Socket(_)
            | Self::New { .. } => 78,
            Self::Fault(_) => 70,
            _ => 1,
        }
    }
}

fn listed(config: &[String]) -> String {
    if config.is_empty() { String::new() } else { format!(" ({})", config.join(", ")) }
}

/// What a failure says. That it has failed needs no saying twice.
fn reason(failure: &Failure) -> String {
    if failure.code() == code::FAILED { failure.message().to_owned() } else { failure.to_string() }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Refused(problems)
    }
}
