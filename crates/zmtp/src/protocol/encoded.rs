//! A message as it goes over the wire, for many connections.

use std::sync::OnceLock;

use bytes::Bytes;

use super::Output;
use super::frame::write_message;
use super::output::SHARED_BY_MANY;
use crate::Message;

/// A message as it goes over the wire. Many connections send it by [`Connection::send_encoded`](super::Connection::send_encoded), and
/// share all of it, unless it is so short that to encode it anew costs less. Connections that encrypt share nothing: each sends bytes of its own.
#[derive(Clone, Debug)]
pub struct Encoded {
    message: Message,
    /// Made for the first connection that needs it.
    chunks: OnceLock<Vec<Bytes>>,
}

impl Encoded {
    /// Takes a message, and encodes it once it is sent.
    pub fn new(message: Message) -> Self {
        Self { message, chunks: OnceLock::new() }
    }

    /// The message itself.
    pub(crate) fn message(&self) -> &Message {
        &self.message
    }

    /// Adds it behind what is there.
    #[inline]
    pub(super) fn write(&self, out: &mut Output) {
        match self.message.bytes() < SHARED_BY_MANY {
            true => write_message(out, &self.message),
            false => self.share(out),
        }
    }

    #[inline(never)]
    fn share(&self, out: &mut Output) {
        let chunks = self.chunks.get_or_init(|| {
            let mut output = Output::default();
            write_message(&mut output, &self.message);
            output.into_chunks().collect()
        });
        chunks.iter().for_each(|chunk| out.push_encoded(chunk));
    }
}
