//! A message as it goes over the wire, for many connections.

use bytes::Bytes;
use smallvec::SmallVec;

use super::Output;
use super::frame::write_message;

/// A message as it goes over the wire. Many connections send it by [`Connection::send_encoded`](super::Connection::send_encoded), and
/// share all of it but what is so short that a copy costs less.
#[derive(Clone, Debug)]
pub struct Encoded(SmallVec<[Bytes; 3]>);

impl Encoded {
    /// Encodes a message.
    pub fn new(message: &[Bytes]) -> Self {
        let mut output = Output::default();
        write_message(&mut output, message);
        Self(output.into_chunks().collect())
    }

    /// Adds it behind what is there.
    pub(super) fn write(&self, out: &mut Output) {
        self.0.iter().for_each(|chunk| out.share(chunk));
    }
}
