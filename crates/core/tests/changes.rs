//! Changes of states: what `#[derive(State)]` makes of a struct, maps, and the law that holds for all of them.

use std::collections::{BTreeMap, HashMap};

use expect_test::{Expect, expect};
use proptest::prelude::*;
use service_framework_core::state::{Content, Edit, MapChange, UntypedChange, Update};
use service_framework_core::value::Map;
use service_framework_core::wire::{self, Encoding, Limits, Peer, Writer};
use service_framework_core::{Model, State, Value, value};
use service_framework_macros::{Model, State};

/// What is offered.
#[derive(Model, State, Clone, Debug, PartialEq)]
#[model(crate = "service_framework_core", names = "camel")]
#[state(derive(Debug, PartialEq))]
struct Offer {
    /// In dollars.
    price: u32,
    #[model(name = "type")]
    kind: Kind,
    best_of: Option<Vec<u8>>,
    #[model(default = 1)]
    lot_size: u32,
    note: Note,
    maybe: Maybe,
}

type Maybe = Option<bool>;

/// Optional, though it does not look so.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(crate = "service_framework_core")]
struct Note(Option<String>);

#[derive(Model, Clone, Copy, Debug, PartialEq)]
#[model(crate = "service_framework_core", names = "lower")]
enum Kind {
    Bid,
    Ask,
}

#[derive(Model, State, Clone, Debug, PartialEq)]
#[model(crate = "service_framework_core", open)]
#[state(change = "Moved", derive(Debug))]
struct Open {
    at: u8,
    any: Value,
}

fn offer() -> Offer {
    Offer {
        price: 7,
        kind: Kind::Bid,
        best_of: Some(vec![1]),
        lot_size: 5,
        note: Note(Some("thin".into())),
        maybe: None,
    }
}

fn decode<T: Model>(json: &str) -> Result<T, String> {
    wire::decode(json.as_bytes(), Encoding::Json, &Limits::default()).map_err(|fault| fault.to_string())
}

fn encode_for<T: Model>(value: &T, encoding: Encoding, peer: Peer) -> Result<Vec<u8>, String> {
    let mut writer = Writer::new(encoding, peer);
    value.encode(&mut writer);
    writer.finish().map_err(|fault| fault.to_string())
}

fn json<T: Model>(value: &T) -> String {
    match encode_for(value, Encoding::Json, Peer::Any) {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(text) => text,
    }
}

/// Reads a change of the offer, makes it, and shows what it is and what it leads to.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that the snapshot stands at the call without `&`")]
fn check(change: &str, expected: Expect) {
    let told = match decode::<OfferChange>(change) {
        Ok(change) => {
            let mut offer = offer();
            let written = json(&change);
            offer.apply(change);
            format!("{written}\n{}", json(&offer))
        }
        Err(text) => text,
    };
    expected.assert_eq(&told);
}

