//! The JSON form of a model: what `describe` prints, and what a model given as data is read from.

use std::sync::Arc;

use super::parts::{fields, first_repeated, flag, list, optional, required, text};
use super::shape::{Choice, Field, IntRange, Record, Shape};
use crate::fault::Fault;
use crate::value::{ElementType, Map, Value};

/// The shapes without anything inside, by name; integers have names of their own.
const PLAIN: [(&str, Shape); 10] = [
    ("any", Shape::Any),
    ("bool", Shape::Bool),
    ("float", Shape::Float),
    ("f32", Shape::Float32),
    ("text", Shape::Text),
    ("bytes", Shape::Bytes),
    ("decimal", Shape::Decimal),
    ("uuid", Shape::Uuid),
    ("time", Shape::DateTime),
    ("array", Shape::Array(None)),
];

/// The keys of shapes with something inside.
const NESTED: [&str; 10] =
    ["list", "tuple", "set", "map", "nullable", "array", "int", "choice", "record", "outer"];

impl Shape {
    /// The shape as a value: a name such as `"text"`, or a map with one key such as `{"list": "text"}`.
    ///
    /// ```
    /// use service_framework_core::model;
    /// let shape = model::describe::<Vec<(String, u8)>>();
    /// assert_eq!(shape.to_value().to_string(), r#"{"list":{"tuple":["text","u8"]}}"#);
    /// ```
    pub fn to_value(&self) -> Value {
        if let Some((name, _)) = PLAIN.iter().find(|(_, shape)| shape == self) {
            return Value::from(*name);
        }
        let (key, inner) = match self {
            Self::Int(range) => match range.name() {
                Some(name) => return Value::from(name),
                None => ("int", Value::List(vec![Value::Int(range.min), Value::Int(range.max)])),
            },
            Self::Array(element_type) => ("array", element_type.map(ElementType::name).into()),
            Self::List(item) => ("list", item.to_value()),
            Self::Set(member) => ("set", member.to_value()),
            Self::Nullable(inner) => ("nullable", inner.to_value()),
            Self::Tuple(shapes) => ("tuple", Value::List(shapes.iter().map(Self::to_value).collect())),
            Self::Map(key, value) => ("map", Value::List(vec![key.to_value(), value.to_value()])),
            Self::Outer(name) => ("outer", Value::from(&**name)),
            Self::Choice(choice) => ("choice", choice_to_value(choice)),
            Self::Record(record) => ("record", record_to_value(record)),
            _ => unreachable!("the plain shapes went above"),
        };
        Value::Map([(key, inner)].into_iter().collect())
    }

    /// Reads what [`to_value`](Self::to_value) gives.
    ///
    /// # Errors
    ///
    /// If it is no shape; the path says where.
    pub fn from_value(value: &Value) -> Result<Self, Fault> {
        from_value(value, &mut Vec::new())
    }
}

/// Reads a shape; `around` are the names of the records that it is inside of.
fn from_value(value: &Value, around: &mut Vec<String>) -> Result<Shape, Fault> {
    match value {
        Value::Text(name) => from_name(name),
        Value::Map(map) => match map.iter().next() {
            Some((Value::Text(key), inner)) if map.len() == 1 => {
                from_nested(key, inner, around).map_err(|fault| fault.within(key))
            }
            _ => Err(Fault::mismatch(
                "a map with one key, the kind of shape",
                format!("a map of {}", map.len()),
            )),
        },
        other => Err(Fault::mismatch("a shape: a name or a map", other.named())),
    }
}

fn from_name(name: &str) -> Result<Shape, Fault> {
    let plain = PLAIN.iter().find(|(known, _)| *known == name).map(|(_, shape)| shape.clone());
    plain.or_else(|| IntRange::from_name(name).map(Shape::Int)).ok_or_else(|| {
        let names = PLAIN.iter().map(|(known, _)| *known).chain(["int", "i8", "i64", "u8", "u64"]);
        let near = crate::near::nearest(name, names).map(|near| format!(", did you mean `{near}`?"));
        Fault::malformed(format!("{} is no type{}", crate::fault::quoted(name), near.unwrap_or_default()))
    })
}

