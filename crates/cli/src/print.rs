//! Writes to stdout and stderr, whether or not anybody reads there.

use std::io::{self, Write};

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

/// Writes a message to people. There is nobody to be told that it cannot be written.
pub(crate) fn message(text: &str) {
    _ = io::stderr().lock().write_all(text.as_bytes());
}
