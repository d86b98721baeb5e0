//! Frames: a byte of flags, a length, and so many bytes.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::Output;
use crate::Error;

const MORE: u8 = 0b001;
const LONG: u8 = 0b010;
const COMMAND: u8 = 0b100;

/// The most bytes before those of a frame.
pub(super) const HEADER_MAX: usize = 9;

/// What stands before the bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) is_command: bool,
    /// Whether another frame of the same message follows.
    pub(super) has_more: bool,
    /// Bytes of the frame, as declared.
    pub(super) bytes: u64,
    /// Bytes of the header itself.
    pub(super) length: usize,
}

impl Header {
    /// Reads a header; `None` while it is not whole.
    #[inline]
    pub(super) fn read(input: &[u8]) -> Result<Option<Self>, Error> {
        let Some((&flags, rest)) = input.split_first() else { return Ok(None) };
        let is_command = flags & COMMAND != 0;
        let has_more = flags & MORE != 0;
        if flags & !(MORE | LONG | COMMAND) != 0 {
            return Err(Error::Malformed("a frame with flags that there are not"));
        }
        if is_command && has_more {
            return Err(Error::Malformed("a command of several frames"));
        }
        let (bytes, length) = if flags & LONG == 0 {
            let Some(&bytes) = rest.first() else { return Ok(None) };
            (bytes.into(), 2)
        } else {
            let Some(bytes) = rest.first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(*bytes), HEADER_MAX)
        };
        Ok(Some(Self { is_command, has_more, bytes, length }))
    }
}

/// Writes what stands before the bytes of a frame.
#[inline]
pub(super) fn write_header(out: &mut BytesMut, flags: u8, bytes: usize) {
    match u8::try_from(bytes) {
        Ok(short) => out.put_slice(&[flags, short]),
        Err(_) => {
            out.put_u8(flags | LONG);
            out.put_u64(bytes as u64);
        }
    }
}

/// Writes the frames of a message.
#[inline]
pub(super) fn write_message(out: &mut Output, frames: &[Bytes]) {
    for (index, frame) in frames.iter().enumerate() {
        let flags = if index + 1 < frames.len() { MORE } else { 0 };
        out.push(|out| write_header(out, flags, frame.len()), frame);
    }
}

/// Writes a command: its name behind its length, then its parts.
pub(super) fn write_command(out: &mut Output, name: &str, parts: &[&[u8]]) {
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    out.write(|out| {
        write_header(out, COMMAND, 1 + name.len() + bytes);
        out.put_u8(name.len() as u8);
        out.put_slice(name.as_bytes());
        parts.iter().for_each(|part| out.put_slice(part));
    });
}
