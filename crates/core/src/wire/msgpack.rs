//! MessagePack, token by token, both ways.

use super::{Entries, Items, Token, text};
use crate::fault::Fault;

/// Reads the token that starts at `at`, and moves there where it ends.
#[inline]
pub(super) fn token<'a>(input: &'a [u8], at: &mut usize) -> Result<Token<'a>, Fault> {
    let start = *at;
    let mut bytes = Bytes { input, at: start };
    let [marker] = bytes.array()?;
    let token = match marker {
        0x00..=0x7f => Token::Int(marker.into()),
        0xe0..=0xff => Token::Int((marker as i8).into()),
        0x80..=0x8f => Token::Map(Entries::of(usize::from(marker & 0x0f))),
        0x90..=0x9f => Token::List(Items::of(usize::from(marker & 0x0f))),
        0xa0..=0xbf => bytes.text(usize::from(marker & 0x1f))?,
        0xc0 => Token::Null,
        0xc2 => Token::Bool(false),
        0xc3 => Token::Bool(true),
        0xc4..=0xc6 => {
            let length = bytes.length(marker - 0xc4)?;
            Token::Bytes(bytes.take(length)?)
        }
        0xca => Token::Float(f32::from_be_bytes(bytes.array()?).into()),
        0xcb => Token::Float(f64::from_be_bytes(bytes.array()?)),
        0xcc => Token::Int(u8::from_be_bytes(bytes.array()?).into()),
        0xcd => Token::Int(u16::from_be_bytes(bytes.array()?).into()),
        0xce => Token::Int(u32::from_be_bytes(bytes.array()?).into()),
        0xcf => Token::Int(u64::from_be_bytes(bytes.array()?).into()),
        0xd0 => Token::Int(i8::from_be_bytes(bytes.array()?).into()),
        0xd1 => Token::Int(i16::from_be_bytes(bytes.array()?).into()),
        0xd2 => Token::Int(i32::from_be_bytes(bytes.array()?).into()),
        0xd3 => Token::Int(i64::from_be_bytes(bytes.array()?).into()),
        0xd9..=0xdb => {
            let length = bytes.length(marker - 0xd9)?;
            bytes.text(length)?
        }
        0xdc | 0xdd => Token::List(Items::of(bytes.length(marker - 0xdc + 1)?)),
        0xde | 0xdf => Token::Map(Entries::of(bytes.length(marker - 0xde + 1)?)),
        0xc1 => return Err(Fault::malformed("the reserved byte c1").at_offset(start)),
        0xc7..=0xc9 | 0xd4..=0xd8 => {
            return Err(Fault::malformed("an extension type, which the wire does not have").at_offset(start));
        }
    };
    *at = bytes.at;
    Ok(token)
}

/// A number from 0 at the start of `input`, and its length in bytes; `None` for anything else.
#[inline]
pub(super) fn plain_int(input: &[u8]) -> Option<(u64, usize)> {
    Some(match input {
        [int @ 0x00..=0x7f, ..] => ((*int).into(), 1),
        [0xcc, rest @ ..] => (u8::from_be_bytes(*rest.first_chunk()?).into(), 2),
        [0xcd, rest @ ..] => (u16::from_be_bytes(*rest.first_chunk()?).into(), 3),
        [0xce, rest @ ..] => (u32::from_be_bytes(*rest.first_chunk()?).into(), 5),
        [0xcf, rest @ ..] => (u64::from_be_bytes(*rest.first_chunk()?), 9),
        _ => return None,
    })
}

/// A float of 64 bits at the start of `input`; `None` for anything else.
#[inline]
pub(super) fn plain_float(input: &[u8]) -> Option<f64> {
    match input {
        [0xcb, rest @ ..] => Some(f64::from_be_bytes(*rest.first_chunk()?)),
        _ => None,
    }
}

/// A list or map that starts at `at`: how many values are in it, and where they start; `None` for anything else.
#[inline]
pub(super) fn container(input: &[u8], at: usize) -> Option<(usize, usize)> {
    Some(match input.get(at..)? {
        [marker @ 0x80..=0x8f, ..] => (2 * usize::from(marker & 0x0f), at + 1),
        [marker @ 0x90..=0x9f, ..] => (usize::from(marker & 0x0f), at + 1),
        _ => return None,
    })
}

