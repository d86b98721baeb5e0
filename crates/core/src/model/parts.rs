//! Takes values apart from which models and declarations are read.

use crate::fault::Fault;
use crate::value::{Map, Value};

/// A map that has no keys but the known ones.
pub(crate) fn fields<'v>(value: &'v Value, known: &[&str]) -> Result<&'v Map, Fault> {
    let map = value.as_map().ok_or_else(|| Fault::mismatch("a map", value.named()))?;
    match map.iter().find(|(key, _)| !key.as_text().is_some_and(|key| known.contains(&key))) {
        None => Ok(map),
        Some((Value::Text(stray), _)) => Err(Fault::unknown(stray, known.iter().copied())),
        Some((key, _)) => Err(Fault::mismatch("a text as key", key.named())),
    }
}

/// Reads a field that must be there.
pub(crate) fn required<'v, T>(
    map: &'v Map,
    field: &str,
    read: impl FnOnce(&'v Value) -> Result<T, Fault>,
) -> Result<T, Fault> {
    optional(map, field, read)?.ok_or_else(|| Fault::missing().within(field))
}

/// Reads a field if it is there.
pub(crate) fn optional<'v, T>(
    map: &'v Map,
    field: &str,
    read: impl FnOnce(&'v Value) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    map.get(field).map(read).transpose().map_err(|fault| fault.within(field))
}

/// Reads each item of a list.
pub(crate) fn list<T>(
    value: &Value,
    mut read: impl FnMut(&Value) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    match value {
        Value::List(items) => {
            let item = |(index, item)| read(item).map_err(|fault: Fault| fault.at(index));
            items.iter().enumerate().map(item).collect()
        }
        other => Err(Fault::mismatch("a list", other.named())),
    }
}

/// A text.
pub(crate) fn text(value: &Value) -> Result<String, Fault> {
    value.as_text().map(str::to_owned).ok_or_else(|| Fault::mismatch("a text", value.named()))
}

/// A boolean.
pub(crate) fn flag(value: &Value) -> Result<bool, Fault> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        other => Err(Fault::mismatch("a boolean", other.named())),
    }
}

/// The first text that an earlier one equals.
pub(crate) fn first_repeated<'a>(mut texts: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    texts.find(|text| !seen.insert(*text))
}
