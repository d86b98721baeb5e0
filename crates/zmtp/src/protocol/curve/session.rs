//! What is said after the handshake: each frame and each command in a box of its own.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::boxes::{BoxKey, TAG, short_nonce};
use crate::Error;
use crate::protocol::Output;
use crate::protocol::frame::{HEADER_MAX, write_header};
use crate::protocol::incoming::Frame;

const NAME: &[u8; 8] = b"\x07MESSAGE";
const FROM_CLIENT: &[u8; 16] = b"CurveZMQMESSAGEC";
const FROM_SERVER: &[u8; 16] = b"CurveZMQMESSAGES";

/// What libzmq writes into the first byte of a box; the RFC has the first of them alone.
const MORE: u8 = 0b01;
const COMMAND: u8 = 0b10;

/// Bytes before the text of a box: its name, its number, the proof, the flags.
pub(in crate::protocol) const OVERHEAD: usize = NAME.len() + 8 + TAG + 1;

/// What both sides have when the handshake is done.
#[derive(Debug)]
pub(in crate::protocol) struct Session {
    pub(in crate::protocol) sealer: Sealer,
    pub(in crate::protocol) opener: Opener,
}

impl Session {
    /// The client's, who has sent so many commands and has got one of this number last.
    pub(super) fn of_client(key: &BoxKey, sent: u64, got: u64) -> Self {
        Self::new(key, (FROM_CLIENT, sent), (FROM_SERVER, got))
    }

    /// The server's.
    pub(super) fn of_server(key: &BoxKey, sent: u64, got: u64) -> Self {
        Self::new(key, (FROM_SERVER, sent), (FROM_CLIENT, got))
    }

    fn new(key: &BoxKey, ours: (&'static [u8; 16], u64), theirs: (&'static [u8; 16], u64)) -> Self {
        Self {
            sealer: Sealer { key: key.clone(), name: ours.0, last: ours.1 },
            opener: Opener { key: key.clone(), name: theirs.0, last: theirs.1 },
        }
    }
}

/// Makes the boxes of one side.
#[derive(Debug)]
pub(in crate::protocol) struct Sealer {
    key: BoxKey,
    name: &'static [u8; 16],
    /// The number of the last box.
    last: u64,
}

impl Sealer {
    /// Writes the frames of a message.
    #[inline(never)]
    pub(in crate::protocol) fn message(&mut self, out: &mut Output, frames: &[Bytes]) {
        for (index, frame) in frames.iter().enumerate() {
            let flags = if index + 1 < frames.len() { MORE } else { 0 };
            self.seal(out, flags, &[frame]);
        }
    }

    /// Writes a command.
    pub(in crate::protocol) fn command(&mut self, out: &mut Output, name: &str, parts: &[&[u8]]) {
        let body: &[&[u8]] = &[&[name.len() as u8], name.as_bytes()];
        self.seal(out, COMMAND, &[body, parts].concat());
    }

    fn seal(&mut self, out: &mut Output, flags: u8, parts: &[&[u8]]) {
        self.last = self.last.checked_add(1).expect("no connection sends 2^64 frames");
        let nonce = short_nonce(self.name, self.last);
        let bytes = OVERHEAD + parts.iter().map(|part| part.len()).sum::<usize>();
        out.write_sized(HEADER_MAX + bytes, |out| {
            // As libzmq does it, whose receiving side takes a box that says it is a command for one, whatever is in it.
            write_header(out, 0, bytes);
            out.put_slice(NAME);
            out.put_u64(self.last);
            let tag = out.len();
            out.put_bytes(0, TAG);
            out.put_u8(flags);
            parts.iter().for_each(|part| out.put_slice(part));
            let (before, text) = out.split_at_mut(tag + TAG);
            before[tag..].copy_from_slice(&self.key.seal(&nonce, text));
        });
    }
}

/// Opens the boxes of the other side.
#[derive(Debug)]
pub(in crate::protocol) struct Opener {
    key: BoxKey,
    name: &'static [u8; 16],
    /// The number of the last box.
    last: u64,
}

impl Opener {
    /// Opens a box, where it lies.
    pub(in crate::protocol) fn open(&mut self, mut frame: BytesMut) -> Result<Frame, Error> {
        if !frame.starts_with(NAME) {
            return Err(Error::Malformed("another command than MESSAGE after the handshake of CURVE"));
        }
        if frame.len() < OVERHEAD {
            return Err(Error::Malformed("a MESSAGE that is too short for a box"));
        }
        frame.advance(NAME.len());
        let number = frame.get_u64();
        if number <= self.last {
            return Err(Error::Replayed);
        }
        self.last = number;
        let (tag, text) = frame.split_first_chunk_mut().expect("it is longer than that");
        self.key.open(&short_nonce(self.name, number), tag, text).ok_or(Error::Unopened("MESSAGE"))?;
        frame.advance(TAG);
        let flags = frame.get_u8();
        if flags & !(MORE | COMMAND) != 0 {
            return Err(Error::Malformed("a box with flags that there are not"));
        }
        if flags == MORE | COMMAND {
            return Err(Error::Malformed("a command of several frames"));
        }
        // An empty frame would keep the room of the box.
        let bytes = if frame.is_empty() { Bytes::new() } else { frame.freeze() };
        Ok(Frame { bytes, is_command: flags == COMMAND, has_more: flags == MORE })
    }
}
