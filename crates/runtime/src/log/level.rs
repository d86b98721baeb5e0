//! Which records are written: Python's level names and tracing's, read as one scale.

use std::fmt;
use std::str::FromStr;

use service_framework_core::near::distance;

/// How serious a record is, and up to where records are written: each level includes those above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing is written: `none` or `off`.
    Off,
    /// Something failed: `error`; also Python's `critical` and `fatal`, which tracing does not tell apart.
    Error,
    /// Something looks wrong: `warn` or `warning`.
    Warn,
    /// What a service does: `info`.
    #[default]
    Info,
    /// What helps its author: `debug`.
    Debug,
    /// Everything: `trace`, or Python's `notset`.
    Trace,
}

/// The names that are read.
const NAMES: [(&str, Level); 11] = [
    ("off", Level::Off),
    ("none", Level::Off),
    ("error", Level::Error),
    ("critical", Level::Error),
    ("fatal", Level::Error),
    ("warning", Level::Warn),
    ("warn", Level::Warn),
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Trace),
    ("notset", Level::Trace),
];

impl Level {
    /// The name on a line: Python's where Python has the level.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "NONE",
            Self::Error => "ERROR",
            Self::Warn => "WARNING",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        }
    }
}

impl From<Level> for tracing::level_filters::LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

/// A word that names no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no log level, did you mean `{nearest}`? (none, off, critical, fatal, error, warning, warn, info, debug, trace, notset)",
    .given.escape_debug()
)]
pub struct UnknownLevel {
    /// What was given.
    pub given: String,
    /// The legal name that is most like it.
    pub nearest: &'static str,
}

impl FromStr for Level {
    type Err = UnknownLevel;

    /// Reads a name in any case, `None` and `WARNING` as well as `off` and `warn`.
    fn from_str(given: &str) -> Result<Self, UnknownLevel> {
        if let Some((_, level)) = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(given)) {
            return Ok(*level);
        }
        let nearest = NAMES.iter().map(|(name, _)| *name).min_by_key(|name| distance(name, given));
        Err(UnknownLevel { given: given.to_owned(), nearest: nearest.expect("there are levels") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_both_families_are_read_in_any_case() {
        for (name, level) in [
            ("None", Level::Off),
            ("off", Level::Off),
            ("CRITICAL", Level::Error),
            ("FATAL", Level::Error),
            ("Error", Level::Error),
            ("WARNING", Level::Warn),
            ("warn", Level::Warn),
            ("INFO", Level::Info),
            ("debug", Level::Debug),
            ("NOTSET", Level::Trace),
            ("trace", Level::Trace),
        ] {
            assert_eq!(name.parse(), Ok(level), "{name}");
        }
    }

    #[test]
    fn a_slip_is_refused_with_the_nearest_name() {
        for (given, nearest) in [("wran", "warn"), ("INFOO", "info"), ("dbug", "debug"), ("nune", "none")] {
            let refused = given.parse::<Level>().expect_err("a slip");
            assert_eq!(refused.nearest, nearest, "{given}");
        }
        let refused = "\u{1b}[31m".parse::<Level>().expect_err("not a level").to_string();
        assert!(refused.starts_with("`\\u{1b}[31m` is no log level"), "{refused}");
        assert!("x".repeat(1 << 20).parse::<Level>().is_err());
        assert!("".parse::<Level>().is_err());
    }
}
