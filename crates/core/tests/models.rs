//! Every type of a model: what it accepts, what it refuses and in which words, in both encodings.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use expect_test::{Expect, expect};
use service_framework_core::model::{Empty, describe};
use service_framework_core::value::{AnyArray, Array, DateTime, Decimal, Map, Uuid};
use service_framework_core::wire::{self, Encoding, Limits, Peer, Writer};
use service_framework_core::{Model, Value, value};
use service_framework_macros::Model;

#[path = "models/refused.rs"]
mod refused;
#[path = "models/sent.rs"]
mod sent;

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Args {
    order: Option<Order>,
    by_id: Option<BTreeMap<u32, Order>>,
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Order {
    asks: Vec<Level>,
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Level {
    price: Decimal,
    size: u32,
    note: Option<String>,
}

#[derive(Model, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[model(crate = "service_framework_core", names = "lower")]
enum Side {
    Buy,
    Sell,
}

/// Reads a value as a `T` in both encodings and as data, and pins what comes back or what is said.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "so that values and snapshots stand at the call without `&`"
)]
fn check<T: Model + std::fmt::Debug>(value: Value, expected: Expect) {
    let told = [Encoding::MessagePack, Encoding::Json].map(|encoding| {
        let message = wire::encode(&value, encoding).unwrap();
        match wire::decode::<T>(&message, encoding, &Limits::default()) {
            Ok(typed) => {
                let again = wire::encode(&typed, encoding).unwrap();
                wire::decode::<Value>(&again, encoding, &Limits::default()).unwrap().to_string()
            }
            Err(fault) => fault.to_string(),
        }
    });
    assert_eq!(told[0], told[1], "MessagePack on the left, JSON on the right");
    let faults = describe::<T>().faults(&value);
    let is_refused =
        wire::decode::<T>(&wire::encode(&value, Encoding::Json).unwrap(), Encoding::Json, &Limits::default());
    assert_eq!(faults.is_empty(), is_refused.is_ok(), "the model as data says {faults:?}");
    if let Some(fault) = faults.first().filter(|_| faults.len() == 1) {
        assert_eq!(fault.to_string(), told[0], "the model as data says it in the same words");
    }
    expected.assert_eq(&told[0]);
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn set<V: Into<Value>>(members: impl IntoIterator<Item = V>) -> Value {
    Value::Set(members.into_iter().map(Into::into).collect())
}

#[test]
fn booleans() {
    check::<bool>(value!(true), expect!["true"]);
    check::<bool>(value!(1i64), expect!["expected a boolean, got the integer 1"]);
    check::<bool>(value!(null), expect!["expected a boolean, got null"]);
}

#[test]
fn integers_have_bounds() {
    check::<u64>(Value::from(u64::MAX), expect!["18446744073709551615"]);
    check::<i64>(Value::from(i64::MIN), expect!["-9223372036854775808"]);
    check::<i64>(
        Value::from(u64::MAX),
        expect![
            "expected an integer from -9223372036854775808 to 9223372036854775807, got the integer 18446744073709551615"
        ],
    );
    check::<u64>(
        Value::from(-1i64),
        expect!["expected an integer from 0 to 18446744073709551615, got the integer -1"],
    );
    check::<u8>(value!(256i64), expect!["expected an integer from 0 to 255, got the integer 256"]);
    check::<i8>(Value::from(-128i64), expect!["-128"]);
    check::<i16>(
        value!(32768i64),
        expect!["expected an integer from -32768 to 32767, got the integer 32768"],
    );
}

#[test]
fn only_an_integer_is_an_integer() {
    check::<i64>(
        value!(2.0),
        expect!["expected an integer from -9223372036854775808 to 9223372036854775807, got the float 2.0"],
    );
    check::<u8>(value!(true), expect!["expected an integer from 0 to 255, got the boolean true"]);
    check::<u8>(value!("1"), expect![[r#"expected an integer from 0 to 255, got the text "1""#]]);
}

#[test]
fn an_integer_is_taken_for_a_float() {
    check::<f64>(value!(2i64), expect!["2.0"]);
    check::<f64>(value!(0.1), expect!["0.1"]);
    check::<f64>(value!(true), expect!["expected a float, got the boolean true"]);
    check::<f64>(value!("1.5"), expect![[r#"expected a float, got the text "1.5""#]]);
}

#[test]
fn a_32_bit_float_rounds_and_has_bounds() {
    let greatest = f64::from(f32::MAX);
    check::<f32>(value!(0.5), expect!["0.5"]);
    check::<f32>(value!(0.1), expect!["0.10000000149011612"]);
    check::<f32>(value!(1e-300), expect!["0.0"]);
    check::<f32>(Value::from(u64::MAX), expect!["1.8446744073709552e19"]);
    check::<f32>(Value::from(-greatest), expect!["-3.4028234663852886e38"]);
    check::<f32>(Value::from(greatest * (1.0 + f64::EPSILON)), expect!["3.4028234663852886e38"]);
    check::<f32>(value!(3.5e38), expect!["expected a 32-bit float, got the float 3.5e38"]);
    check::<f32>(value!(-1e300), expect!["expected a 32-bit float, got the float -1e300"]);
    check::<BTreeMap<String, f32>>(
        value!({"prices": 1e300}),
        expect!["prices: expected a 32-bit float, got the float 1e300"],
    );
    check::<f32>(Value::from(f64::NAN), expect!["NaN"]);
    check::<f32>(Value::from(f64::INFINITY), expect!["inf"]);
    check::<f32>(Value::from(f64::NEG_INFINITY), expect!["-inf"]);
    check::<f32>(value!("1.5"), expect![[r#"expected a 32-bit float, got the text "1.5""#]]);
    check::<f32>(value!({"a": 1i64}), expect!["expected a 32-bit float, got a map"]);
}

#[test]
fn floats_that_are_no_numbers_are_floats() {
    check::<f64>(Value::from(f64::NAN), expect!["NaN"]);
    check::<f64>(Value::from(f64::NEG_INFINITY), expect!["-inf"]);
    check::<f64>(Value::from(-0.0), expect!["-0.0"]);
    check::<u8>(Value::from(f64::NAN), expect!["expected an integer from 0 to 255, got the float NaN"]);
}

#[test]
fn texts_and_bytes_are_kept_apart() {
    check::<String>(value!("zoë \u{1F980}\n"), expect!["zoë 🦀\n"]);
    check::<Bytes>(Value::from(vec![0u8, 255]), expect![[r#"{"__bytes__":true,"as_base64":"AP8="}"#]]);
    check::<String>(Value::from(vec![0u8, 255]), expect!["expected a text, got 2 bytes"]);
    check::<Bytes>(value!("abc"), expect![[r#"expected bytes, got the text "abc""#]]);
}

#[test]
fn a_long_text_is_cut_in_messages() {
    check::<bool>(
        Value::from("0123456789".repeat(9)),
        expect![[r#"expected a boolean, got the text "0123456789012345678901234567890123456789…""#]],
    );
    check::<bool>(value!("\u{1b}[31m"), expect![[r#"expected a boolean, got the text "\u{1b}[31m""#]]);
}

#[test]
fn decimals() {
    let long = format!("{}.{}", "9".repeat(60), "1".repeat(60));
    check::<Decimal>(
        Value::from(decimal(&long)),
        expect![
            "999999999999999999999999999999999999999999999999999999999999.111111111111111111111111111111111111111111111111111111111111"
        ],
    );
    check::<Decimal>(Value::from(decimal("1.50E+7")), expect!["1.50E+7"]);
    check::<Decimal>(Value::from(decimal("-Infinity")), expect!["-Infinity"]);
    check::<Decimal>(value!("1.5"), expect![[r#"expected a decimal, got the text "1.5""#]]);
    check::<Decimal>(value!(1.5), expect!["expected a decimal, got the float 1.5"]);
    check::<Decimal>(value!({}), expect!["expected a decimal, got a map"]);
    check::<String>(Value::from(decimal("1.5")), expect!["expected a text, got the decimal 1.5"]);
}

#[test]
fn uuids() {
    let uuid = Uuid::from_u128(0x12345678_1234_5678_1234_567812345678);
    check::<Uuid>(value!(uuid), expect!["12345678-1234-5678-1234-567812345678"]);
    check::<Uuid>(value!("12345678"), expect![[r#"expected a UUID, got the text "12345678""#]]);
    check::<u8>(
        value!(uuid),
        expect!["expected an integer from 0 to 255, got the UUID 12345678-1234-5678-1234-567812345678"],
    );
}

#[test]
fn times() {
    check::<DateTime>(value!("2026-11-21T06:15:00.5+01:00"), expect!["2026-11-21T06:15:00.5+01:00"]);
    check::<DateTime>(
        value!("2026-11-21"),
        expect![[r#"expected a time such as 2026-11-21T06:15:00Z, got the text "2026-11-21""#]],
    );
    check::<DateTime>(
        value!(1i64),
        expect!["expected a time such as 2026-11-21T06:15:00Z, got the integer 1"],
    );
}

#[test]
fn lists_and_tuples() {
    check::<Vec<u8>>(value!([1i64, 2i64]), expect!["[1,2]"]);
    check::<Vec<u8>>(
        value!([1i64, "b"]),
        expect![[r#"[1]: expected an integer from 0 to 255, got the text "b""#]],
    );
    check::<Vec<u8>>(value!({}), expect!["expected a list, got a map"]);
    check::<(u8, String)>(value!([1i64, "b"]), expect![[r#"[1,"b"]"#]]);
    check::<(u8, String)>(value!([1i64]), expect!["expected a list of 2, got a list of 1"]);
    check::<(u8, Option<u8>)>(value!([1i64, null]), expect!["[1,null]"]);
    check::<((f64, f64),)>(value!([[1i64, "x"]]), expect![[r#"[0][1]: expected a float, got the text "x""#]]);
}

#[test]
fn a_tuple_of_another_length_is_refused() {
    let decoded = |json: &str| wire::decode::<(u8, u8)>(json.as_bytes(), Encoding::Json, &Limits::default());
    assert_eq!(decoded("[1, 2, 3]").unwrap_err().to_string(), "expected a list of 2, got a list of 3");
    assert_eq!(decoded("[]").unwrap_err().to_string(), "expected a list of 2, got a list of 0");
}

#[test]
fn sets() {
    check::<BTreeSet<u8>>(set([2i64, 1]), expect![[r#"{"__set__":true,"value":[1,2]}"#]]);
    check::<HashSet<Side>>(set(["sell"]), expect![[r#"{"__set__":true,"value":["sell"]}"#]]);
    check::<BTreeSet<Side>>(
        set(["hold"]),
        expect![[r#"[0]: expected one of buy, sell, got the text "hold""#]],
    );
    check::<BTreeSet<u8>>(value!([1i64]), expect!["expected a set, got a list of 1"]);
    check::<BTreeSet<u8>>(value!({"a": 1i64}), expect!["expected a set, got a map"]);
    check::<Vec<u8>>(set([1i64]), expect!["expected a list, got a set of 1"]);
    check::<BTreeSet<DateTime>>(
        set(["2026-11-21T06:15:00Z", "2026-11-21T07:15:00+01:00"]),
        expect!["[1]: a member of the set stands twice"],
    );
}

#[test]
fn choices() {
    check::<Side>(value!("buy"), expect!["buy"]);
    check::<Side>(value!("Buy"), expect![[r#"expected one of buy, sell, got the text "Buy""#]]);
    check::<Side>(value!(0i64), expect!["expected one of buy, sell, got the integer 0"]);
}

#[test]
fn maps_from_type_to_type() {
    check::<BTreeMap<String, u8>>(value!({"a": 1i64}), expect![[r#"{"a":1}"#]]);
    check::<HashMap<u16, Vec<u8>>>(
        value!({"7": [300i64]}),
        expect!["7[0]: expected an integer from 0 to 255, got the integer 300"],
    );
    check::<BTreeMap<u16, u8>>(
        value!({"seven": 1i64}),
        expect![[r#"seven: expected an integer from 0 to 65535, got the text "seven""#]],
    );
    check::<BTreeMap<u16, u8>>(value!({"7": 1i64, "07": 1i64}), expect!["7: the key stands twice"]);
    check::<BTreeMap<Side, u8>>(value!({"buy": 1i64}), expect![[r#"{"buy":1}"#]]);
    check::<BTreeMap<bool, u8>>(
        value!({"yes": 1i64}),
        expect![[r#"yes: expected a boolean, got the text "yes""#]],
    );
    check::<Map>(value!({"a": [1i64, {}]}), expect![[r#"{"a":[1,{}]}"#]]);
    check::<Map>(value!([]), expect!["expected a map, got a list of 0"]);
}

#[test]
fn keys_may_be_decimals_and_uuids() {
    let map: BTreeMap<Decimal, Vec<Uuid>> = [(decimal("100.5"), vec![Uuid::nil()])].into();
    for encoding in [Encoding::MessagePack, Encoding::Json] {
        let message = wire::encode(&map, encoding).unwrap();
        let back: BTreeMap<Decimal, Vec<Uuid>> =
            wire::decode(&message, encoding, &Limits::default()).unwrap();
        assert_eq!(back, map);
    }
    check::<BTreeMap<Decimal, u8>>(
        value!({"1.5": 1i64, "1.50": 2i64}),
        expect![[r#"["1.50"]: the key stands twice"#]],
    );
    check::<BTreeMap<Uuid, u8>>(
        value!({"nobody": 1i64}),
        expect![[r#"nobody: expected a UUID, got the text "nobody""#]],
    );
}

#[test]
fn arrays() {
    let table = Array::new(vec![2, 2], vec![1u8, 2, 3, 4]).unwrap();
    let value = Value::from(AnyArray::from(&table));
    check::<Array<u8>>(
        value.clone(),
        expect![[
            r#"{"__numpy.ndarray__":true,"as_bytes":{"__bytes__":true,"as_base64":"AQIDBA=="},"dtype":"|u1","shape":[2,2]}"#
        ]],
    );
    check::<AnyArray>(
        value.clone(),
        expect![[
            r#"{"__numpy.ndarray__":true,"as_bytes":{"__bytes__":true,"as_base64":"AQIDBA=="},"dtype":"|u1","shape":[2,2]}"#
        ]],
    );
    check::<Array<f64>>(value.clone(), expect!["expected an array of <f8, got an array of |u1"]);
    check::<Vec<u8>>(value, expect!["expected a list, got an array of |u1"]);
    check::<Array<f64>>(value!([1.0]), expect!["expected an array of <f8, got a list of 1"]);
}

#[test]
fn nested_models_say_where() {
    let level = |price: Value, size: i64| value!({"price": price, "size": size});
    let args = |levels: Vec<Value>| value!({"order": {"asks": levels}});
    let price = || Value::from(decimal("1.0"));
    let good = || level(price(), 1);
    check::<Args>(
        args(vec![good(), good(), good(), level("abc".into(), 1)]),
        expect![[r#"order.asks[3].price: expected a decimal, got the text "abc""#]],
    );
    check::<Args>(args(vec![good(), value!({"price": (price())})]), expect!["order.asks[1].size is missing"]);
    check::<Args>(
        args(vec![value!({"price": (price()), "size": null})]),
        expect!["order.asks[0].size: expected an integer from 0 to 4294967295, got null"],
    );
    check::<Args>(
        args(vec![value!({"price": (price()), "size": 1i64, "sise": 2i64})]),
        expect!["order.asks[0].sise is unknown, did you mean `size`?"],
    );
    check::<Args>(
        value!({"by_id": {"7": {"asks": [null]}}}),
        expect!["by_id.7.asks[0]: expected a map, got null"],
    );
    check::<Args>(value!({"by_id": {"7": {"bids": []}}}), expect!["by_id.7.bids is unknown"]);
    check::<Args>(value!({"elsewhere": 1i64}), expect!["elsewhere is unknown"]);
    check::<Args>(value!({"\u{1b}\"": 1i64}), expect![[r#"["\u{1b}\""] is unknown"#]]);
}

#[test]
fn an_optional_field_may_be_missing_or_null_and_is_left_out() {
    check::<Args>(value!({}), expect!["{}"]);
    check::<Args>(value!({"order": null}), expect!["{}"]);
    check::<Args>(value!({"order": {"asks": []}, "by_id": null}), expect![[r#"{"order":{"asks":[]}}"#]]);
}

#[test]
fn nothing_is_an_empty_map() {
    check::<Empty>(value!({}), expect!["{}"]);
    check::<Empty>(value!({"a": 1i64}), expect!["a is unknown"]);
    check::<Empty>(value!(null), expect!["expected a map, got null"]);
}

#[test]
fn a_value_is_anything() {
    let all = value!({"a": [null, true, 1i64, 2.5, "t", (vec![1u8]), (decimal("1.0")), (Uuid::nil()), (set([1i64]))]});
    check::<Value>(
        all,
        expect![[
            r#"{"a":[null,true,1,2.5,"t",{"__bytes__":true,"as_base64":"AQ=="},{"__decimal__":true,"as_str":"1.0"},{"__uuid__":true,"as_str":"00000000-0000-0000-0000-000000000000"},{"__set__":true,"value":[1]}]}"#
        ]],
    );
}
