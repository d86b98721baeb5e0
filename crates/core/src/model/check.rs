//! Checks a value against a model that is data.

use std::borrow::Cow;
use std::collections::HashSet;

use super::Key as _;
use super::scalars::to_f32;
use super::shape::{Record, Shape};
use crate::fault::Fault;
use crate::value::{DateTime, Decimal, Map, Uuid, Value};

impl Shape {
    /// Everything about `value` that the shape does not allow; nothing if it is right.
    ///
    /// A typed model and its shape accept the same values.
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        check(self, value, None, &mut faults);
        faults
    }

    /// Everything about `change` that is no change of a value of this shape: of a map some keys with new values, or with null where they are to go.
    pub fn faults_of_change(&self, change: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        match (self, change) {
            (Self::Record(record), Value::Map(map)) => {
                check_record(record, map, None, Missing::Stays, &mut faults);
            }
            (Self::Map(key, value), Value::Map(map)) => {
                check_map(key, &Self::Nullable(value.clone()), map, None, &mut faults);
            }
            _ => check(self, change, None, &mut faults),
        }
        faults
    }
}

/// What it means that a map lacks a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// That it is not there.
    IsMissing,
    /// That it is what it was.
    Stays,
}

/// A record that a shape is inside of.
#[derive(Clone, Copy)]
struct Around<'a> {
    record: &'a Record,
    outer: Option<&'a Around<'a>>,
}

/// Appends the faults of `value`, as seen from it.
fn check(shape: &Shape, value: &Value, around: Option<&Around<'_>>, faults: &mut Vec<Fault>) {
    let right = match (shape, value) {
        (Shape::Any, _)
        | (Shape::Bool, Value::Bool(_))
        | (Shape::Float, Value::Float(_) | Value::Int(_))
        | (Shape::Float32, Value::Int(_))
        | (Shape::Text, Value::Text(_))
        | (Shape::Bytes, Value::Bytes(_))
        | (Shape::Decimal, Value::Decimal(_))
        | (Shape::Uuid, Value::Uuid(_))
        | (Shape::Nullable(_), Value::Null) => true,
        (Shape::Float32, Value::Float(float)) => to_f32(*float).is_some(),
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
        (Shape::Set(member), Value::Set(members)) => return check_set(member, members, around, faults),
        (Shape::Tuple(shapes), Value::List(items)) => {
            if shapes.len() != items.len() {
                faults.push(Fault::mismatch(shape.named(), value.named()));
            }
            return check_items(shapes.iter().zip(items), around, faults);
        }
        (Shape::Map(key_shape, value_shape), Value::Map(map)) => {
            return check_map(key_shape, value_shape, map, around, faults);
        }
        (Shape::Record(record), Value::Map(map)) => {
            return check_record(record, map, around, Missing::IsMissing, faults);
        }
        (Shape::Outer(name), Value::Map(map)) => {
            let mut outwards = std::iter::successors(around, |around| around.outer);
            match outwards.find(|around| *around.record.name == **name) {
                // What the record refers to is around it, not around the reference.
                Some(found) => check_record(found.record, map, found.outer, Missing::IsMissing, faults),
                None => faults.push(Fault::malformed(format!("the model `{name}` is not around this field"))),
            }
            return;
        }
        _ => false,
    };
    if !right {
        faults.push(Fault::mismatch(shape.named(), value.named()));
    }
}

fn check_record(
    record: &Record,
    map: &Map,
    outer: Option<&Around<'_>>,
    missing: Missing,
    faults: &mut Vec<Fault>,
) {
    let around = Around { record, outer };
    for field in &record.fields {
        let step = |fault: Fault| fault.within(&field.name);
        match map.get(&field.name) {
            None if field.required && missing == Missing::IsMissing => faults.push(step(Fault::missing())),
            None => {}
            Some(Value::Null) if !field.required => {}
            Some(value) => inside(faults, step, |faults| check(&field.shape, value, Some(&around), faults)),
        }
    }
    let known = || record.fields.iter().map(|field| field.name.as_str());
    for (key, _) in map.iter() {
        match key.as_text() {
            Some(key) if record.open || known().any(|field| field == key) => {}
            Some(key) => faults.push(Fault::unknown(key, known())),
            None => faults.push(Fault::mismatch("a text as key", key.named())),
        }
    }
}

