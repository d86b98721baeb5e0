//! What the code that `#[derive(State)]` writes calls, so that it stays short.

use std::borrow::Cow;

use super::Edit;
use crate::fault::Fault;
use crate::model::Model;
use crate::wire::{Limits, Reader, Writer};

/// Reads the new value of a field that is required. Null removes one that turns out to be optional, and is refused otherwise.
pub fn read_required<T: Model>(
    reader: &mut Reader<'_>,
    at: usize,
    name: &str,
    slot: &mut Option<T>,
) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(twice(name, at));
    }
    let start = reader.offset();
    let removed = if reader.is_null() { Some(T::absent()) } else { None };
    *slot = Some(match removed {
        Some(Some(absent)) => {
            reader.null()?;
            absent
        }
        Some(None) => {
            // Reading it says what was expected, unless a null is among it.
            let refused = T::decode(reader).err();
            let refused =
                refused.unwrap_or_else(|| Fault::mismatch("a value, as the field is required", "null"));
            return Err(refused.within(name).at_offset(start));
        }
        None => T::decode(reader).map_err(|fault| fault.within(name))?,
    });
    Ok(())
}

/// Reads what becomes of a field that may be removed.
pub fn read_edit<T: Model>(
    reader: &mut Reader<'_>,
    at: usize,
    name: &str,
    slot: &mut Edit<T>,
) -> Result<(), Fault> {
    if !matches!(slot, Edit::Keep) {
        return Err(twice(name, at));
    }
    *slot = match reader.null()? {
        true => Edit::Remove,
        false => Edit::Set(T::decode(reader).map_err(|fault| fault.within(name))?),
    };
    Ok(())
}

fn twice(name: &str, at: usize) -> Fault {
    Fault::malformed("the key stands twice").within(name).at_offset(at)
}

/// Writes a new value. One that stands for nothing is the null that removes; any other that is null would be taken for that, and is a mistake.
pub fn write_new<'k, T: Model>(writer: &mut Writer, value: &T, key: impl FnOnce() -> Cow<'k, str>) {
    if value.is_absent() {
        return writer.null();
    }
    let start = writer.len();
    value.encode(writer);
    if Reader::new(writer.since(start), writer.encoding(), &Limits::default()).is_null() {
        let text = "null in a change removes the key, so it cannot be its value";
        writer.fail(Fault::malformed(text).within(&key()));
    }
}

/// Writes the field of a change under its key.
pub fn write_required<T: Model>(writer: &mut Writer, name: &'static str, change: Option<&T>) {
    if let Some(value) = change {
        writer.key(name);
        write_new(writer, value, || name.into());
    }
}

/// As [`write_required`], for a field that may be removed.
pub fn write_edit<T: Model>(writer: &mut Writer, name: &'static str, edit: &Edit<T>) {
    match edit {
        Edit::Keep => {}
        Edit::Remove => {
            writer.key(name);
            writer.null();
        }
        Edit::Set(value) => write_required(writer, name, Some(value)),
    }
}

/// As [`write_edit`], for a field that has its default when it is removed: that is written out, as it is in the whole value.
pub fn write_with_default<T: Model>(
    writer: &mut Writer,
    name: &'static str,
    edit: &Edit<T>,
    default: impl FnOnce() -> T,
) {
    match edit {
        Edit::Set(value) if !value.is_absent() => write_required(writer, name, Some(value)),
        Edit::Keep => {}
        Edit::Remove | Edit::Set(_) => write_required(writer, name, Some(&default())),
    }
}

/// Changes an optional field.
pub fn apply_edit<T: Model>(field: &mut Option<T>, edit: Edit<T>) {
    match edit {
        Edit::Keep => {}
        Edit::Remove => *field = None,
        Edit::Set(value) => *field = Some(value).filter(|value| !value.is_absent()),
    }
}

/// Changes a field that has a default.
pub fn apply_with_default<T: Model>(field: &mut T, edit: Edit<T>, default: impl FnOnce() -> T) {
    match edit {
        Edit::Keep => {}
        Edit::Set(value) if !value.is_absent() => *field = value,
        Edit::Remove | Edit::Set(_) => *field = default(),
    }
}
