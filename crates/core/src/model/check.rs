//! Checks a value against a model that is data.

use super::Key as _;
use super::shape::{Record, Shape};
use crate::fault::Fault;
use crate::value::{DateTime, Decimal, Uuid, Value};

impl Shape {
    /// Everything about `value` that the shape does not allow; nothing if it is right.
    ///
    /// A typed model and its shape accept the same values.
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        check(self, value, &mut Vec::new(), &mut faults);
        faults
    }
}

/// Appends the faults of `value`, as seen from it; `around` holds the records that the shape is inside of.
fn check<'s>(shape: &'s Shape, value: &Value, around: &mut Vec<&'s Record>, faults: &mut Vec<Fault>) {
    let right = match (shape, value) {
        (Shape::Any, _)
        | (Shape::Bool, Value::Bool(_))
        | (Shape::Float, Value::Float(_) | Value::Int(_))
        | (Shape::Text, Value::Text(_))
        | (Shape::Bytes, Value::Bytes(_))
        | (Shape::Decimal, Value::Decimal(_))
        | (Shape::Uuid, Value::Uuid(_))
        | (Shape::Nullable(_), Value::Null) => true,
        (Shape::Int(range), Value::Int(int)) => (range.min..=range.max).contains(int),
        (Shape::DateTime, Value::Text(text)) => text.parse::<DateTime>().is_ok(),
        (Shape::Choice(choice), Value::Text(text)) => choice.values.contains(text),
        (Shape::Array(element_type), Value::Array(array)) => {
            element_type.is_none_or(|t| t == array.element_type())
        }
        (Shape::Nullable(inner), value) => return check(inner, value, around, faults),
        (Shape::List(item), Value::List(items)) => {
            return check_items(items.iter().map(|value| (&**item, value)), around, faults);
        }
        (Shape::Set(member), Value::Set(members)) => {
            return check_items(members.iter().map(|value| (&**member, value)), around, faults);
        }
        (Shape::Tuple(shapes), Value::List(items)) if shapes.len() == items.len() => {
            return check_items(shapes.iter().zip(items), around, faults);
        }
        (Shape::Map(key_shape, value_shape), Value::Map(map)) => {
            for (key, value) in map.iter() {
                let key_text = key.key_text().unwrap_or_else(|| key.named().into());
                if !key_fits(key_shape, key, around) {
                    faults.push(Fault::mismatch(key_shape.named(), key.named()).within(&key_text));
                }
                inside(
                    faults,
                    |fault| fault.within(&key_text),
                    |faults| check(value_shape, value, around, faults),
                );
            }
            return;
        }
        (Shape::Record(record), Value::Map(_)) => return check_record(record, value, around, faults),
        (Shape::Outer(name), value) => {
            let Some(record) = around.iter().rev().find(|record| *record.name == **name).copied() else {
                return faults.push(Fault::malformed(format!("the model `{name}` is not around this field")));
            };
            return match value {
                Value::Map(_) => check_record(record, value, around, faults),
                other => faults.push(Fault::mismatch("a map", other.named())),
            };
        }
        _ => false,
    };
    if !right {
        faults.push(Fault::mismatch(shape.named(), value.named()));
    }
}

fn check_record<'s>(
    record: &'s Record,
    value: &Value,
    around: &mut Vec<&'s Record>,
    faults: &mut Vec<Fault>,
) {
    let Some(map) = value.as_map() else { return };
    around.push(record);
    for field in &record.fields {
        let step = |fault: Fault| fault.within(&field.name);
        match map.get(&field.name) {
            None if field.required => faults.push(step(Fault::missing())),
            None => {}
            Some(Value::Null) if !field.required => {}
            Some(value) => inside(faults, step, |faults| check(&field.shape, value, around, faults)),
        }
    }
    around.pop();
    if !record.open {
        let known = || record.fields.iter().map(|field| field.name.as_str());
        for (key, _) in map.iter() {
            match key.as_text() {
                Some(key) if known().any(|field| field == key) => {}
                Some(key) => faults.push(Fault::unknown(key, known())),
                None => faults.push(Fault::mismatch("a text as key", key.named())),
            }
        }
    }
}

fn check_items<'s, 'v>(
    pairs: impl Iterator<Item = (&'s Shape, &'v Value)>,
    around: &mut Vec<&'s Record>,
    faults: &mut Vec<Fault>,
) {
    for (index, (shape, value)) in pairs.enumerate() {
        inside(faults, |fault| fault.at(index), |faults| check(shape, value, around, faults));
    }
}

/// Runs a check of something inside, and lets its faults take the step that leads there.
fn inside(faults: &mut Vec<Fault>, step: impl Fn(Fault) -> Fault, check: impl FnOnce(&mut Vec<Fault>)) {
    let before = faults.len();
    check(faults);
    let new: Vec<Fault> = faults.drain(before..).map(step).collect();
    faults.extend(new);
}

/// Whether a key is of its shape, or the text that stands for one that is.
fn key_fits<'s>(shape: &'s Shape, key: &Value, around: &mut Vec<&'s Record>) -> bool {
    let mut faults = Vec::new();
    check(shape, key, around, &mut faults);
    if faults.is_empty() {
        return true;
    }
    let Some(text) = key.as_text() else { return false };
    match shape {
        Shape::Bool => bool::from_text(text).is_some(),
        Shape::Int(range) => text.parse::<i128>().is_ok_and(|int| (range.min..=range.max).contains(&int)),
        Shape::Decimal => Decimal::from_text(text).is_some(),
        Shape::Uuid => Uuid::from_text(text).is_some(),
        _ => false,
    }
}

impl Shape {
    /// What the shape asks for, as a noun with its article.
    pub fn named(&self) -> String {
        match self {
            Self::Any => "anything".into(),
            Self::Bool => "a boolean".into(),
            Self::Int(range) => range.named(),
            Self::Float => "a float".into(),
            Self::Text => "a text".into(),
            Self::Bytes => "bytes".into(),
            Self::Decimal => "a decimal".into(),
            Self::Uuid => "a UUID".into(),
            Self::DateTime => "a time such as 2026-11-21T06:15:00Z".into(),
            Self::Array(None) => "an array".into(),
            Self::Array(Some(element_type)) => format!("an array of {element_type}"),
            Self::List(_) => "a list".into(),
            Self::Tuple(shapes) => format!("a list of {}", shapes.len()),
            Self::Set(_) => "a set".into(),
            Self::Map(..) | Self::Record(_) | Self::Outer(_) => "a map".into(),
            Self::Nullable(inner) => format!("{} or null", inner.named()),
            Self::Choice(choice) => choice.named(),
        }
    }
}
