//! A model as JSON Schema, for tools that know nothing of this framework.

use std::collections::HashSet;

use super::shape::{Field, Record, Shape};
use crate::value;
use crate::value::{ElementType, Map, Value};

impl Shape {
    /// The shape as [JSON Schema, draft 2020-12], of the JSON form of its values.
    ///
    /// It is a value to print: its keys name the marks of decimals and others, which keeps it from being a message.
    ///
    /// [JSON Schema, draft 2020-12]: https://json-schema.org/draft/2020-12
    pub fn to_json_schema(&self) -> Value {
        let mut map = Map::new();
        map.insert("$schema", "https://json-schema.org/draft/2020-12/schema");
        if let Value::Map(schema) = Document::default().schema(self, None) {
            schema.into_iter().for_each(|(key, value)| _ = map.insert(key, value));
        }
        Value::Map(map)
    }
}

/// A record that a shape is inside of, and the anchor by which it is referred to.
#[derive(Clone, Copy)]
struct Around<'a> {
    name: &'a str,
    anchor: &'a str,
    outer: Option<&'a Around<'a>>,
}

/// A document of schemas; no anchor stands in it twice.
#[derive(Default)]
struct Document {
    anchors: HashSet<String>,
}

impl Document {
    fn schema(&mut self, shape: &Shape, around: Option<&Around<'_>>) -> Value {
        match shape {
            Shape::Any => value!({}),
            Shape::Bool => value!({"type": "boolean"}),
            Shape::Int(range) => {
                value!({"type": "integer", "minimum": (Value::Int(range.min)), "maximum": (Value::Int(range.max))})
            }
            Shape::Float => float(value!({"type": "number"})),
            Shape::Float32 => {
                let (least, greatest) = (f64::from(f32::MIN), f64::from(f32::MAX));
                float(value!({"type": "number", "minimum": least, "maximum": greatest}))
            }
            Shape::Text => value!({"type": "string"}),
            Shape::DateTime => value!({"type": "string", "format": "date-time"}),
            Shape::Bytes => bytes(),
            Shape::Decimal => tagged("__decimal__", "as_str", value!({"type": "string"})),
            Shape::Uuid => tagged("__uuid__", "as_str", value!({"type": "string", "format": "uuid"})),
            Shape::Array(element_type) => array(*element_type),
            Shape::List(item) => value!({"type": "array", "items": (self.schema(item, around))}),
            Shape::Tuple(shapes) => {
                let count = Value::Int(shapes.len() as i128);
                let items: Vec<Value> = shapes.iter().map(|shape| self.schema(shape, around)).collect();
                // The list of schemas must not be empty.
                let items = if items.is_empty() { value!({}) } else { value!({"prefixItems": items}) };
                let array = value!({"type": "array", "minItems": (count.clone()), "maxItems": count});
                with(array, items)
            }
            Shape::Set(member) => {
                let member = self.schema(member, around);
                tagged("__set__", "value", value!({"type": "array", "uniqueItems": true, "items": member}))
            }
            Shape::Map(key, value) => {
                let map = value!({"type": "object", "additionalProperties": (self.schema(value, around))});
                key_schema(key).map_or(map.clone(), |keys| with(map, value!({"propertyNames": keys})))
            }
            Shape::Nullable(inner) => or_null(self.schema(inner, around)),
            Shape::Choice(choice) => {
                let values: Vec<Value> = choice.values.iter().map(|value| Value::from(&**value)).collect();
                let head = [("title", &*choice.name), ("description", &*choice.doc)];
                with(texts(head), value!({"enum": values}))
            }
            Shape::Record(record) => self.record(record, around),
            Shape::Outer(name) => {
                let mut outwards = std::iter::successors(around, |around| around.outer);
                // A reference to nothing allows nothing, as when a message is checked.
                outwards
                    .find(|around| around.name == &**name)
                    .map_or(Value::Bool(false), |around| value!({"$ref": (format!("#{}", around.anchor))}))
            }
        }
    }

