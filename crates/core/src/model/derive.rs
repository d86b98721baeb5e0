//! What the code that `#[derive(Model)]` writes calls, so that it stays short.

use std::borrow::Cow;

use super::{Field, Key, Shape, Shapes, named_choice};
use crate::fault::Fault;
use crate::wire::{self, Entries, Peer, Reader, Token, Writer, text};

pub use super::containers::map;

/// A key and where it stands. One that the record does not have may not be UTF-8.
pub type FoundKey<'a> = (usize, Cow<'a, [u8]>);

/// The next key of a record; `None` at the end.
#[inline]
pub fn key<'a>(entries: &mut Entries, reader: &mut Reader<'a>) -> Result<Option<FoundKey<'a>>, Fault> {
    if !entries.next(reader)? {
        return Ok(None);
    }
    let start = reader.offset();
    entries.read_key_bytes(reader).map(|key| Some((start, key)))
}

/// The description of a field, from what its type says of itself.
pub fn field<T>(
    shapes: &mut Shapes,
    name: &str,
    doc: &str,
    has_default: bool,
    shape: impl FnOnce(&mut Shapes) -> Shape,
    absent: impl FnOnce() -> Option<T>,
) -> Field {
    let may_be_absent = absent().is_some();
    let shape = match shape(shapes) {
        Shape::Nullable(inner) if may_be_absent => *inner,
        shape => shape,
    };
    Field { name: name.into(), doc: doc.into(), required: !may_be_absent && !has_default, shape }
}

/// Reads the field whose key stood at `at` into its slot. Null for a field that may be missing counts as missing.
#[inline]
pub fn read<T>(
    reader: &mut Reader<'_>,
    at: usize,
    name: &str,
    slot: &mut Option<T>,
    decode: impl FnOnce(&mut Reader<'_>) -> Result<T, Fault>,
    absent: impl FnOnce() -> Option<T>,
) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(Fault::malformed("the key stands twice").within(name).at_offset(at));
    }
    let absent = if reader.is_null() { absent() } else { None };
    *slot = Some(match absent {
        Some(absent) => {
            reader.null()?;
            absent
        }
        None => decode(reader).map_err(|fault| fault.within(name))?,
    });
    Ok(())
}

/// The value of a field after the whole record, which starts at `start`, was read.
#[inline]
pub fn take<T>(
    slot: Option<T>,
    start: usize,
    name: &str,
    absent: impl FnOnce() -> Option<T>,
) -> Result<T, Fault> {
    slot.or_else(absent).ok_or_else(|| Fault::missing().within(name).at_offset(start))
}

/// Refuses a field that the record, which starts at `start`, does not have.
#[cold]
pub fn unknown(reader: &Reader<'_>, start: usize, at: usize, key: &[u8], known: &[&str]) -> Fault {
    match utf8(key, at) {
        Ok(key) => match wire::tagged_as(key) {
            Some(tagged) => not_a_map(reader, start, tagged),
            None => Fault::unknown(key, known.iter().copied()).at_offset(at),
        },
        Err(fault) => fault,
    }
}

/// Reads past a field that an open record, which starts at `start`, does not have.
pub fn pass(reader: &mut Reader<'_>, start: usize, at: usize, key: &[u8]) -> Result<(), Fault> {
    let key = utf8(key, at)?;
    match wire::tagged_as(key) {
        Some(tagged) => Err(not_a_map(reader, start, tagged)),
        None => reader.skip().map_err(|fault| fault.within(key)),
    }
}

pub(crate) fn utf8(key: &[u8], at: usize) -> Result<&str, Fault> {
    text::utf8(key).ok_or_else(|| Fault::malformed("a text that is not UTF-8").at_offset(at))
}

/// The fault of a map at `start`, just entered, that is `tagged` instead.
pub(super) fn not_a_map(reader: &Reader<'_>, start: usize, tagged: &str) -> Fault {
    let found = reader.found(start).unwrap_or_else(|| tagged.to_owned());
    Fault::mismatch("a map", found).at_offset(start)
}

/// Reads one of a few texts.
pub fn choice<T: Key>(reader: &mut Reader<'_>, names: &[&str]) -> Result<T, Fault> {
    let start = reader.offset();
    let token = reader.token()?;
    let known = if let Token::Text(text) = &token { T::from_text(text) } else { None };
    known.ok_or_else(|| reader.mismatch(named_choice(names.iter().copied()), &token, start))
}

/// Whether a field with a default is written: always, since its absence would mean the default. Python takes no null, though.
pub fn is_written(is_absent: bool, writer: &Writer) -> bool {
    writer.peer() != Peer::Python || !is_absent
}
