//! Other people's MessagePack and JSON read the same from the same bytes, but for what the wire does not have.

use proptest::prelude::*;
use service_framework_core::Value;
use service_framework_core::value::Map;
use service_framework_core::wire::{self, Encoding, Limits};

#[path = "support/arbitrary.rs"]
mod arbitrary;
#[path = "support/recorded.rs"]
mod recorded;

/// What another library read, as ours would say it; `Err` if the wire does not have it.
type Translated = Result<Value, String>;

fn from_rmpv(value: rmpv::Value) -> Translated {
    use rmpv::Value as Theirs;
    Ok(match value {
        Theirs::Nil => Value::Null,
        Theirs::Boolean(flag) => Value::Bool(flag),
        Theirs::Integer(int) => Value::Int(
            int.as_i64()
                .map(Into::into)
                .or(int.as_u64().map(Into::into))
                .ok_or("an integer of neither kind")?,
        ),
        Theirs::F32(float) => Value::Float(float.into()),
        Theirs::F64(float) => Value::Float(float),
        Theirs::String(text) => Value::Text(text.into_str().ok_or("not UTF-8")?),
        Theirs::Binary(bytes) => Value::Bytes(bytes),
        Theirs::Array(items) => Value::List(items.into_iter().map(from_rmpv).collect::<Result<_, _>>()?),
        Theirs::Map(entries) => {
            let pair = |(key, value)| Ok::<_, String>((from_rmpv(key)?, from_rmpv(value)?));
            map(entries.into_iter().map(pair).collect::<Result<_, _>>()?)?
        }
        Theirs::Ext(..) => return Err("an extension type".into()),
    })
}

fn from_serde_json(value: &serde_json::Value) -> Translated {
    use serde_json::Value as Theirs;
    Ok(match value {
        Theirs::Null => Value::Null,
        Theirs::Bool(flag) => Value::Bool(*flag),
        Theirs::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(int), ..) => int.into(),
            (_, Some(int), _) => int.into(),
            (.., Some(float)) => Value::Float(float),
            _ => return Err("a number of no kind".into()),
        },
        Theirs::String(text) => Value::Text(text.clone()),
        Theirs::Array(items) => Value::List(items.iter().map(from_serde_json).collect::<Result<_, _>>()?),
        Theirs::Object(entries) => {
            let pair =
                |(key, value): (&String, _)| Ok::<_, String>((Value::from(&**key), from_serde_json(value)?));
            map(entries.iter().map(pair).collect::<Result<_, _>>()?)?
        }
    })
}

fn map(entries: Vec<(Value, Value)>) -> Translated {
    let count = entries.len();
    if entries.iter().any(|(key, _)| !key.is_hashable()) {
        return Err("a key that is a container".into());
    }
    if entries.iter().any(|(key, _)| key.as_text().is_some_and(|key| key.starts_with("__"))) {
        return Err("a key that may be a tag".into());
    }
    let map: Map = entries.into_iter().collect();
    if map.len() == count { Ok(Value::Map(map)) } else { Err("a key that stands twice".into()) }
}

fn ours(bytes: &[u8], encoding: Encoding) -> Result<Value, String> {
    wire::decode(bytes, encoding, &Limits::default()).map_err(|fault| fault.to_string())
}