    fn record(&mut self, record: &Record, outer: Option<&Around<'_>>) -> Value {
        let is_referred_to = record.fields.iter().any(|field| refers_to(&field.shape, &record.name));
        let anchor = if is_referred_to { self.anchor(&record.name) } else { String::new() };
        let around = Around { name: &record.name, anchor: &anchor, outer };
        let properties: Map =
            record.fields.iter().map(|field| (&*field.name, self.property(field, &around))).collect();
        let required = record.fields.iter().filter(|field| field.required);
        let required: Vec<Value> = required.map(|field| Value::from(&*field.name)).collect();
        let head = [("title", &*record.name), ("$anchor", &*anchor), ("description", &*record.doc)];
        with(
            texts(head),
            value!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": (record.open)
            }),
        )
    }

    fn property(&mut self, field: &Field, around: &Around<'_>) -> Value {
        let schema = self.schema(&field.shape, Some(around));
        let is_whole = field.required || matches!(field.shape, Shape::Nullable(_) | Shape::Any);
        let schema = if is_whole { schema } else { or_null(schema) };
        match schema {
            Value::Map(_) if !field.doc.is_empty() => with(schema, value!({"description": (&*field.doc)})),
            schema => schema,
        }
    }

    /// An anchor that no other record has, of the letters that anchors may have.
    fn anchor(&mut self, name: &str) -> String {
        let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut anchor: String = name.chars().map(|c| if is_legal(c) { c } else { '_' }).collect();
        if !anchor.starts_with(|c: char| c.is_ascii_alphabetic()) {
            anchor.insert_str(0, "record");
        }
        let numbered = (2..).map(|number| format!("{anchor}_{number}"));
        let mut anchors = std::iter::once(anchor.clone()).chain(numbered);
        anchors
            .find(|anchor| self.anchors.insert(anchor.clone()))
            .expect("there are more numbers than records")
    }
}

/// Whether a shape inside the record of that name has a reference to it.
fn refers_to(shape: &Shape, name: &str) -> bool {
    match shape {
        Shape::Outer(outer) => **outer == *name,
        Shape::List(inner) | Shape::Set(inner) | Shape::Nullable(inner) => refers_to(inner, name),
        Shape::Map(key, value) => refers_to(key, name) || refers_to(value, name),
        Shape::Tuple(shapes) => shapes.iter().any(|shape| refers_to(shape, name)),
        // Inside another record of that name, the name means the other one.
        Shape::Record(record) => {
            record.name != name && record.fields.iter().any(|field| refers_to(&field.shape, name))
        }
        _ => false,
    }
}

/// What the texts must be that stand for keys; `None` if they may be any.
fn key_schema(key: &Shape) -> Option<Value> {
    Some(match key {
        Shape::Bool => value!({"enum": ["true", "false"]}),
        Shape::Int(_) => value!({"pattern": "^[+-]?[0-9]+$"}),
        Shape::Uuid => value!({"format": "uuid"}),
        Shape::DateTime => value!({"format": "date-time"}),
        Shape::Choice(choice) => {
            let values: Vec<Value> = choice.values.iter().map(|value| Value::from(&**value)).collect();
            value!({"enum": values})
        }
        _ => return None,
    })
}

fn or_null(schema: Value) -> Value {
    value!({"anyOf": [{"type": "null"}, schema]})
}

/// A number, or one of those that JSON lacks.
fn float(number: Value) -> Value {
    let special = value!({"__float__": {"enum": ["NaN", "Infinity", "-Infinity"]}});
    value!({"anyOf": [number, (closed(special))]})
}

fn bytes() -> Value {
    tagged("__bytes__", "as_base64", value!({"type": "string", "contentEncoding": "base64"}))
}

fn array(element_type: Option<ElementType>) -> Value {
    let names = ElementType::ALL.into_iter().filter(|known| element_type.is_none_or(|asked| asked == *known));
    let names: Vec<Value> = names.map(|element_type| element_type.name().into()).collect();
    // Without its name, the type is the one that the Python original sends.
    let needs_name = element_type.is_some_and(|asked| asked != ElementType::F64);
    let required = ["__numpy.ndarray__", "as_bytes"].into_iter().chain(needs_name.then_some("dtype"));
    let required: Vec<Value> = required.map(Value::from).collect();
    value!({
        "type": "object",
        "properties": {
            "__numpy.ndarray__": {"const": true},
            "as_bytes": (bytes()),
            "dtype": {"enum": names},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}}
        },
        "required": required,
        "additionalProperties": false
    })
}

/// Those of the texts that say something.
fn texts<const N: usize>(texts: [(&str, &str); N]) -> Value {
    Value::Map(texts.into_iter().filter(|(_, text)| !text.is_empty()).collect())
}

/// The entries of both maps.
fn with(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Map(first), Value::Map(second)) => Value::Map(first.into_iter().chain(second).collect()),
        (first, _) => first,
    }
}

fn tagged(tag: &str, field: &str, schema: Value) -> Value {
    closed([(tag, value!({"const": true})), (field, schema)].into_iter().collect::<Map>().into())
}

/// A map that has exactly these entries.
fn closed(properties: Value) -> Value {
    let keys = properties.as_map().into_iter().flat_map(Map::keys).map(Value::from).collect::<Vec<_>>();
    value!({"type": "object", "properties": properties, "required": keys, "additionalProperties": false})
}
