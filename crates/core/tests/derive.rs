//! What `#[derive(Model)]` makes of a type.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::{Expect, expect};
use service_framework_core::model::{Shape, describe};
use service_framework_core::value::Decimal;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Model, Value};
use service_framework_macros::Model;

fn decode<T: Model>(json: &str) -> Result<T, String> {
    wire::decode(json.as_bytes(), Encoding::Json, &Limits::default()).map_err(|fault| fault.to_string())
}

fn encode<T: Model>(value: &T) -> String {
    String::from_utf8(wire::encode(value, Encoding::Json).unwrap()).unwrap()
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that the snapshot stands at the call without `&`")]
fn check<T: Model + std::fmt::Debug + PartialEq>(json: &str, expected: Expect) {
    let told = match decode::<T>(json) {
        Ok(value) => {
            let packed = wire::encode(&value, Encoding::MessagePack).unwrap();
            let back: T = wire::decode(&packed, Encoding::MessagePack, &Limits::default()).unwrap();
            assert_eq!(back, value, "what it encodes, it decodes");
            encode(&value)
        }
        Err(text) => text,
    };
    expected.assert_eq(&told);
}

/// An order.
///
/// To buy or to sell.
#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Order {
    /// Which way.
    side: Side,
    #[model(name = "limit")]
    price: Price,
    r#type: Option<String>,
    #[model(default)]
    size: u32,
    #[model(default = vec!["a".to_owned()])]
    marks: Vec<String>,
    #[model(default = Some(3))]
    level: Option<u8>,
}

#[derive(Model, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[model(crate = "service_framework_core", names = "kebab")]
enum Side {
    BuyNow,
    #[model(name = "sold")]
    Sell,
}

#[derive(Model, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[model(crate = "service_framework_core", key)]
struct Price(Decimal);

#[test]
fn a_record_reads_and_writes_its_fields() {
    check::<Order>(
        r#"{"side": "buy-now", "limit": {"__decimal__": true, "as_str": "1.0"}}"#,
        expect![[
            r#"{"side":"buy-now","limit":{"__decimal__":true,"as_str":"1.0"},"size":0,"marks":["a"],"level":3}"#
        ]],
    );
    check::<Order>(
        r#"{"level": null, "marks": null, "size": 4, "type": null, "side": "sold", "limit": {"__decimal__": true, "as_str": "1.0"}}"#,
        expect![[
            r#"{"side":"sold","limit":{"__decimal__":true,"as_str":"1.0"},"size":4,"marks":["a"],"level":null}"#
        ]],
    );
}

