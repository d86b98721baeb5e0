//! Writes the type of a field in a word or two, in the notation of the original where it has one.

use service_framework_core::Value;
use service_framework_core::model::{Record, Shape};

/// The type: a name such as `u32`, or `[T]` for a list, `(A, B)` for a tuple, `{T}` for a set, `{K: V}` for a map.
pub(super) fn named(shape: &Shape) -> String {
    match shape {
        Shape::List(item) => format!("[{}]", named(item)),
        Shape::Set(member) => format!("{{{}}}", named(member)),
        Shape::Map(key, value) => format!("{{{}: {}}}", named(key), named(value)),
        Shape::Tuple(shapes) => format!("({})", shapes.iter().map(named).collect::<Vec<_>>().join(", ")),
        Shape::Nullable(inner) => format!("{} or null", named(inner)),
        Shape::Choice(choice) => choice.values.join(" | "),
        Shape::Int(range) if range.name().is_none() => format!("int from {} to {}", range.min, range.max),
        Shape::Array(Some(elements)) => format!("array of {}", elements.name()),
        Shape::Record(record) if record.name.is_empty() => "map".into(),
        Shape::Record(record) => record.name.clone(),
        Shape::Outer(name) => name.to_string(),
        plain => match plain.to_value() {
            Value::Text(name) => name,
            other => other.to_string(),
        },
    }
}

/// The records that a shape is made of, those inside them left out.
pub(super) fn records(shape: &Shape) -> Vec<&Record> {
    match shape {
        Shape::Record(record) => vec![record],
        Shape::List(inner) | Shape::Set(inner) | Shape::Nullable(inner) => records(inner),
        Shape::Map(key, value) => [records(key), records(value)].concat(),
        Shape::Tuple(shapes) => shapes.iter().flat_map(records).collect(),
        _ => Vec::new(),
    }
}
