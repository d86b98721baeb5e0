//! Turns what people write into what a model asks for, where both mean the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::model::{Record, Shape};
use crate::value::{Map, Uuid, Value};
use crate::wire::{self, Encoding, Limits};

/// Reads a text of the command line as what the shape asks for; a text that is no such thing stays text, which the check
/// of the whole config then reports.
pub(super) fn read_text(shape: &Shape, text: &str) -> Value {
    let read = match shape {
        Shape::Nullable(inner) if text == "null" && !matches!(**inner, Shape::Text | Shape::Any) => {
            Some(Value::Null)
        }
        Shape::Nullable(inner) => return read_text(inner, text),
        Shape::Bool if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Shape::Bool if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        Shape::Int(_) => text.parse().ok().map(Value::Int),
        Shape::Float | Shape::Float32 => {
            text.parse().ok().filter(|float| is_meant(text, *float)).map(Value::Float)
        }
        _ if has_inside(shape) => wire::decode(text.as_bytes(), Encoding::Json, &Limits::default()).ok(),
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}

/// Whether a text is the float that it was read as: digits too large for one are read as infinite, which JSON refuses, too.
fn is_meant(text: &str, float: f64) -> bool {
    float.is_finite() || !text.contains(|c: char| c.is_ascii_digit())
}

/// Whether values of the shape have values inside, and so are written as JSON.
pub(super) fn has_inside(shape: &Shape) -> bool {
    match shape {
        Shape::List(_)
        | Shape::Tuple(_)
        | Shape::Set(_)
        | Shape::Map(..)
        | Shape::Record(_)
        | Shape::Outer(_)
        | Shape::Array(_) => true,
        Shape::Nullable(inner) => has_inside(inner),
        _ => false,
    }
}

/// Gives values for which JSON has only a long form the type that the model asks for: decimals, UUIDs, bytes, sets.
pub(super) fn fit(model: &Shape, value: Value) -> Value {
    fit_inside(model, value, &mut Vec::new())
}

fn fit_inside<'s>(shape: &'s Shape, value: Value, around: &mut Vec<&'s Record>) -> Value {
    match (shape, value) {
        (Shape::Nullable(inner), value) => fit_inside(inner, value, around),
        (Shape::Decimal, Value::Text(text)) => text.parse().map(Value::Decimal).unwrap_or(Value::Text(text)),
        (Shape::Decimal, Value::Int(int)) => {
            int.to_string().parse().map(Value::Decimal).unwrap_or(Value::Int(int))
        }
        (Shape::Uuid, Value::Text(text)) => {
            Uuid::parse_str(&text).map(Value::Uuid).unwrap_or(Value::Text(text))
        }
        (Shape::Bytes, Value::Text(text)) => {
            BASE64.decode(&text).map(Value::Bytes).unwrap_or(Value::Text(text))
        }
        (Shape::List(item), Value::List(items)) => {
            Value::List(items.into_iter().map(|value| fit_inside(item, value, around)).collect())
        }
        (Shape::Set(member), Value::List(items) | Value::Set(items)) => {
            let mut members = Vec::with_capacity(items.len());
            let mut seen = std::collections::HashSet::with_capacity(items.len());
            for item in items {
                let item = fit_inside(member, item, around);
                if seen.insert(item.clone()) {
                    members.push(item);
                }
            }
            Value::Set(members)
        }
        (Shape::Tuple(shapes), Value::List(items)) if shapes.len() == items.len() => {
            let items = shapes.iter().zip(items).map(|(shape, value)| fit_inside(shape, value, around));
            Value::List(items.collect())
        }
        (Shape::Map(_, inner), Value::Map(map)) => {
            let entries = map.into_iter().map(|(key, value)| (key, fit_inside(inner, value, around)));
            Value::Map(Map::from_distinct(entries.collect()))
        }
        (Shape::Record(record), Value::Map(map)) => Value::Map(fit_record(record, map, around)),
        (Shape::Outer(name), Value::Map(map)) => {
            match around.iter().rev().find(|record| *record.name == **name).copied() {
                Some(record) => Value::Map(fit_record(record, map, around)),
                None => Value::Map(map),
            }
        }
        (_, value) => value,
    }
}

fn fit_record<'s>(record: &'s Record, map: Map, around: &mut Vec<&'s Record>) -> Map {
    around.push(record);
    let entries = map.into_iter().map(|(key, value)| {
        match record.fields.iter().find(|field| key.as_text() == Some(&field.name)) {
            Some(field) => (key, fit_inside(&field.shape, value, around)),
            None => (key, value),
        }
    });
    let map = Map::from_distinct(entries.collect());
    around.pop();
    map
}
