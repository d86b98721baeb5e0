//! Arbitrary values.

use proptest::collection::vec;
use proptest::prelude::*;
use service_framework_core::Value;
use service_framework_core::value::{AnyArray, Decimal, ElementType, Map, Uuid};

const ELEMENT_TYPES: [&str; 11] =
    ["|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f4", "<f8"];

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d_]{0,3}", "\\PC{0,6}", Just("\u{0}\"\\\n\u{7f}\u{2028}".to_owned())]
}

pub(crate) fn int() -> impl Strategy<Value = i128> {
    prop_oneof![
        -200i128..300,
        i128::from(i64::MIN)..=i128::from(u64::MAX),
        prop::sample::select(vec![
            i64::MIN as i128,
            i64::MAX as i128,
            u64::MAX as i128,
            1 << 32,
            65535,
            65536,
            -129
        ]),
    ]
}

pub(crate) fn decimal() -> impl Strategy<Value = Decimal> {
    let special = prop::sample::select(vec!["NaN", "-sNaN12", "Infinity", "-inf", "0E-9", "-0"]);
    prop_oneof![special.prop_map(str::to_owned), "-?[0-9]{1,40}(\\.[0-9]{1,9})?(E[+-]?[0-9]{1,3})?"]
        .prop_map(|text| text.parse().unwrap())
}

pub(crate) fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub(crate) fn time() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "2026-11-21T06:15:00Z",
        "1969-12-31T23:59:59.999999999-12:30",
        "2026-11-21T07:15:00+01:00",
    ])
    .prop_map(str::to_owned)
}

pub(crate) fn array(element_type: Option<ElementType>) -> impl Strategy<Value = AnyArray> {
    let names = match element_type {
        Some(element_type) => vec![element_type.name()],
        None => ELEMENT_TYPES.to_vec(),
    };
    (prop::sample::select(names), vec(0usize..4, 0..4), any::<[u8; 16]>()).prop_map(|(name, shape, seed)| {
        let element_type = ElementType::from_name(name).unwrap();
        let length = shape.iter().product::<usize>() * element_type.size();
        AnyArray::new(element_type, shape, seed.iter().copied().cycle().take(length).collect()).unwrap()
    })
}

pub(crate) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        int().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 2.0])
            .prop_map(Value::Float),
        text().prop_map(Value::Text),
        vec(any::<u8>(), 0..5).prop_map(Value::Bytes),
        decimal().prop_map(Value::Decimal),
        uuid().prop_map(Value::Uuid),
        time().prop_map(Value::Text),
    ]
}

/// A set of those that are different and can be in one.
pub(crate) fn set(members: Vec<Value>) -> Value {
    let mut set: Vec<Value> = Vec::new();
    for member in members {
        if member.is_hashable() && !set.contains(&member) {
            set.push(member);
        }
    }
    Value::Set(set)
}

/// Any value; `only_text` keeps the keys of maps to text.
pub(crate) fn value(only_text: bool) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![9 => scalar(), 1 => array(None).prop_map(Value::from)];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let key = if only_text {
            text().prop_map(Value::Text).boxed()
        } else {
            prop_oneof![scalar(), inner.clone()].prop_filter("a key", Value::is_hashable).boxed()
        };
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::List),
            vec((key, inner.clone()), 0..5)
                .prop_map(|entries| Value::Map(entries.into_iter().collect::<Map>())),
            vec(inner, 0..5).prop_map(set),
        ]
    })
    .boxed()
}
