//! A model as JSON Schema, for tools that know nothing of this framework.

use super::shape::{Field, Record, Shape};
use crate::value;
use crate::value::{Map, Value};

impl Shape {
    /// The shape as [JSON Schema, draft 2020-12], of the JSON form of its values.
    ///
    /// [JSON Schema, draft 2020-12]: https://json-schema.org/draft/2020-12
    pub fn to_json_schema(&self) -> Value {
        let mut map = Map::new();
        map.insert("$schema", "https://json-schema.org/draft/2020-12/schema");
        if let Value::Map(schema) = schema(self) {
            schema.into_iter().for_each(|(key, value)| _ = map.insert(key, value));
        }
        Value::Map(map)
    }
}

fn schema(shape: &Shape) -> Value {
    match shape {
        Shape::Any => value!({}),
        Shape::Bool => value!({"type": "boolean"}),
        Shape::Int(range) => {
            value!({"type": "integer", "minimum": (Value::Int(range.min)), "maximum": (Value::Int(range.max))})
        }
        Shape::Float => {
            let special = value!({"__float__": {"enum": ["NaN", "Infinity", "-Infinity"]}});
            value!({"anyOf": [{"type": "number"}, (closed(special))]})
        }
        Shape::Text => value!({"type": "string"}),
        Shape::DateTime => value!({"type": "string", "format": "date-time"}),
        Shape::Bytes => {
            tagged("__bytes__", "as_base64", value!({"type": "string", "contentEncoding": "base64"}))
        }
        Shape::Decimal => tagged("__decimal__", "as_str", value!({"type": "string"})),
        Shape::Uuid => tagged("__uuid__", "as_str", value!({"type": "string", "format": "uuid"})),
        Shape::Array(_) => value!({
            "type": "object",
            "properties": {
                "__numpy.ndarray__": {"const": true},
                "as_bytes": (schema(&Shape::Bytes)),
                "dtype": {"type": "string"},
                "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}}
            },
            "required": ["__numpy.ndarray__", "as_bytes"],
            "additionalProperties": false
        }),
        Shape::List(item) => value!({"type": "array", "items": (schema(item))}),
        Shape::Tuple(shapes) => {
            let count = Value::Int(shapes.len() as i128);
            let items: Vec<Value> = shapes.iter().map(schema).collect();
            value!({"type": "array", "prefixItems": items, "minItems": (count.clone()), "maxItems": count})
        }
        Shape::Set(member) => tagged(
            "__set__",
            "value",
            value!({"type": "array", "uniqueItems": true, "items": (schema(member))}),
        ),
        Shape::Map(_, value) => value!({"type": "object", "additionalProperties": (schema(value))}),
        Shape::Nullable(inner) => value!({"anyOf": [{"type": "null"}, (schema(inner))]}),
        Shape::Choice(choice) => {
            let values: Vec<Value> = choice.values.iter().map(|value| Value::from(&**value)).collect();
            titled(&choice.name, &choice.doc, [("enum", Value::List(values))])
        }
        Shape::Record(record) => record_schema(record),
        Shape::Outer(name) => value!({"$ref": (format!("#{name}"))}),
    }
}

fn record_schema(record: &Record) -> Value {
    let property = |field: &Field| {
        let mut property = schema(&field.shape);
        if let (Value::Map(map), false) = (&mut property, field.doc.is_empty()) {
            map.insert("description", &*field.doc);
        }
        (Value::from(&*field.name), property)
    };
    let properties: Map = record.fields.iter().map(property).collect();
    let required = record.fields.iter().filter(|field| field.required).map(|field| Value::from(&*field.name));
    let required: Vec<Value> = required.collect();
    titled(
        &record.name,
        &record.doc,
        [
            ("type", "object".into()),
            ("properties", properties.into()),
            ("required", required.into()),
            ("additionalProperties", record.open.into()),
        ],
    )
}

/// A schema with the name of its type, under which the fields inside it can refer to it.
fn titled<const N: usize>(name: &str, doc: &str, rest: [(&str, Value); N]) -> Value {
    let head = [("title", name), ("$anchor", name), ("description", doc)];
    let head =
        head.into_iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| (key, Value::from(text)));
    Value::Map(head.chain(rest).collect())
}

fn tagged(tag: &str, field: &str, schema: Value) -> Value {
    closed([(tag, value!({"const": true})), (field, schema)].into_iter().collect::<Map>().into())
}

/// A map that has exactly these entries.
fn closed(properties: Value) -> Value {
    let keys = properties.as_map().into_iter().flat_map(Map::keys).map(Value::from).collect::<Vec<_>>();
    value!({"type": "object", "properties": properties, "required": keys, "additionalProperties": false})
}
