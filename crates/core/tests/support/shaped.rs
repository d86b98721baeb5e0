//! Arbitrary shapes, values of a shape, and changes to them.

use std::sync::Arc;

use proptest::collection::{hash_set, vec};
use proptest::prelude::*;
use service_framework_core::Value;
use service_framework_core::model::{Choice, Field, IntRange, Record, Shape};
use service_framework_core::value::{ElementType, Map};

use super::arbitrary::{array, decimal, int, scalar, set, text, time, uuid, value};

/// Records inside one another, in values of a shape that is inside itself.
const DEEPEST: usize = 2;

/// A value of that shape; one in a few is slightly off it.
pub(crate) fn value_of(shape: &Shape, around: &[Arc<Record>]) -> BoxedStrategy<Value> {
    match shape {
        Shape::Any => value(true),
        Shape::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Shape::Int(range) => {
            let bounds = prop::sample::select(vec![range.min, range.max, range.max + 1]);
            prop_oneof![(range.min..=range.max), bounds]
                .prop_map(|int| Value::Int(int.min(IntRange::ALL.max)))
                .boxed()
        }
        Shape::Float => prop_oneof![any::<f64>().prop_map(Value::Float), int().prop_map(Value::Int)].boxed(),
        Shape::Float32 => {
            let bounds = prop::sample::select(vec![f32::MAX.into(), -1e300, f64::NAN]);
            prop_oneof![any::<f32>().prop_map(f64::from), bounds, any::<f64>()].prop_map(Value::Float).boxed()
        }
        Shape::Text => text().prop_map(Value::Text).boxed(),
        Shape::Bytes => vec(any::<u8>(), 0..5).prop_map(Value::Bytes).boxed(),
        Shape::Decimal => decimal().prop_map(Value::Decimal).boxed(),
        Shape::Uuid => uuid().prop_map(Value::Uuid).boxed(),
        Shape::DateTime => time().prop_map(Value::Text).boxed(),
        Shape::Array(element_type) => array(*element_type).prop_map(Value::from).boxed(),
        Shape::List(_) if around.len() > DEEPEST => Just(Value::List(Vec::new())).boxed(),
        Shape::Map(..) if around.len() > DEEPEST => Just(Value::Map(Map::new())).boxed(),
        Shape::List(item) => vec(value_of(item, around), 0..3).prop_map(Value::List).boxed(),
        Shape::Tuple(shapes) => {
            let items: Vec<_> = shapes.iter().map(|shape| value_of(shape, around)).collect();
            items.prop_map(Value::List).boxed()
        }
        Shape::Set(member) => vec(value_of(member, around), 0..4).prop_map(set).boxed(),
        Shape::Map(key, inner) => {
            let key = value_of(key, around);
            let as_text =
                |key: Value| key.key_text().map(|text| Value::Text(text.into_owned())).unwrap_or(key);
            let key = prop_oneof![key.clone().prop_map(as_text), key];
            let entries = vec((key, value_of(inner, around)), 0..3);
            entries.prop_map(|entries| Value::Map(entries.into_iter().collect::<Map>())).boxed()
        }
        Shape::Nullable(inner) => prop_oneof![Just(Value::Null), value_of(inner, around)].boxed(),
        Shape::Choice(choice) => prop::sample::select(choice.values.clone()).prop_map(Value::Text).boxed(),
        Shape::Record(record) => record_value(record, around),
        // Of a record that must hold itself there is no value.
        Shape::Outer(_) if around.len() > DEEPEST => Just(Value::Null).boxed(),
        Shape::Outer(name) => {
            let record = around.iter().rev().find(|record| *record.name == **name).unwrap();
            record_value(record, around)
        }
        other => panic!("{other:?} has no values yet"),
    }
}

fn record_value(record: &Arc<Record>, around: &[Arc<Record>]) -> BoxedStrategy<Value> {
    let around: Vec<_> = around.iter().chain([record]).cloned().collect();
    let fields: Vec<_> = record
        .fields
        .iter()
        .filter(|field| field.required || around.len() <= DEEPEST)
        .map(|field| {
            let value = value_of(&field.shape, &around);
            let name = Value::from(&*field.name);
            let held = (Just(name), value).prop_map(Some);
            if field.required { held.boxed() } else { prop_oneof![Just(None), held].boxed() }
        })
        .collect();
    fields.prop_map(|fields| Value::Map(fields.into_iter().flatten().collect::<Map>())).boxed()
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z]{1,5}", text()]
}

/// Any shape, its references leading to records around them.
pub(crate) fn shape() -> BoxedStrategy<Shape> {
    shape_within(4, &[])
}