fn check_items<'s, 'v>(
    pairs: impl Iterator<Item = (&'s Shape, &'v Value)>,
    around: Option<&Around<'_>>,
    faults: &mut Vec<Fault>,
) {
    for (index, (shape, value)) in pairs.enumerate() {
        inside(faults, |fault| fault.at(index), |faults| check(shape, value, around, faults));
    }
}

fn check_set(member: &Shape, members: &[Value], around: Option<&Around<'_>>, faults: &mut Vec<Fault>) {
    check_items(members.iter().map(|value| (member, value)), around, faults);
    let mut times = HashSet::new();
    for (index, value) in members.iter().enumerate() {
        // The texts differ, or it would be no set; the times that they stand for may still be one.
        if matches!(member, Shape::DateTime) && time(value).is_some_and(|time| !times.insert(time)) {
            faults.push(Fault::malformed("a member of the set stands twice").at(index));
        }
    }
}

fn check_map(
    key_shape: &Shape,
    value_shape: &Shape,
    map: &Map,
    around: Option<&Around<'_>>,
    faults: &mut Vec<Fault>,
) {
    let mut seen = HashSet::new();
    for (key, value) in map.iter() {
        // By what it means, as the type has it, which does not know how the key was written.
        let name = match meant_key(key_shape, key, around) {
            Some(meant) => {
                let name = meant.to_text().into_owned();
                if !seen.insert(meant) {
                    faults.push(Fault::malformed("the key stands twice").within(&name));
                }
                name
            }
            None => {
                let name = key.key_text().map_or_else(|| key.named(), Cow::into_owned);
                faults.push(Fault::mismatch(key_shape.named(), key.named()).within(&name));
                name
            }
        };
        inside(faults, |fault| fault.within(&name), |faults| check(value_shape, value, around, faults));
    }
}

/// Runs a check of something inside, and lets its faults take the step that leads there.
fn inside(faults: &mut Vec<Fault>, step: impl Fn(Fault) -> Fault, check: impl FnOnce(&mut Vec<Fault>)) {
    let before = faults.len();
    check(faults);
    let new: Vec<Fault> = faults.drain(before..).map(step).collect();
    faults.extend(new);
}

/// A key as what it is or, being text, stands for; two texts may stand for one.
#[derive(PartialEq, Eq, Hash)]
enum Meant<'a> {
    Itself(&'a Value),
    Value(Value),
    Time(DateTime),
}

impl Meant<'_> {
    fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Itself(value) => value.key_text().unwrap_or_else(|| value.named().into()),
            Self::Value(value) => value.key_text().unwrap_or_else(|| value.named().into()),
            Self::Time(time) => time.to_string().into(),
        }
    }
}

/// What a key of that shape means; `None` if it does not fit.
fn meant_key<'v>(shape: &Shape, key: &'v Value, around: Option<&Around<'_>>) -> Option<Meant<'v>> {
    if let Some(text) = key.as_text() {
        let value = match shape {
            Shape::Bool => Value::Bool(bool::from_text(text)?),
            Shape::Int(range) => {
                Value::Int(text.parse().ok().filter(|int| (range.min..=range.max).contains(int))?)
            }
            Shape::Decimal => Value::Decimal(Decimal::from_text(text)?),
            Shape::Uuid => Value::Uuid(Uuid::from_text(text)?),
            Shape::DateTime => return time(key).map(Meant::Time),
            _ => return fits(shape, key, around).then_some(Meant::Itself(key)),
        };
        return Some(Meant::Value(value));
    }
    // The same value, in the same form as one that a text stands for.
    fits(shape, key, around).then(|| match shape {
        Shape::Bool | Shape::Int(_) | Shape::Decimal | Shape::Uuid => Meant::Value(key.clone()),
        _ => Meant::Itself(key),
    })
}

fn fits(shape: &Shape, value: &Value, around: Option<&Around<'_>>) -> bool {
    let mut faults = Vec::new();
    check(shape, value, around, &mut faults);
    faults.is_empty()
}

fn time(value: &Value) -> Option<DateTime> {
    value.as_text()?.parse().ok()
}

impl Shape {
    /// What the shape asks for, as a noun with its article.
    pub fn named(&self) -> String {
        match self {
            Self::Any => "anything".into(),
            Self::Bool => "a boolean".into(),
            Self::Int(range) => range.named(),
            Self::Float => "a float".into(),
            Self::Float32 => "a 32-bit float".into(),
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
