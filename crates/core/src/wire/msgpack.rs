//! MessagePack, token by token, both ways.

use super::reader::{Raw, Token};
use crate::fault::Fault;

/// Reads the token that starts at `at`, and says where it ends.
pub(super) fn token(input: &[u8], at: usize) -> Result<(Raw<'_>, usize), Fault> {
    let mut bytes = Bytes { input, at };
    let marker = bytes.take(1)?[0];
    let plain = match marker {
        0x00..=0x7f => Token::Int(marker.into()),
        0xe0..=0xff => Token::Int((marker as i8).into()),
        0x80..=0x8f => return Ok((Raw::Map(Some(usize::from(marker & 0x0f))), bytes.at)),
        0x90..=0x9f => return Ok((Raw::List(Some(usize::from(marker & 0x0f))), bytes.at)),
        0xa0..=0xbf => bytes.text(usize::from(marker & 0x1f))?,
        0xc0 => Token::Null,
        0xc2 => Token::Bool(false),
        0xc3 => Token::Bool(true),
        0xc4..=0xc6 => {
            let length = bytes.length(1 << (marker - 0xc4))?;
            Token::Bytes(bytes.take(length)?)
        }
        0xca => Token::Float(f32::from_bits(bytes.unsigned(4)? as u32).into()),
        0xcb => Token::Float(f64::from_bits(bytes.unsigned(8)?)),
        0xcc..=0xcf => Token::Int(bytes.unsigned(1 << (marker - 0xcc))?.into()),
        0xd0 => Token::Int((bytes.unsigned(1)? as i8).into()),
        0xd1 => Token::Int((bytes.unsigned(2)? as i16).into()),
        0xd2 => Token::Int((bytes.unsigned(4)? as i32).into()),
        0xd3 => Token::Int((bytes.unsigned(8)? as i64).into()),
        0xd9..=0xdb => {
            let length = bytes.length(1 << (marker - 0xd9))?;
            bytes.text(length)?
        }
        0xdc | 0xdd => return Ok((Raw::List(Some(bytes.length(2 << (marker - 0xdc))?)), bytes.at)),
        0xde | 0xdf => return Ok((Raw::Map(Some(bytes.length(2 << (marker - 0xde))?)), bytes.at)),
        0xc1 => return Err(Fault::malformed("the reserved byte c1").at_offset(at)),
        0xc7..=0xc9 | 0xd4..=0xd8 => {
            return Err(Fault::malformed("an extension type, which the wire does not have").at_offset(at));
        }
    };
    Ok((Raw::Plain(plain), bytes.at))
}

/// Where the value that starts at `at` ends, without a look at what its texts say; `None` if it is broken or over a limit.
///
/// This is what every message's arguments pass before they are decoded, so it makes no tokens.
pub(super) fn skip(input: &[u8], at: usize, depth_left: usize, values_left: &mut usize) -> Option<usize> {
    *values_left = values_left.checked_sub(1)?;
    let marker = *input.get(at)?;
    let at = at + 1;
    let length = |width: usize| {
        let bytes = input.get(at..at + width)?;
        Some(bytes.iter().fold(0, |number: usize, byte| number << 8 | usize::from(*byte)))
    };
    let after = |from: usize, count: usize| {
        let end = from.checked_add(count)?;
        (end <= input.len()).then_some(end)
    };
    let (start, children) = match marker {
        0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => return Some(at),
        0xa0..=0xbf => return after(at, usize::from(marker & 0x1f)),
        0xcc | 0xd0 => return after(at, 1),
        0xcd | 0xd1 => return after(at, 2),
        0xca | 0xce | 0xd2 => return after(at, 4),
        0xcb | 0xcf | 0xd3 => return after(at, 8),
        0xc4 | 0xd9 => return after(at + 1, length(1)?),
        0xc5 | 0xda => return after(at + 2, length(2)?),
        0xc6 | 0xdb => return after(at + 4, length(4)?),
        0x80..=0x8f => (at, usize::from(marker & 0x0f) * 2),
        0x90..=0x9f => (at, usize::from(marker & 0x0f)),
        0xdc => (at + 2, length(2)?),
        0xdd => (at + 4, length(4)?),
        0xde => (at + 2, length(2)?.checked_mul(2)?),
        0xdf => (at + 4, length(4)?.checked_mul(2)?),
        0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => return None,
    };
    let depth_left = depth_left.checked_sub(1)?;
    let mut at = start;
    for _ in 0..children {
        at = skip(input, at, depth_left, values_left)?;
    }
    Some(at)
}