fn shape_within(depth: u32, around: &[String]) -> BoxedStrategy<Shape> {
    let plain = prop::sample::select(vec![
        Shape::Any,
        Shape::Bool,
        Shape::Float,
        Shape::Float32,
        Shape::Text,
        Shape::Bytes,
        Shape::Decimal,
        Shape::Uuid,
        Shape::DateTime,
        Shape::Array(None),
        Shape::Array(Some(ElementType::I16)),
        Shape::Int(IntRange::ALL),
        Shape::Int(IntRange::from_name("u16").unwrap()),
        Shape::Int(IntRange { min: -3, max: 12 }),
    ]);
    let choice = (name(), text(), hash_set(text(), 0..4)).prop_map(|(name, doc, values)| {
        Shape::Choice(Arc::new(Choice { name, doc, values: values.into_iter().collect() }))
    });
    let mut leaves = prop_oneof![5 => plain, 1 => choice].boxed();
    if !around.is_empty() {
        let outer = prop::sample::select(around.to_vec()).prop_map(|name| Shape::Outer(name.into()));
        leaves = prop_oneof![4 => leaves, 1 => outer].boxed();
    }
    if depth == 0 {
        return leaves;
    }
    let inner = || shape_within(depth - 1, around);
    let record = (name(), text(), any::<bool>(), hash_set(name(), 0..4)).prop_flat_map({
        let around = around.to_vec();
        move |(name, doc, open, names)| {
            let around: Vec<_> = around.iter().cloned().chain([name.clone()]).collect();
            let shapes = vec((shape_within(depth - 1, &around), text(), any::<bool>()), names.len());
            shapes.prop_map(move |shapes| {
                let field = |(name, (shape, doc, required)): (&String, (Shape, String, bool))| Field {
                    name: name.clone(),
                    doc,
                    required,
                    shape,
                };
                let fields = names.iter().zip(shapes).map(field).collect();
                Shape::Record(Arc::new(Record { name: name.clone(), doc: doc.clone(), open, fields }))
            })
        }
    });
    prop_oneof![
        2 => leaves,
        1 => inner().prop_map(|shape| Shape::List(shape.into())),
        1 => inner().prop_map(|shape| Shape::Set(shape.into())),
        1 => inner().prop_map(|shape| Shape::Nullable(shape.into())),
        1 => (inner(), inner()).prop_map(|(key, value)| Shape::Map(key.into(), value.into())),
        1 => vec(inner(), 0..3).prop_map(Shape::Tuple),
        3 => record,
    ]
    .boxed()
}

/// How a value is changed.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Another value takes the place of a part.
    Replace(Value),
    /// A map or list loses its last entry.
    Shorten,
    /// A map or list gains an entry.
    Lengthen(Value, Value),
}

/// A part of a value, and what happens to it.
pub(crate) fn change() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let change = prop_oneof![
        value(true).prop_map(Change::Replace),
        scalar().prop_map(Change::Replace),
        Just(Change::Shorten),
        (scalar(), scalar()).prop_map(|(key, value)| Change::Lengthen(key, value)),
    ];
    (any::<prop::sample::Index>(), change)
}

/// The value with one of its parts changed.
pub(crate) fn changed(value: Value, index: prop::sample::Index, change: &Change) -> Value {
    let mut countdown = index.index(parts(&value)) as i64;
    walk(value, &mut countdown, change)
}

fn parts(value: &Value) -> usize {
    1 + match value {
        Value::List(items) => items.iter().map(parts).sum(),
        Value::Map(map) => map.iter().map(|(_, value)| parts(value)).sum::<usize>(),
        _ => 0,
    }
}

fn walk(value: Value, countdown: &mut i64, change: &Change) -> Value {
    *countdown -= 1;
    if *countdown == -1 {
        return apply(value, change);
    }
    match value {
        Value::List(items) => {
            Value::List(items.into_iter().map(|item| walk(item, countdown, change)).collect())
        }
        Value::Map(map) => {
            let entries = map.into_iter().map(|(key, value)| (key, walk(value, countdown, change)));
            Value::Map(entries.collect())
        }
        other => other,
    }
}

fn apply(value: Value, change: &Change) -> Value {
    match (value, change) {
        (_, Change::Replace(value)) => value.clone(),
        (Value::List(mut items), Change::Shorten) => {
            items.pop();
            Value::List(items)
        }
        (Value::Map(map), Change::Shorten) => {
            let kept = map.len().saturating_sub(1);
            Value::Map(map.into_iter().take(kept).collect())
        }
        (Value::List(mut items), Change::Lengthen(_, value)) => {
            items.push(value.clone());
            Value::List(items)
        }
        (Value::Map(mut map), Change::Lengthen(key, value)) => {
            map.insert(key.clone(), value.clone());
            Value::Map(map)
        }
        (value, _) => value,
    }
}
