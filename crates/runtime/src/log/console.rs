//! Writes lines to stderr.

use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use super::queue::Batch;

/// Writes line by line, since a pipe keeps a line whole among the lines of other programs, but not many at once.
///
/// A closed stderr loses them, and is asked again at the next.
pub(super) fn write(batch: &Batch, lost: &AtomicU64) {
    for line in batch.text.split_inclusive('\n') {
        if io::stderr().lock().write_all(line.as_bytes()).is_err() {
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether lines on stderr are coloured: on a terminal, unless [`NO_COLOR`](https://no-color.org) is set.
pub(super) fn colours() -> bool {
    io::stderr().is_terminal() && !refuses_colour(env::var_os("NO_COLOR").as_deref())
}

fn refuses_colour(no_color: Option<&OsStr>) -> bool {
    no_color.is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_counts_when_it_says_something() {
        assert!(refuses_colour(Some(OsStr::new("1"))));
        assert!(!refuses_colour(Some(OsStr::new(""))));
        assert!(!refuses_colour(None));
    }
}
