//! What a setting may be set to.

use std::time::Duration;

use crate::model::named_choice;
use crate::value::Value;

/// What a setting may be set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Takes {
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// A number of seconds, whole or not.
    Seconds {
        /// The least.
        least: f64,
        /// The greatest.
        greatest: f64,
    },
    /// A whole number.
    Count {
        /// Of what; empty if the name says it.
        unit: &'static str,
        /// The least.
        least: i128,
        /// The greatest.
        greatest: i128,
    },
    /// One of a few texts.
    Choice(&'static [&'static str]),
}

impl Takes {
    /// What it takes, as a noun with its article.
    pub fn named(&self) -> String {
        match self {
            Self::Text => "a text".into(),
            Self::Flag => "true or false".into(),
            Self::Seconds { least, greatest } => format!("a number of seconds from {least} to {greatest}"),
            Self::Count { unit: "", least, greatest } => format!("a whole number from {least} to {greatest}"),
            Self::Count { unit, least, greatest } => {
                format!("a whole number of {unit} from {least} to {greatest}")
            }
            Self::Choice(choices) => named_choice(choices.iter().copied()),
        }
    }

    /// Whether it takes this value.
    pub fn allows(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text, Value::Text(_)) | (Self::Flag, Value::Bool(_)) => true,
            // A NaN is in no range.
            (Self::Seconds { least, greatest }, Value::Int(_) | Value::Float(_)) => {
                value.as_f64().is_some_and(|seconds| (*least..=*greatest).contains(&seconds))
            }
            (Self::Count { least, greatest, .. }, Value::Int(count)) => (*least..=*greatest).contains(count),
            (Self::Choice(choices), Value::Text(text)) => choices.contains(&text.as_str()),
            _ => false,
        }
    }
}

/// The seconds that [`Takes::Seconds`] allowed; `None` for null.
pub(super) fn duration(value: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(value.as_f64()?).ok()
}

/// The number that [`Takes::Count`] allowed.
pub(super) fn count(value: &Value) -> usize {
    match value {
        Value::Int(count) => usize::try_from(*count).unwrap_or(usize::MAX),
        _ => 0,
    }
}
