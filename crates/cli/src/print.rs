//! Writes to stdout and stderr, whether or not anybody reads there.

use std::io::{self, Write};
use std::time::Duration;

use service_framework_runtime::log;

/// Writes data, for programs or for people who asked for it.
///
/// # Errors
///
/// If it cannot be written. Whoever stops reading, as `head` does, has read enough.
pub(crate) fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// How long people are given to take a message.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes a message to people. There is nobody to be told that it cannot be written, and a program that ends does so also if nobody reads.
pub(crate) fn message(text: &str) {
    log::tell(text, PATIENCE);
}
