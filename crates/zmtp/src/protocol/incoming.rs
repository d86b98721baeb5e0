//! What the other side says, frame by frame, within limits.

use bytes::{Buf as _, Bytes, BytesMut};

use super::Limits;
use super::curve::{OVERHEAD, Opener};
use super::frame::Header;
use crate::{Error, Message};

/// What the other side says.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    pub(super) input: BytesMut,
    /// Whether a large frame is on its way, and there is room for it.
    pub(super) has_made_room: bool,
    /// What opens it, if the handshake has agreed on encryption.
    pub(super) opener: Option<Opener>,
    /// The frames of a message that is not whole.
    message: Message,
    message_bytes: usize,
}

/// A frame that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) bytes: Bytes,
    pub(super) is_command: bool,
    /// Whether another frame of the same message follows.
    pub(super) has_more: bool,
}

/// From this size on, a frame is read to where it stays, and not behind others.
const LARGE: usize = 32 << 10;

/// How much room is made for a frame that is announced, before much of it has come.
const GROWTH: usize = 256 << 10;

/// How many times as much as has come may be made room for.
const AHEAD: usize = 4;

/// Room behind a frame that is read to where it stays: a read that does not fill what it was given is known to be the last.
const SPARE: usize = 1 << 10;

impl Incoming {
    /// Takes the next frame from the input, if it is all there.
    #[inline]
    pub(super) fn frame(&mut self, limits: &Limits) -> Result<Option<Frame>, Error> {
        let Some(header) = Header::read(&self.input)? else {
            return Ok(None);
        };
        if self.opener.is_some() {
            return self.boxed(limits, header);
        }
        let bytes = self.admitted(limits, header.is_command, header.bytes)?;
        if !self.is_there(header, bytes) {
            return Ok(None);
        }
        let bytes = self.take(header, bytes);
        Ok(Some(Frame { bytes, is_command: header.is_command, has_more: header.has_more }))
    }

    /// Does the same where frames come in boxes.
    #[inline(never)]
    fn boxed(&mut self, limits: &Limits, header: Header) -> Result<Option<Frame>, Error> {
        let bytes = self.admitted_box(limits, header)?;
        if !self.is_there(header, bytes) {
            return Ok(None);
        }
        self.input.advance(header.length);
        let sealed = self.input.split_to(bytes);
        let Some(opener) = &mut self.opener else {
            return Ok(None);
        };
        let frame = opener.open(sealed)?;
        self.admitted(limits, frame.is_command, frame.bytes.len() as u64)?;
        Ok(Some(frame))
    }

    /// Takes the next frame before the handshake is done, if it is all there. A stranger may announce anything: what is no command, or too
    /// long for one, is refused by its header alone.
    #[cold]
    pub(super) fn handshake_frame(&mut self, limits: &Limits) -> Result<Option<Bytes>, Error> {
        let Some(header) = Header::read(&self.input)? else {
            return Ok(None);
        };
        if !header.is_command {
            return Err(Error::Malformed("a message before the handshake was done"));
        }
        let bytes = within(limits.handshake_bytes, header.bytes)?;
        let is_there = self.is_there(header, bytes);
        Ok(is_there.then(|| self.take(header, bytes)))
    }

    /// Takes a frame that is all there.
    #[inline]
    fn take(&mut self, header: Header, bytes: usize) -> Bytes {
        self.input.advance(header.length);
        if bytes == 0 { Bytes::new() } else { self.input.split_to(bytes).freeze() }
    }

    /// Whether a frame of so many bytes is all there.
    #[inline]
    fn is_there(&mut self, header: Header, bytes: usize) -> bool {
        let is_there = self.input.len() - header.length >= bytes;
        if !is_there && bytes >= LARGE {
            self.make_room(header.length.saturating_add(bytes));
        }
        is_there
    }

    /// Makes room for a frame of so many bytes, as they come, and not because they are announced.
    #[inline(never)]
    fn make_room(&mut self, bytes: usize) {
        let come = self.input.len();
        let room = bytes.min(GROWTH.max(come.saturating_mul(AHEAD))) + SPARE;
        if self.input.capacity() < room {
            // To let it grow by itself would make it twice as large as it was, whatever is needed.
            let mut input = BytesMut::with_capacity(room);
            input.extend_from_slice(&self.input);
            self.input = input;
        }
        self.has_made_room = true;
    }

    /// Holds a frame against the limits, before a byte of it is kept.
    #[inline]
    fn admitted(&self, limits: &Limits, is_command: bool, declared: u64) -> Result<usize, Error> {
        let limit = if is_command { limits.command_bytes } else { limits.frame_bytes };
        let bytes = within(limit, declared)?;
        if is_command {
            return Ok(bytes);
        }
        if self.message.len() >= limits.message_frames {
            return Err(Error::TooManyFrames { limit: limits.message_frames });
        }
        let total = self.message_bytes.saturating_add(bytes);
        if total > limits.message_bytes {
            return Err(Error::MessageTooLarge { bytes: total as u64, limit: limits.message_bytes });
        }
        Ok(bytes)
    }

    /// Does the same with a box. Whether it holds a command is known when it is open: until then, one that a command fits into may come.
    fn admitted_box(&self, limits: &Limits, header: Header) -> Result<usize, Error> {
        if header.has_more {
            return Err(Error::Malformed("a box in several frames"));
        }
        let inside = header.bytes.saturating_sub(OVERHEAD as u64);
        let inside = match usize::try_from(inside) {
            Ok(inside) if inside <= limits.command_bytes => inside,
            _ => self.admitted(limits, false, inside)?,
        };
        // One that is shorter than its own beginning is refused when it is opened.
        Ok(inside.saturating_add((header.bytes - inside as u64) as usize))
    }

    /// Adds a frame to its message.
    #[inline]
    pub(super) fn part(&mut self, bytes: Bytes) {
        self.message_bytes += bytes.len();
        self.message.push(bytes);
    }

    /// Takes the message, which is whole.
    #[inline]
    pub(super) fn message(&mut self) -> Message {
        self.message_bytes = 0;
        std::mem::take(&mut self.message)
    }
}

/// Holds what is declared against a limit.
#[inline]
fn within(limit: usize, declared: u64) -> Result<usize, Error> {
    let bytes = usize::try_from(declared).ok().filter(|bytes| *bytes <= limit);
    bytes.ok_or(Error::FrameTooLarge { bytes: declared, limit })
}