/// A text of less than 32 bytes that starts at `at`, as the bytes it is made of: most keys.
#[inline]
pub(super) fn short_text(input: &[u8], at: usize) -> Option<&[u8]> {
    match input.get(at..)? {
        [marker @ 0xa0..=0xbf, rest @ ..] => rest.get(..usize::from(marker & 0x1f)),
        _ => None,
    }
}

/// Passes numbers, booleans, nulls and short ASCII texts from `at` on, `most` of them at most: how many there were, and
/// where they end. Stops before anything else, truncated values included.
#[inline]
pub(super) fn plain_values(input: &[u8], mut at: usize, most: usize) -> (usize, usize) {
    for passed in 0..most {
        let end = match input.get(at..).and_then(<[u8]>::split_first) {
            Some((&marker, rest)) => match PLAIN[usize::from(marker)] {
                RARE => None,
                TEXT_8 => {
                    rest.split_first().and_then(|(length, rest)| text_end(rest, at + 2, usize::from(*length)))
                }
                text @ TEXT.. => text_end(rest, at + 1, usize::from(text - TEXT)),
                length => (usize::from(length) <= rest.len()).then(|| at + 1 + usize::from(length)),
            },
            None => None,
        };
        match end {
            Some(end) => at = end,
            None => return (passed, at),
        }
    }
    (most, at)
}

/// Where a text ends that starts with `rest` at `at`, if it is whole and ASCII.
#[inline]
fn text_end(rest: &[u8], at: usize, length: usize) -> Option<usize> {
    rest.get(..length).is_some_and(text::is_ascii).then_some(at + length)
}

/// What follows a marker: so many bytes, or a text of so many bytes.
const PLAIN: [u8; 256] = {
    let mut lengths = [RARE; 256];
    let mut marker = 0;
    while marker < 256 {
        lengths[marker] = match marker as u8 {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => 0,
            0xcc | 0xd0 => 1,
            0xcd | 0xd1 => 2,
            0xca | 0xce | 0xd2 => 4,
            0xcb | 0xcf | 0xd3 => 8,
            text @ 0xa0..=0xbf => TEXT + (text & 0x1f),
            0xd9 => TEXT_8,
            _ => RARE,
        };
        marker += 1;
    }
    lengths
};

/// Stands for containers and for what is rare.
const RARE: u8 = 0x7f;

/// Stands for a text; its length is added.
const TEXT: u8 = 0x80;

/// Stands for a text whose length is the next byte.
const TEXT_8: u8 = u8::MAX;

struct Bytes<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    #[inline]
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        match self.input[self.at..].get(..count) {
            Some(taken) => {
                self.at += count;
                Ok(taken)
            }
            None => Err(self.truncated(count)),
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        match self.input[self.at..].first_chunk() {
            Some(taken) => {
                self.at += N;
                Ok(*taken)
            }
            None => Err(self.truncated(N)),
        }
    }

    #[cold]
    fn truncated(&self, count: usize) -> Fault {
        let left = self.input.len() - self.at;
        Fault::malformed(format!("truncated: {count} bytes are due, {left} are left")).at_offset(self.at)
    }

    /// A length of 8, 16 or 32 bits, for a width of 0, 1 or 2.
    #[inline]
    fn length(&mut self, width: u8) -> Result<usize, Fault> {
        Ok(match width {
            0 => u8::from_be_bytes(self.array()?).into(),
            1 => u16::from_be_bytes(self.array()?).into(),
            _ => usize::try_from(u32::from_be_bytes(self.array()?)).unwrap_or(usize::MAX),
        })
    }

    #[inline]
    fn text(&mut self, length: usize) -> Result<Token<'a>, Fault> {
        let start = self.at;
        match text::utf8(self.take(length)?) {
            Some(text) => Ok(Token::Text(text.into())),
            None => Err(Fault::malformed("a text that is not UTF-8").at_offset(start)),
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

#[inline]
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
