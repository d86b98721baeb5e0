//! Says something on stderr that is no record, to people who may not be there.

use std::io::{self, Write as _};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Writes a text to stderr, and waits at most for `patience` until it is written; false if it is not.
///
/// A pipe that is full takes nothing until somebody reads, and nobody may ever: what has to go on does not write there itself.
///
/// ```
/// use service_framework_runtime::log::tell;
///
/// tell("all is well\n", std::time::Duration::from_secs(1));
/// ```
pub fn tell(text: impl Into<String>, patience: Duration) -> bool {
    begin_to_tell(text.into()).recv_timeout(patience) == Ok(true)
}

/// Writes a text to stderr, and says then whether it could.
pub(crate) fn begin_to_tell(text: String) -> mpsc::Receiver<bool> {
    let (done, told) = mpsc::sync_channel(1);
    // Without a thread it is not said, which dropping the sender tells.
    _ = thread::Builder::new().name("stderr".to_owned()).spawn(move || {
        // Nobody may wait any more.
        _ = done.send(io::stderr().lock().write_all(text.as_bytes()).is_ok());
    });
    told
}
