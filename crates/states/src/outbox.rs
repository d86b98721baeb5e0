//! What an owner has published and the thread of its sockets has not sent yet: bounded, so that publishers notice when that thread does not keep up.

use service_framework_core::Failure;
use service_framework_core::failure::code;

/// How many updates may wait.
const MAX_WAITING: usize = 10_000;

/// How many bytes they may have; the last one may go beyond.
const MAX_WAITING_BYTES: usize = 64 << 20;

/// Frames that wait to be sent, in order.
#[derive(Debug)]
pub(crate) struct Outbox<F> {
    waiting: Vec<F>,
    bytes: usize,
    /// Whether there is nobody any more who sends.
    is_closed: bool,
}

impl<F> Default for Outbox<F> {
    fn default() -> Self {
        Self { waiting: Vec::new(), bytes: 0, is_closed: false }
    }
}

impl<F: AsRef<[u8]>> Outbox<F> {
    /// Says whether one more is taken of the state with this name.
    ///
    /// # Errors
    ///
    /// If nobody sends any more, or too much waits already.
    pub(crate) fn check_room(&self, name: &str) -> Result<(), Failure> {
        let refused = |code, why| Err(Failure::new(code, format!("cannot publish `{name}`: {why}")));
        if self.is_closed {
            return refused(code::STOPPING, "the service has stopped");
        }
        if self.waiting.len() >= MAX_WAITING || self.bytes >= MAX_WAITING_BYTES {
            return refused(code::BUSY, "the service's thread does not keep up");
        }
        Ok(())
    }

    /// Lets a frame wait, whether or not there is room: a sign of life may go beyond.
    pub(crate) fn push(&mut self, frame: F) {
        self.bytes += frame.as_ref().len();
        self.waiting.push(frame);
    }

    /// All that waits.
    pub(crate) fn take(&mut self) -> Vec<F> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }

    /// Takes nothing more from now on: nobody sends any more what is not taken.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
    }
}
