//! Laws of values, models and encodings, tried on arbitrary ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;

use bytes::Bytes;
use proptest::prelude::*;
use service_framework_core::model::{Empty, Shape, describe};
use service_framework_core::value::{AnyArray, Array, DateTime, Decimal, Map, Uuid};
use service_framework_core::wire::{self, Encoding, Limits, Peer, Writer};
use service_framework_core::{Model, Value};
use service_framework_macros::Model;

#[path = "support/arbitrary.rs"]
mod arbitrary;
#[path = "support/shaped.rs"]
mod shaped;

const BOTH: [Encoding; 2] = [Encoding::MessagePack, Encoding::Json];

fn decode<T: Model>(message: &[u8], encoding: Encoding) -> Result<T, service_framework_core::Fault> {
    wire::decode(message, encoding, &Limits::default())
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Scalars {
    flag: bool,
    byte: u8,
    signed: i64,
    unsigned: u64,
    float: f64,
    text: String,
    bytes: Bytes,
    decimal: Decimal,
    uuid: Uuid,
    time: DateTime,
    anything: Value,
    nothing: Option<Empty>,
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Containers {
    list: Vec<Option<u8>>,
    tuple: (f64, String, Option<bool>),
    numbers: BTreeSet<i16>,
    sides: BTreeSet<Side>,
    times: BTreeSet<DateTime>,
    prices: BTreeSet<Decimal>,
    by_text: BTreeMap<String, Level>,
    by_number: HashMap<u8, f64>,
    by_decimal: BTreeMap<Decimal, bool>,
    by_uuid: BTreeMap<Uuid, ()>,
    by_flag: BTreeMap<bool, Value>,
    by_time: BTreeMap<DateTime, u8>,
    by_side: BTreeMap<Side, u8>,
    any_map: Option<Map>,
    array: Array<i16>,
    any_array: Option<AnyArray>,
}

#[derive(Model, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[model(crate = "service_framework_core", names = "lower")]
enum Side {
    Buy,
    Sell,
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Level(Decimal);

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Tree {
    name: String,
    #[model(default = 7)]
    size: u16,
    left: Option<Box<Tree>>,
    leaves: Vec<Tree>,
    by_name: BTreeMap<String, Tree>,
    cargo: Option<Cargo>,
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core", open)]
struct Cargo {
    weight: Option<f64>,
    owner: Option<Box<Tree>>,
}

/// A value of the type's shape with some changes.
fn near<T: Model>() -> impl Strategy<Value = Value> {
    let changes = proptest::collection::vec(shaped::change(), 0..3);
    (shaped::value_of(&describe::<T>(), &[]), changes).prop_map(|(value, changes)| {
        changes.into_iter().fold(value, |value, (index, change)| shaped::changed(value, index, &change))
    })
}

/// The type accepts what its shape accepts and says of the rest what the shape says.
fn type_and_shape_agree<T: Model + Debug + PartialEq>(value: &Value) -> Result<(), TestCaseError> {
    for encoding in BOTH {
        let Ok(message) = wire::encode(value, encoding) else { continue };
        // In JSON, keys have become text.
        let value: Value = decode(&message, encoding).unwrap();
        let faults = describe::<T>().faults(&value);
        match decode::<T>(&message, encoding) {
            Ok(typed) => {
                prop_assert!(faults.is_empty(), "only the type accepts {value}: {faults:?}");
                let again = wire::encode(&typed, encoding).unwrap();
                let value: Value = decode(&again, encoding).unwrap();
                prop_assert_eq!(describe::<T>().faults(&value), []);
                // A NaN is not equal to itself in Rust, so the values are compared.
                let twice = wire::encode(&decode::<T>(&again, encoding).unwrap(), encoding).unwrap();
                prop_assert_eq!(decode::<Value>(&twice, encoding).unwrap(), value);
            }
            Err(fault) => {
                let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
                prop_assert!(
                    texts.contains(&fault.to_string()),
                    "{fault}\n  is not among {texts:?}\n  for {value}"
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_survives_message_pack(value in arbitrary::value(false)) {
        let message = wire::encode(&value, Encoding::MessagePack).unwrap();
        prop_assert_eq!(decode::<Value>(&message, Encoding::MessagePack).unwrap(), value);
    }

    #[test]
    fn a_value_survives_json(value in arbitrary::value(true)) {
        let message = wire::encode(&value, Encoding::Json).unwrap();
        prop_assert_eq!(decode::<Value>(&message, Encoding::Json).unwrap(), value, "{}", String::from_utf8_lossy(&message));
        let value: Result<serde_json::Value, _> = serde_json::from_slice(&message);
        prop_assert!(value.is_ok(), "serde_json reads it: {value:?}");
    }

    #[test]
    fn what_is_written_for_python_has_no_nulls_in_maps_and_text_keys(value in arbitrary::value(false)) {
        fn check(value: &Value) {
            match value {
                Value::Map(map) => for (key, value) in map.iter() {
                    assert!(key.as_text().is_some() && *value != Value::Null);
                    check(value);
                },
                Value::List(items) => items.iter().for_each(check),
                Value::Array(array) => assert!(array.is_plain_floats()),
                _ => {}
            }
        }
        let mut writer = Writer::new(Encoding::MessagePack, Peer::Python);
        value.encode(&mut writer);
        if let Ok(message) = writer.finish() {
            check(&decode(&message, Encoding::MessagePack).unwrap());
        }
    }

    #[test]
    fn a_message_may_be_skipped_exactly_when_it_can_be_read(value in arbitrary::value(true)) {
        for encoding in BOTH {
            let mut message = wire::encode(&value, encoding).unwrap();
            let length = message.len();
            message.extend_from_slice(b" {}");
            let mut reader = wire::Reader::new(&message, encoding, &Limits::default());
            prop_assert_eq!(reader.slice().unwrap(), &message[..length]);
        }
    }

    #[test]
    fn a_shape_survives_its_json(shape in shaped::shape()) {
        let value = shape.to_value();
        for encoding in BOTH {
            if let Ok(message) = wire::encode(&value, encoding) {
                let value: Value = decode(&message, encoding).unwrap();
                prop_assert_eq!(&Shape::from_value(&value).unwrap(), &shape);
            } else {
                prop_assert!(value.to_string().is_empty(), "it is never too deep");
            }
        }
        let schema: Result<serde_json::Value, _> = serde_json::from_str(&shape.to_json_schema().to_string());
        prop_assert!(schema.is_ok(), "{schema:?}");
    }

    #[test]
    fn scalars_accept_what_their_shape_accepts(value in near::<Scalars>()) {
        type_and_shape_agree::<Scalars>(&value)?;
    }

    #[test]
    fn containers_accept_what_their_shape_accepts(value in near::<Containers>()) {
        type_and_shape_agree::<Containers>(&value)?;
    }

    #[test]
    fn a_tree_accepts_what_its_shape_accepts(value in near::<Tree>()) {
        type_and_shape_agree::<Tree>(&value)?;
    }

    #[test]
    fn anything_is_judged_alike(value in arbitrary::value(false)) {
        type_and_shape_agree::<Cargo>(&value)?;
        type_and_shape_agree::<Vec<Value>>(&value)?;
        type_and_shape_agree::<BTreeMap<u8, Value>>(&value)?;
        type_and_shape_agree::<BTreeMap<String, Option<f64>>>(&value)?;
        type_and_shape_agree::<BTreeSet<String>>(&value)?;
        type_and_shape_agree::<Option<(u64, f64)>>(&value)?;
    }
}

#[test]
fn a_fault_is_found_by_what_the_key_before_it_means() {
    let wrong_behind = |key: &str| Value::Map(Map::from_iter([(key, Value::Bool(true))]));
    for key in ["-0", "+1", "01"] {
        type_and_shape_agree::<BTreeMap<i64, u8>>(&wrong_behind(key)).unwrap();
    }
    type_and_shape_agree::<BTreeMap<Uuid, u8>>(&wrong_behind("67E55044-10B1-426F-9247-BB680E5FE0C8"))
        .unwrap();
}

/// Three in four of the values that the laws above are tried on must not all be refused, or they would say little.
#[test]
fn the_values_near_a_type_are_of_both_kinds() {
    use proptest::strategy::ValueTree as _;
    fn right<T: Model>() -> usize {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let values = near::<T>();
        (0..200)
            .filter(|_| describe::<T>().faults(&values.new_tree(&mut runner).unwrap().current()).is_empty())
            .count()
    }
    for right in [right::<Scalars>(), right::<Containers>(), right::<Tree>()] {
        assert!((20..180).contains(&right), "{right} of 200");
    }
}
