//! What one side says after the handshake: as it is, or in boxes.

use bytes::Bytes;

use super::curve::Sealer;
use super::frame::{write_command, write_message};
use super::{Encoded, Output};

/// What one side says after the handshake.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pub(super) output: Output,
    /// What encrypts it, if the handshake has agreed on that.
    pub(super) sealer: Option<Sealer>,
}

impl Outgoing {
    /// Says a message.
    #[inline]
    pub(super) fn message(&mut self, frames: &[Bytes]) {
        match &mut self.sealer {
            None => write_message(&mut self.output, frames),
            Some(sealer) => sealer.message(&mut self.output, frames),
        }
    }

    /// Says a message that many connections send.
    pub(super) fn encoded(&mut self, message: &Encoded) {
        match &mut self.sealer {
            None => message.write(&mut self.output),
            Some(sealer) => sealer.message(&mut self.output, message.message()),
        }
    }

    /// Says a command.
    pub(super) fn command(&mut self, name: &str, parts: &[&[u8]]) {
        match &mut self.sealer {
            None => write_command(&mut self.output, name, parts),
            Some(sealer) => sealer.command(&mut self.output, name, parts),
        }
    }
}