fn from_nested(key: &str, inner: &Value, around: &mut Vec<String>) -> Result<Shape, Fault> {
    let mut shape = |value: &Value| from_value(value, around);
    Ok(match key {
        "list" => Shape::List(shape(inner)?.into()),
        "set" => Shape::Set(shape(inner)?.into()),
        "nullable" => Shape::Nullable(shape(inner)?.into()),
        "tuple" => Shape::Tuple(list(inner, shape)?),
        "map" => match <[Shape; 2]>::try_from(list(inner, shape)?) {
            Ok([key, value]) => Shape::Map(key.into(), value.into()),
            Err(shapes) => {
                return Err(Fault::mismatch("a list of two shapes", format!("{} of them", shapes.len())));
            }
        },
        "array" => {
            let known = inner.as_text().and_then(ElementType::from_name);
            let expected = || Fault::mismatch("a type of elements such as <f8", inner.named());
            Shape::Array(Some(known.ok_or_else(expected)?))
        }
        "int" => match inner {
            Value::List(bounds)
                if let [Value::Int(min), Value::Int(max)] = bounds[..]
                    && min <= max =>
            {
                Shape::Int(IntRange { min, max })
            }
            _ => return Err(Fault::mismatch("the least and the greatest integer", inner.named())),
        },
        "outer" => {
            let name = text(inner)?;
            if !around.contains(&name) {
                return Err(Fault::mismatch("the name of a record around this one", inner.named()));
            }
            Shape::Outer(name.into())
        }
        "choice" => Shape::Choice(Arc::new(choice_from_value(inner)?)),
        "record" => Shape::Record(Arc::new(record_from_value(inner, around)?)),
        _ => return Err(Fault::unknown(key, NESTED)),
    })
}

fn choice_to_value(choice: &Choice) -> Value {
    let mut map = named(&choice.name, &choice.doc);
    map.insert("values", choice.values.iter().map(|value| Value::from(&**value)).collect::<Vec<_>>());
    Value::Map(map)
}

fn choice_from_value(value: &Value) -> Result<Choice, Fault> {
    let map = fields(value, &["name", "doc", "values"])?;
    let values = required(map, "values", |values| list(values, text))?;
    refuse_repeated(values.iter().map(String::as_str)).map_err(|fault| fault.within("values"))?;
    Ok(Choice { name: text_or_empty(map, "name")?, doc: text_or_empty(map, "doc")?, values })
}

fn record_to_value(record: &Record) -> Value {
    let mut map = named(&record.name, &record.doc);
    if record.open {
        map.insert("open", true);
    }
    let field = |field: &Field| {
        let mut map = Map::new();
        map.insert("name", &*field.name);
        if !field.doc.is_empty() {
            map.insert("doc", &*field.doc);
        }
        if !field.required {
            map.insert("required", false);
        }
        map.insert("type", field.shape.to_value());
        Value::Map(map)
    };
    map.insert("fields", record.fields.iter().map(field).collect::<Vec<_>>());
    Value::Map(map)
}

fn record_from_value(value: &Value, around: &mut Vec<String>) -> Result<Record, Fault> {
    let map = fields(value, &["name", "doc", "open", "fields"])?;
    let (name, doc) = (text_or_empty(map, "name")?, text_or_empty(map, "doc")?);
    let open = optional(map, "open", flag)?.unwrap_or(false);
    around.push(name.clone());
    let read = |fields: &Value| list(fields, |field| field_from_value(field, around));
    let fields = optional(map, "fields", read)?.unwrap_or_default();
    around.pop();
    refuse_repeated(fields.iter().map(|field| &*field.name)).map_err(|fault| fault.within("fields"))?;
    Ok(Record { name, doc, open, fields })
}

fn field_from_value(value: &Value, around: &mut Vec<String>) -> Result<Field, Fault> {
    let map = fields(value, &["name", "doc", "required", "type"])?;
    let name = required(map, "name", text)?;
    if let Some(tagged) = crate::wire::tagged_as(&name) {
        return Err(Fault::malformed(format!("`{name}` marks {tagged} on the wire")).within("name"));
    }
    Ok(Field {
        name,
        doc: text_or_empty(map, "doc")?,
        required: optional(map, "required", flag)?.unwrap_or(true),
        shape: required(map, "type", |shape| from_value(shape, around))?,
    })
}

fn refuse_repeated<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    match first_repeated(names) {
        Some(name) => Err(Fault::malformed(format!("{} stands twice", crate::fault::quoted(name)))),
        None => Ok(()),
    }
}

fn text_or_empty(map: &Map, field: &str) -> Result<String, Fault> {
    Ok(optional(map, field, text)?.unwrap_or_default())
}

/// A map that starts with a name and a doc, each only if it says something.
fn named(name: &str, doc: &str) -> Map {
    [("name", name), ("doc", doc)].into_iter().filter(|(_, text)| !text.is_empty()).collect()
}
