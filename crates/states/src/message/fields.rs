//! Reads the maps of messages, field by field, in whichever order they stand.

use service_framework_core::Fault;
use service_framework_core::model::Model;
use service_framework_core::value::Uuid;
use service_framework_core::wire::{Reader, Token};

/// Whether a reader of fields knows a key.
pub(super) enum Known {
    /// It does, and has read the value.
    Yes,
    /// It does not, and has read nothing.
    No,
}

/// Reads a map with text keys. Fields that `read` does not know are passed over: extensions live there.
pub(super) fn open_map<'a>(
    reader: &mut Reader<'a>,
    read: impl FnMut(&str, &mut Reader<'a>) -> Result<Known, Fault>,
) -> Result<(), Fault> {
    map(reader, read, Reader::skip)
}

/// Reads a map with text keys, all of which `read` must know.
pub(super) fn closed_map<'a>(
    reader: &mut Reader<'a>,
    read: impl FnMut(&str, &mut Reader<'a>) -> Result<Known, Fault>,
    known: &[&str],
) -> Result<(), Fault> {
    let mut stray = None;
    map(reader, read, |reader| {
        stray.get_or_insert(reader.offset());
        reader.skip()
    })?;
    match stray {
        None => Ok(()),
        Some(at) => {
            let expected = format!("no fields but {}", known.join(", "));
            Err(Fault::mismatch(expected, "another").at_offset(at))
        }
    }
}

fn map<'a>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(&str, &mut Reader<'a>) -> Result<Known, Fault>,
    mut unknown: impl FnMut(&mut Reader<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let start = reader.offset();
    let mut entries = match reader.token()? {
        Token::Map(entries) => entries,
        other => return Err(reader.mismatch("a map", &other, start)),
    };
    while let Some(key) = entries.text_key(reader)? {
        let step = |fault: Fault| fault.within(&key);
        if let Known::No = read(&key, reader).map_err(step)? {
            unknown(reader).map_err(step)?;
        }
    }
    Ok(())
}

/// Reads the value of a field, which may stand once.
pub(super) fn once<T>(slot: &mut Option<T>, read: impl FnOnce() -> Result<T, Fault>) -> Result<Known, Fault> {
    if slot.is_some() {
        return Err(Fault::malformed("the key stands twice"));
    }
    *slot = Some(read()?);
    Ok(Known::Yes)
}

/// The value of a field that must have been there.
pub(super) fn required<T>(slot: Option<T>, field: &str) -> Result<T, Fault> {
    slot.ok_or_else(|| Fault::missing().within(field))
}

/// Reads a UUID that is plain text; null is none.
pub(super) fn epoch(reader: &mut Reader<'_>) -> Result<Option<Uuid>, Fault> {
    let start = reader.offset();
    let Some(text) = Option::<String>::decode(reader)? else { return Ok(None) };
    let epoch = Uuid::parse_str(&text);
    epoch.map(Some).map_err(|_| Fault::mismatch("a UUID", "another text").at_offset(start))
}
