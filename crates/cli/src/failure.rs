//! Why the command ends without having done what was asked, and with which exit code.

use std::fmt;

use service_framework_core::shown::on_one_line;

/// Why the command ends without having done what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Words that make no command; also `--help` and `--version`, which clap takes for errors.
    Usage(clap::Error),
    /// A service that did not start, or failed.
    Service(service_framework_runtime::Error),
    /// Anything else, with an exit code.
    Other(anyhow::Error, u8),
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

impl From<service_framework_runtime::Error> for Failure {
    fn from(error: service_framework_runtime::Error) -> Self {
        Self::Service(error)
    }
}

impl From<std::io::Error> for Failure {
    /// Of writing what was asked for.
    fn from(error: std::io::Error) -> Self {
        Self::Other(anyhow::Error::from(error).context("cannot write to stdout"), 1)
    }
}

impl Failure {
    /// The exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(error) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Service(error) => error.exit_code(),
            Self::Other(_, code) => *code,
        }
    }
}

impl fmt::Display for Failure {
    /// The error with its causes. Every line says that it is one, begins with the file if it is of one, and is one alone, whatever the error tells of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => write!(f, "{error}"),
            Self::Service(service_framework_runtime::Error::Refused(problems)) => {
                // Each problem is one line already.
                problems.to_string().lines().try_for_each(|line| writeln!(f, "error: {line}"))
            }
            Self::Service(error) => write_line(f, &anyhow::Error::from(error.clone())),
            Self::Other(error, _) => write_line(f, error),
        }
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, error: &anyhow::Error) -> fmt::Result {
    writeln!(f, "error: {}", on_one_line(&format!("{error:#}")))
}