#[test]
fn a_wrong_record_is_refused_with_the_place() {
    check::<Order>("{}", expect!["side is missing"]);
    check::<Order>("[]", expect!["expected a map, got a list of 0"]);
    check::<Order>(
        r#"{"side": "hold"}"#,
        expect![[r#"side: expected one of buy-now, sold, got the text "hold""#]],
    );
    check::<Order>(r#"{"side": null}"#, expect!["side: expected one of buy-now, sold, got null"]);
    check::<Order>(r#"{"limt": 1}"#, expect!["limt is unknown, did you mean `limit`?"]);
    check::<Order>(r#"{"r#type": "a"}"#, expect![[r#"["r#type"] is unknown, did you mean `type`?"#]]);
    check::<Order>(r#"{"size": 1, "size": 2}"#, expect!["size: the key stands twice"]);
    check::<Order>(r#"{"size": null, "size": 2}"#, expect!["size: the key stands twice"]);
}

#[test]
fn offsets_point_at_what_is_wrong() {
    let offset = |json: &str| {
        let fault = wire::decode::<Order>(json.as_bytes(), Encoding::Json, &Limits::default()).unwrap_err();
        json[fault.offset().unwrap()..].to_owned()
    };
    assert_eq!(offset(r#"{"size": 1, "sise": 2}"#), r#""sise": 2}"#);
    assert_eq!(offset(r#"{"size": 1, "size": 2}"#), r#""size": 2}"#);
    assert_eq!(offset(r#"{"size": "b" }"#), r#""b" }"#);
    assert_eq!(offset("{}"), "{}");
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core", open, names = "camel")]
struct Settings {
    wait_s: Option<f64>,
}

#[test]
fn an_open_record_lets_unknown_fields_pass() {
    check::<Settings>(r#"{"waitS": 2, "other": {"a": [1, {}]}}"#, expect![[r#"{"waitS":2.0}"#]]);
    check::<Settings>(r#"{"other": [1}"#, expect!["other: expected `,` or `]`, got the character '}'"]);
    check::<Settings>(r#"{"__set__": true, "value": []}"#, expect!["expected a map, got a set of 0"]);
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Ping;

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Page<T> {
    items: Vec<T>,
    next: Option<Box<Page<T>>>,
}

#[derive(Model, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Book {
    asks: BTreeMap<Price, u32>,
    sides: BTreeSet<Side>,
    by_side: BTreeMap<Side, Ping>,
}

#[test]
fn other_types_have_their_forms() {
    check::<Ping>(r#""Ping""#, expect![[r#""Ping""#]]);
    check::<Ping>(r#""Pong""#, expect![[r#"expected one of Ping, got the text "Pong""#]]);
    check::<Page<u8>>(
        r#"{"items": [1], "next": {"items": []}}"#,
        expect![[r#"{"items":[1],"next":{"items":[]}}"#]],
    );
    check::<Page<u8>>(
        r#"{"items": [1], "next": {"items": [1, 256]}}"#,
        expect!["next.items[1]: expected an integer from 0 to 255, got the integer 256"],
    );
    check::<Book>(
        r#"{"asks": {"1.5": 1}, "sides": {"__set__": true, "value": ["sold"]}, "by_side": {"sold": "Ping"}}"#,
        expect![[
            r#"{"asks":{"1.5":1},"sides":{"__set__":true,"value":["sold"]},"by_side":{"sold":"Ping"}}"#
        ]],
    );
}

#[test]
fn the_description_says_what_the_type_says() {
    expect![[r#"{"record":{"name":"Order","doc":"An order.\n\nTo buy or to sell.","fields":[{"name":"side","doc":"Which way.","type":{"choice":{"name":"Side","values":["buy-now","sold"]}}},{"name":"limit","type":"decimal"},{"name":"type","required":false,"type":"text"},{"name":"size","required":false,"type":"u32"},{"name":"marks","required":false,"type":{"list":"text"}},{"name":"level","required":false,"type":"u8"}]}}"#]]
    .assert_eq(&describe::<Order>().to_value().to_string());
    expect![[r#"{"record":{"name":"Settings","open":true,"fields":[{"name":"waitS","required":false,"type":"float"}]}}"#]]
        .assert_eq(&describe::<Settings>().to_value().to_string());
}

mod other {
    use super::*;

    /// Another type of the same name, which holds the first one and itself.
    #[derive(Model)]
    #[model(crate = "service_framework_core")]
    pub(super) struct Page<T> {
        first: super::Page<T>,
        rest: Vec<Page<T>>,
    }
}

#[test]
fn two_types_of_one_name_inside_one_another_are_told_apart() {
    let shape = describe::<other::Page<u8>>();
    expect![[r#"{"record":{"name":"Page","doc":"Another type of the same name, which holds the first one and itself.","fields":[{"name":"first","type":{"record":{"name":"Page_2","fields":[{"name":"items","type":{"list":"u8"}},{"name":"next","required":false,"type":{"outer":"Page_2"}}]}}},{"name":"rest","type":{"list":{"outer":"Page"}}}]}}"#]]
    .assert_eq(&shape.to_value().to_string());
    let json =
        r#"{"first": {"items": [1], "next": {"items": []}}, "rest": [{"first": {"items": []}, "rest": []}]}"#;
    let value: Value = decode(json).unwrap();
    assert_eq!(shape.faults(&value), []);
    assert!(decode::<other::Page<u8>>(json).is_ok());
}

#[test]
fn a_type_that_may_be_absent_is_optional_when_wrapped() {
    #[derive(Model, Debug, PartialEq)]
    #[model(crate = "service_framework_core")]
    struct Note(Option<String>);
    #[derive(Model, Debug, PartialEq)]
    #[model(crate = "service_framework_core")]
    struct Entry {
        note: Note,
        boxed: Box<Option<u8>>,
    }
    check::<Entry>("{}", expect!["{}"]);
    check::<Entry>(r#"{"note": null, "boxed": 1}"#, expect![[r#"{"boxed":1}"#]]);
    let Shape::Record(record) = describe::<Entry>() else { panic!("a record") };
    assert!(record.fields.iter().all(|field| !field.required));
}

macro_rules! model_in_a_macro {
    ($name:ident, $type:ty) => {
        #[derive(Model, Debug, PartialEq)]
        #[model(crate = "service_framework_core")]
        struct $name {
            value: $type,
        }
    };
}

model_in_a_macro!(FromMacro, Option<i64>);

#[test]
fn a_macro_may_write_models() {
    check::<FromMacro>(r#"{"value": 1}"#, expect![[r#"{"value":1}"#]]);
}

#[test]
fn a_default_is_made_only_when_it_is_needed() {
    #[derive(Model, Debug, PartialEq)]
    #[model(crate = "service_framework_core")]
    struct Entry {
        #[model(default = not_made())]
        size: u8,
    }
    fn not_made() -> u8 {
        panic!("it was made")
    }
    check::<Entry>(r#"{"size": 1}"#, expect![[r#"{"size":1}"#]]);
}