/// Compares what both say.
fn compare_message_pack(bytes: &[u8]) -> Result<(), TestCaseError> {
    let mut rest = bytes;
    let theirs =
        rmpv::decode::read_value_with_max_depth(&mut rest, 64 + 1).map_err(|error| error.to_string());
    let theirs =
        theirs.and_then(|value| if rest.is_empty() { Ok(value) } else { Err("trailing bytes".into()) });
    match (ours(bytes, Encoding::MessagePack), theirs) {
        (Ok(ours), Ok(theirs)) => match from_rmpv(theirs) {
            Ok(theirs) => prop_assert_eq!(ours, theirs),
            Err(why) => prop_assert_eq!(why, "a key that may be a tag", "only ours reads {:02x?}", bytes),
        },
        (Ok(ours), Err(error)) => prop_assert!(false, "only ours reads {bytes:02x?} as {ours}: {error}"),
        (Err(fault), Ok(theirs)) => {
            // It takes the reserved byte for null.
            let is_known = fault.contains("the reserved byte c1");
            let translated = from_rmpv(theirs);
            prop_assert!(
                is_known || translated.is_err(),
                "only theirs reads {bytes:02x?} as {translated:?}: {fault}"
            );
        }
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

fn compare_json(bytes: &[u8]) -> Result<(), TestCaseError> {
    let theirs: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
    match (ours(bytes, Encoding::Json), theirs) {
        (Ok(ours), Ok(theirs)) => {
            if let Ok(theirs) = from_serde_json(&theirs) {
                prop_assert!(is_nearly(&ours, &theirs), "{ours}\n{theirs}");
            }
        }
        (Ok(ours), Err(error)) => prop_assert!(false, "only ours reads {ours}: {error}"),
        (Err(fault), Ok(theirs)) => {
            // It keeps the last of two entries and takes integers beyond 64 bits for floats.
            let is_known = ["stands twice", "an integer outside"].iter().any(|known| fault.contains(known));
            let translated = from_serde_json(&theirs);
            prop_assert!(is_known || translated.is_err(), "only theirs reads {theirs}: {fault}");
        }
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

/// Whether two values are equal, floats but for their last digit: `serde_json` is not exact there.
fn is_nearly(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Float(ours), Value::Float(theirs)) => {
            (ours - theirs).abs() <= (ours.abs() + f64::MIN_POSITIVE) * 4.0 * f64::EPSILON
        }
        (Value::List(ours), Value::List(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| is_nearly(ours, theirs))
        }
        (Value::Map(ours), Value::Map(theirs)) => {
            let is_there = |(key, ours)| theirs.get_key(key).is_some_and(|theirs| is_nearly(ours, theirs));
            ours.len() == theirs.len() && ours.iter().all(is_there)
        }
        _ => ours == theirs,
    }
}

/// Bytes with some of them replaced, left out or put in.
fn damaged(bytes: Vec<u8>, damages: Vec<(prop::sample::Index, u8, u8)>) -> Vec<u8> {
    damages.into_iter().fold(bytes, |mut bytes, (index, kind, byte)| {
        let at = index.index(bytes.len() + 1);
        match kind % 3 {
            0 if at < bytes.len() => bytes[at] = byte,
            1 if at < bytes.len() => _ = bytes.remove(at),
            _ => bytes.insert(at, byte),
        }
        bytes
    })
}

fn damages() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    proptest::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_the_same_message_pack(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        compare_message_pack(&bytes)?;
    }

    #[test]
    fn damaged_messages_are_the_same_message_pack(value in arbitrary::value(false), damages in damages()) {
        let message = wire::encode(&value, Encoding::MessagePack).unwrap();
        compare_message_pack(&damaged(message, damages))?;
    }

    #[test]
    fn damaged_messages_are_the_same_json(value in arbitrary::value(true), damages in damages()) {
        let message = wire::encode(&value, Encoding::Json).unwrap();
        compare_json(&damaged(message, damages))?;
    }

    #[test]
    fn almost_json_is_the_same_json(text in "[\\[\\]{}:,\"\\\\0-9eE.+truefalsnu \\PC-]{0,12}") {
        compare_json(text.as_bytes())?;
    }

    #[test]
    fn numbers_are_the_same_json(text in "-?(0|[1-9][0-9]{0,24}|[0-9]{1,3})(\\.[0-9]{0,20})?([eE][+-]?[0-9]{0,3})?") {
        compare_json(text.as_bytes())?;
    }
}

#[test]
fn the_recordings_are_the_same_message_pack() {
    for recording in recorded::recordings() {
        let theirs = rmpv::decode::read_value(&mut recording.payload()).unwrap();
        let mut again = Vec::new();
        rmpv::encode::write_value(&mut again, &theirs).unwrap();
        assert_eq!(again, recording.payload(), "{}", recording.name);
        compare_message_pack(recording.payload()).unwrap();
    }
}

#[test]
fn the_shortest_forms_are_those_of_others() {
    for int in [0i128, 127, 128, 255, 256, 65535, 65536, (1 << 32) - 1, 1 << 32, u64::MAX.into()] {
        for int in [int, -int - 1] {
            let Ok(theirs) =
                i64::try_from(int).map(rmpv::Value::from).or(u64::try_from(int).map(rmpv::Value::from))
            else {
                continue;
            };
            let mut message = Vec::new();
            rmpv::encode::write_value(&mut message, &theirs).unwrap();
            assert_eq!(wire::encode(&Value::Int(int), Encoding::MessagePack).unwrap(), message, "{int}");
        }
    }
    for length in [0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536] {
        let (text, bytes) = ("a".repeat(length), vec![1; length]);
        let list = vec![Value::Null; length];
        let pairs = [
            (Value::Text(text.clone()), rmpv::Value::from(text)),
            (Value::Bytes(bytes.clone()), rmpv::Value::Binary(bytes)),
            (Value::List(list), rmpv::Value::Array(vec![rmpv::Value::Nil; length])),
        ];
        for (ours, theirs) in pairs {
            let mut message = Vec::new();
            rmpv::encode::write_value(&mut message, &theirs).unwrap();
            assert_eq!(wire::encode(&ours, Encoding::MessagePack).unwrap(), message, "of {length}");
        }
    }
}
