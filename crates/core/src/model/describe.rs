//! The JSON form of a model: what `describe` prints, and what a model given as data is read from.

use std::sync::Arc;

use super::shape::{Choice, Field, IntRange, Record, Shape};
use crate::fault::Fault;
use crate::value::{ElementType, Map, Value};

/// The shapes without anything inside, by name; integers have names of their own.
const PLAIN: [(&str, Shape); 9] = [
    ("any", Shape::Any),
    ("bool", Shape::Bool),
    ("float", Shape::Float),
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
        match value {
            Value::Text(name) => from_name(name),
            Value::Map(map) => match map.iter().next() {
                Some((Value::Text(key), inner)) if map.len() == 1 => {
                    from_nested(key, inner).map_err(|fault| fault.within(key))
                }
                _ => Err(Fault::mismatch(
                    "a map with one key, the kind of shape",
                    format!("a map of {}", map.len()),
                )),
            },
            other => Err(Fault::mismatch("a shape: a name or a map", other.named())),
        }
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

fn from_nested(key: &str, inner: &Value) -> Result<Shape, Fault> {
    let shape = |value: &Value| Shape::from_value(value).map(Box::new);
    Ok(match key {
        "list" => Shape::List(shape(inner)?),
        "set" => Shape::Set(shape(inner)?),
        "nullable" => Shape::Nullable(shape(inner)?),
        "tuple" => Shape::Tuple(each(inner, Shape::from_value)?),
        "map" => match inner {
            Value::List(pair) if pair.len() == 2 => {
                Shape::Map(shape(&pair[0]).map_err(|f| f.at(0))?, shape(&pair[1]).map_err(|f| f.at(1))?)
            }
            other => return Err(Fault::mismatch("a list of two shapes", other.named())),
        },
        "array" => {
            let known = inner.as_text().and_then(ElementType::from_name);
            Shape::Array(Some(
                known.ok_or_else(|| Fault::mismatch("a type of elements such as <f8", inner.named()))?,
            ))
        }
        "int" => match inner {
            Value::List(bounds) => match bounds[..] {
                [Value::Int(min), Value::Int(max)] if min <= max => Shape::Int(IntRange { min, max }),
                _ => return Err(Fault::mismatch("the least and the greatest integer", inner.named())),
            },
            other => return Err(Fault::mismatch("the least and the greatest integer", other.named())),
        },
        "outer" => Shape::Outer(text(Some(inner), "")?.into()),
        "choice" => Shape::Choice(Arc::new(choice_from_value(inner)?)),
        "record" => Shape::Record(Arc::new(record_from_value(inner)?)),
        _ => return Err(Fault::unknown(key, NESTED)),
    })
}

fn each<T>(value: &Value, read: impl Fn(&Value) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    match value {
        Value::List(items) => {
            items.iter().enumerate().map(|(i, item)| read(item).map_err(|f| f.at(i))).collect()
        }
        other => Err(Fault::mismatch("a list", other.named())),
    }
}

fn choice_to_value(choice: &Choice) -> Value {
    let mut map = named(&choice.name, &choice.doc);
    map.insert("values", choice.values.iter().map(|value| Value::from(&**value)).collect::<Vec<_>>());
    Value::Map(map)
}

fn choice_from_value(value: &Value) -> Result<Choice, Fault> {
    let map = known_fields(value, &["name", "doc", "values"])?;
    let (name, doc) = (text(map.get("name"), "name")?, text(map.get("doc"), "doc")?);
    let values = map.get("values").ok_or_else(|| Fault::missing().within("values"))?;
    let values = each(values, |value| text(Some(value), "")).map_err(|fault| fault.within("values"))?;
    Ok(Choice { name, doc, values })
}

fn record_to_value(record: &Record) -> Value {
    let mut map = named(&record.name, &record.doc);
    if record.open {
        map.insert("open", true);
    }
    let field = |field: &Field| {
        let mut map = named(&field.name, &field.doc);
        if !field.required {
            map.insert("required", false);
        }
        map.insert("type", field.shape.to_value());
        Value::Map(map)
    };
    map.insert("fields", record.fields.iter().map(field).collect::<Vec<_>>());
    Value::Map(map)
}

fn record_from_value(value: &Value) -> Result<Record, Fault> {
    let map = known_fields(value, &["name", "doc", "open", "fields"])?;
    let (name, doc) = (text(map.get("name"), "name")?, text(map.get("doc"), "doc")?);
    let open = flag(map, "open", false)?;
    let fields = map.get("fields").map_or(Ok(Vec::new()), |value| each(value, field_from_value));
    Ok(Record { name, doc, open, fields: fields.map_err(|fault| fault.within("fields"))? })
}

fn field_from_value(value: &Value) -> Result<Field, Fault> {
    let map = known_fields(value, &["name", "doc", "required", "type"])?;
    map.get("name").ok_or_else(|| Fault::missing().within("name"))?;
    let (name, doc) = (text(map.get("name"), "name")?, text(map.get("doc"), "doc")?);
    let shape = map.get("type").ok_or_else(|| Fault::missing().within("type"))?;
    let shape = Shape::from_value(shape).map_err(|fault| fault.within("type"))?;
    Ok(Field { name, doc, required: flag(map, "required", true)?, shape })
}

/// A map that starts with a name and a doc, each only if it says something.
fn named(name: &str, doc: &str) -> Map {
    [("name", name), ("doc", doc)].into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn known_fields<'v>(value: &'v Value, known: &[&str]) -> Result<&'v Map, Fault> {
    let map = value.as_map().ok_or_else(|| Fault::mismatch("a map", value.named()))?;
    match map.keys().find(|key| !known.contains(key)) {
        Some(stray) => Err(Fault::unknown(stray, known.iter().copied())),
        None => Ok(map),
    }
}

/// The text of an optional entry called `field`; `""` for an item that has no name.
fn text(value: Option<&Value>, field: &str) -> Result<String, Fault> {
    match value {
        None => Ok(String::new()),
        Some(Value::Text(text)) => Ok(text.clone()),
        Some(other) => {
            let fault = Fault::mismatch("a text", other.named());
            Err(if field.is_empty() { fault } else { fault.within(field) })
        }
    }
}

fn flag(map: &Map, field: &str, default: bool) -> Result<bool, Fault> {
    match map.get(field) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(Fault::mismatch("a boolean", other.named()).within(field)),
    }
}
