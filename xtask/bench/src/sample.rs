//! What one run of one client found.

use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// How long a client runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Run, not counted.
    pub(crate) warm_up: Duration,
    /// Counted.
    pub(crate) counted: Duration,
}

impl Window {
    /// Half as long, but for the warm-up, in which many connections are made.
    pub(crate) fn half(self) -> Self {
        Self { counted: self.counted / 2, ..self }
    }
}

/// What one client counted. Every client prints one as a JSON line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Replies, or messages received.
    pub(crate) messages: u64,
    /// Messages published meanwhile that did not arrive.
    #[serde(default)]
    pub(crate) lost: u64,
    /// How long was counted, as measured.
    pub(crate) seconds: f64,
}

impl Sample {
    /// Messages a second.
    pub(crate) fn rate(&self) -> f64 {
        self.messages as f64 / self.seconds
    }

    /// Reads the line that a client printed; `None` for any other line.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// The line to print.
    pub(crate) fn line(&self) -> anyhow::Result<String> {
        serde_json::to_string(self).context("a sample cannot be printed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_sample_is_read_back() {
        let sample = Sample { messages: 300, lost: 2, seconds: 1.5 };
        assert_eq!(Sample::of_line(&sample.line().unwrap()), Some(sample));
        assert_eq!(Sample::of_line(r#"{"messages": 3, "seconds": 1.0}"#).unwrap().rate(), 3.0);
        assert_eq!(Sample::of_line("Using Arguments: .."), None);
    }
}