struct Bytes<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let taken = self.input[self.at..].get(..count);
        let taken = taken.ok_or_else(|| {
            let left = self.input.len() - self.at;
            Fault::malformed(format!("truncated: {count} bytes are due, {left} are left")).at_offset(self.at)
        })?;
        self.at += count;
        Ok(taken)
    }

    fn unsigned(&mut self, width: usize) -> Result<u64, Fault> {
        Ok(self.take(width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn length(&mut self, width: usize) -> Result<usize, Fault> {
        Ok(usize::try_from(self.unsigned(width)?).unwrap_or(usize::MAX))
    }

    fn text(&mut self, length: usize) -> Result<Token<'a>, Fault> {
        let start = self.at;
        match std::str::from_utf8(self.take(length)?) {
            Ok(text) => Ok(Token::Text(text.into())),
            Err(_) => Err(Fault::malformed("a text that is not UTF-8").at_offset(start)),
        }
    }
}

/// Appends an integer in its shortest form; `false` if it is outside -2^63..2^64.
pub(super) fn write_int(out: &mut Vec<u8>, int: i128) -> bool {
    if let Ok(unsigned) = u64::try_from(int) {
        match unsigned {
            0..=0x7f => out.push(unsigned as u8),
            0x80..=0xff => out.extend_from_slice(&[0xcc, unsigned as u8]),
            0x100..=0xffff => wide(out, 0xcd, &(unsigned as u16).to_be_bytes()),
            0x1_0000..=0xffff_ffff => wide(out, 0xce, &(unsigned as u32).to_be_bytes()),
            _ => wide(out, 0xcf, &unsigned.to_be_bytes()),
        }
    } else if let Ok(signed) = i64::try_from(int) {
        match signed {
            -0x20..=-1 => out.push(signed as u8),
            -0x80.. => out.extend_from_slice(&[0xd0, signed as u8]),
            -0x8000.. => wide(out, 0xd1, &(signed as i16).to_be_bytes()),
            -0x8000_0000.. => wide(out, 0xd2, &(signed as i32).to_be_bytes()),
            _ => wide(out, 0xd3, &signed.to_be_bytes()),
        }
    } else {
        return false;
    }
    true
}

pub(super) fn write_float(out: &mut Vec<u8>, float: f64) {
    wide(out, 0xcb, &float.to_be_bytes());
}

pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    match text.len() {
        length @ 0..=31 => out.push(0xa0 | length as u8),
        length => write_length(out, length, Some(0xd9), 0xda, 0xdb),
    }
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_length(out, bytes.len(), Some(0xc4), 0xc5, 0xc6);
    out.extend_from_slice(bytes);
}

pub(super) fn write_list(out: &mut Vec<u8>, length: usize) {
    match length {
        0..=15 => out.push(0x90 | length as u8),
        _ => write_length(out, length, None, 0xdc, 0xdd),
    }
}

pub(super) fn write_map(out: &mut Vec<u8>, length: usize) {
    match length {
        0..=15 => out.push(0x80 | length as u8),
        _ => write_length(out, length, None, 0xde, 0xdf),
    }
}

/// Appends a length with the marker of the shortest form that holds it.
fn write_length(out: &mut Vec<u8>, length: usize, marker8: Option<u8>, marker16: u8, marker32: u8) {
    match (length, marker8) {
        (0..=0xff, Some(marker)) => out.extend_from_slice(&[marker, length as u8]),
        (0..=0xffff, _) => wide(out, marker16, &(length as u16).to_be_bytes()),
        // More than 4 GiB is over every limit on messages; the writer's own check says so before this.
        _ => wide(out, marker32, &(length as u32).to_be_bytes()),
    }
}

fn wide(out: &mut Vec<u8>, marker: u8, bytes: &[u8]) {
    out.push(marker);
    out.extend_from_slice(bytes);
}