#[test]
fn what_a_change_does_not_name_stays() {
    check(
        "{}",
        expect![[r#"
            {}
            {"price":7,"type":"bid","bestOf":[1],"lotSize":5,"note":"thin"}"#]],
    );
    check(
        r#"{"price": 8, "type": "ask", "bestOf": [2, 3], "lotSize": 6, "note": "thick", "maybe": true}"#,
        expect![[r#"
            {"price":8,"type":"ask","bestOf":[2,3],"lotSize":6,"note":"thick","maybe":true}
            {"price":8,"type":"ask","bestOf":[2,3],"lotSize":6,"note":"thick","maybe":true}"#]],
    );
}

#[test]
fn null_removes_what_may_be_missing() {
    check(
        r#"{"bestOf": null, "note": null, "maybe": null}"#,
        expect![[r#"
            {"bestOf":null,"note":null,"maybe":null}
            {"price":7,"type":"bid","lotSize":5}"#]],
    );
}

#[test]
fn a_removed_field_with_a_default_has_it() {
    check(
        r#"{"lotSize": null}"#,
        expect![[r#"
            {"lotSize":1}
            {"price":7,"type":"bid","bestOf":[1],"lotSize":1,"note":"thin"}"#]],
    );
}

#[test]
fn a_required_field_is_not_removed() {
    check(r#"{"price": null}"#, expect!["price: expected an integer from 0 to 4294967295, got null"]);
    check(r#"{"type": null}"#, expect!["type: expected one of bid, ask, got null"]);
    // Any value goes, and yet the field must be there.
    let refused = decode::<Moved>(r#"{"any": null}"#).unwrap_err();
    expect!["any: expected a value, as the field is required, got null"].assert_eq(&refused);
    let removed = Moved { any: Some(Value::Null), ..Default::default() };
    expect!["any: null in a change removes the key, so it cannot be its value"].assert_eq(&json(&removed));
}

#[test]
fn a_wrong_change_says_where() {
    check(
        r#"{"bestOf": ["x"]}"#,
        expect![[r#"bestOf[0]: expected an integer from 0 to 255, got the text "x""#]],
    );
    check(r#"{"prize": 1}"#, expect!["prize is unknown, did you mean `price`?"]);
    check(r#"{"price": 1, "price": 1}"#, expect!["price: the key stands twice"]);
    check(r#"{"bestOf": null, "bestOf": null}"#, expect!["bestOf: the key stands twice"]);
    check("[]", expect!["expected a map, got a list of 0"]);
}

#[test]
fn an_open_state_has_open_changes() {
    let change: Moved = decode(r#"{"other": {}, "at": 2}"#).unwrap();
    let mut open = Open { at: 1, any: value!([1]) };
    open.apply(change);
    assert_eq!(open, Open { at: 2, any: value!([1]) });
}

#[test]
fn edits_are_made_of_values() {
    let change = OfferChange { best_of: vec![9].into(), lot_size: Edit::Remove, ..Default::default() };
    assert_eq!(json(&change), r#"{"bestOf":[9],"lotSize":1}"#);
    assert_eq!(OfferChange::default(), decode("{}").unwrap());
}

#[test]
fn a_removal_is_null_for_python_too() {
    let shown = |bytes: Result<Vec<u8>, String>| {
        let value: Value = wire::decode(&bytes.unwrap(), Encoding::MessagePack, &Limits::default()).unwrap();
        value.to_string()
    };
    let python = |change: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new(Encoding::MessagePack, Peer::Python);
        change(&mut writer);
        shown(writer.finish().map_err(|fault| fault.to_string()))
    };
    let map = MapChange::<u8, u8>::new().set(1, 2).remove(3);
    assert_eq!(python(&|writer| map.encode(writer)), r#"{"1":2,"3":null}"#);
    let untyped = UntypedChange::new().set("a", 1).remove("b").set("c", value!({"d": null}));
    assert_eq!(python(&|writer| untyped.encode(writer)), r#"{"a":1,"b":null,"c":{}}"#);
    let edit = OfferChange { best_of: Edit::Remove, note: Some(Note(None)), ..Default::default() };
    assert_eq!(python(&|writer| edit.encode(writer)), r#"{"bestOf":null,"note":null}"#);
}

#[test]
fn of_two_changes_of_a_key_the_later_counts() {
    let change = MapChange::<String, u8>::new().set("a", 1).remove("b").remove("a").set("b", 2);
    assert_eq!(json(&change), r#"{"a":null,"b":2}"#);
    let mut map = BTreeMap::from([("a".to_owned(), 9)]);
    map.apply(change);
    assert_eq!(map, BTreeMap::from([("b".to_owned(), 2)]));
    let twice = decode::<MapChange<String, u8>>(r#"{"a": 1, "a": null}"#).unwrap_err();
    expect!["a: the key stands twice"].assert_eq(&twice);
    let not_one = decode::<MapChange<String, u8>>(r#"{"a": -1}"#).unwrap_err();
    expect!["a: expected an integer from 0 to 255, got the integer -1"].assert_eq(&not_one);
}

#[test]
fn a_value_that_is_null_removes_its_key() {
    let change: MapChange<String, Option<u8>> = MapChange::new().set("a", None);
    assert_eq!(json(&change), r#"{"a":null}"#);
    let mut map = HashMap::from([("a".to_owned(), Some(1))]);
    map.apply(change);
    assert!(map.is_empty());
    let hidden: MapChange<String, Value> = MapChange::new().set("a", Value::Null);
    expect!["a: null in a change removes the key, so it cannot be its value"].assert_eq(&json(&hidden));
}

#[test]
fn updates_are_read_in_any_order_of_keys() {
    for text in [
        r#"{"current_num": -3, "is_snapshot": false, "state": {"price": 8}}"#,
        r#"{"state": {"price": 8}, "more": [1], "is_snapshot": false, "current_num": -3}"#,
    ] {
        let update: Update<Offer> = decode(text).unwrap();
        assert_eq!(update, Update::change(-3, OfferChange { price: Some(8), ..Default::default() }));
        assert_eq!(decode::<Update<Offer>>(&json(&update)).unwrap(), update);
    }
    let whole = json(&Update::snapshot(1, offer()));
    let update: Update<Offer> = decode(&whole).unwrap();
    assert!(matches!(update.content, Content::Snapshot(state) if state == offer()));
    let refused = |text: &str| decode::<Update<Offer>>(text).unwrap_err();
    expect!["state.type is missing"]
        .assert_eq(&refused(r#"{"current_num": 1, "is_snapshot": true, "state": {"price": 8}}"#));
    expect!["is_snapshot is missing"].assert_eq(&refused(r#"{"current_num": 1, "state": {}}"#));
    expect!["current_num is missing"].assert_eq(&refused(r#"{"is_snapshot": false, "state": {}}"#));
    expect!["state is missing"].assert_eq(&refused(r#"{"is_snapshot": false, "current_num": 1}"#));
    assert!(
        refused(r#"{"current_num": 9223372036854775808, "is_snapshot": false, "state": {}}"#)
            .contains("integer")
    );
}

/// The top level of RFC 7396.
fn patch(target: &mut Map, change: &Map) {
    for (key, value) in change.iter() {
        match value {
            Value::Null => _ = target.remove_key(key),
            value => _ = target.insert(key.clone(), value.clone()),
        }
    }
}

/// The encoded change applied to the encoded value is the changed value, encoded; and so is what a reader makes of it.
fn holds<S: State + PartialEq + std::fmt::Debug>(value: &S, change: &S::Change) -> Result<(), TestCaseError> {
    for (encoding, peer) in [
        (Encoding::MessagePack, Peer::Any),
        (Encoding::Json, Peer::Any),
        (Encoding::MessagePack, Peer::Python),
    ] {
        let read = |bytes: &[u8]| wire::decode::<Map>(bytes, encoding, &Limits::default()).unwrap();
        let bytes = encode_for(change, encoding, peer).unwrap();
        let mut target = read(&encode_for(value, encoding, peer).unwrap());
        patch(&mut target, &read(&bytes));
        let mut changed = value.clone();
        changed.apply(change.clone());
        let expected = encode_for(&changed, encoding, peer).unwrap();
        prop_assert_eq!(&target, &read(&expected));
        let again: S::Change = wire::decode(&bytes, encoding, &Limits::default()).unwrap();
        let mut copy: S =
            wire::decode(&encode_for(value, encoding, peer).unwrap(), encoding, &Limits::default()).unwrap();
        copy.apply(again);
        let whole: S = wire::decode(&expected, encoding, &Limits::default()).unwrap();
        prop_assert_eq!(copy, whole);
    }
    Ok(())
}

fn edit<T: std::fmt::Debug + Clone + 'static>(
    of: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Edit<T>> {
    prop_oneof![Just(Edit::Keep), Just(Edit::Remove), of.prop_map(Edit::Set)].boxed()
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Bid), Just(Kind::Ask)]
}

fn note() -> impl Strategy<Value = Note> {
    proptest::option::of("[a-z]{0,3}").prop_map(Note)
}

proptest! {
    #[test]
    fn a_changed_struct_is_the_change_applied_to_its_bytes(
        value in (any::<u32>(), kind(), any::<Option<Vec<u8>>>(), any::<u32>(), note(), any::<Option<bool>>()),
        change in (
            any::<Option<u32>>(), proptest::option::of(kind()), edit(any::<Vec<u8>>()), edit(any::<u32>()),
            proptest::option::of(note()), any::<Option<Option<bool>>>(),
        ),
    ) {
        let (price, kind, best_of, lot_size, note, maybe) = value;
        let value = Offer { price, kind, best_of, lot_size, note, maybe };
        let (price, kind, best_of, lot_size, note, maybe) = change;
        holds(&value, &OfferChange { price, kind, best_of, lot_size, note, maybe })?;
    }

    #[test]
    fn a_changed_map_is_the_change_applied_to_its_bytes(
        value in any::<BTreeMap<u8, u16>>(), change in any::<Vec<(u8, Option<u16>)>>(),
    ) {
        let change: MapChange<u8, u16> = change.into_iter().collect();
        holds(&value, &change)?;
        holds(&value.into_iter().collect::<HashMap<_, _>>(), &change)?;
    }

    #[test]
    fn a_changed_untyped_value_is_the_change_applied_to_its_bytes(
        value in any::<BTreeMap<String, u16>>(), change in any::<Vec<(String, Option<u16>)>>(),
    ) {
        let number = |number: u16| Value::Int(number.into());
        let value: Map = value.into_iter().map(|(key, value)| (key, number(value))).collect();
        let mut untyped = UntypedChange::new();
        for (key, value) in change {
            untyped = untyped.set(key, value.map_or(Value::Null, number));
        }
        holds(&value, &untyped)?;
        holds(&Value::Map(value), &untyped)?;
    }
}
