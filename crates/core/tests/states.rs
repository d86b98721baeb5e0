//! States: declared, given addresses and settings, and every mistake with its place.

use std::sync::Arc;

use expect_test::{Expect, expect};
use service_framework_core::address_book::AddressBook;
use service_framework_core::declaration::{Declaration, Run, StateKind, StateModel};
use service_framework_core::file::{Document, JsonFile};
use service_framework_core::model::{Field, Record, Shape};
use service_framework_core::problem::Problems;
use service_framework_core::settings::Origin;
use service_framework_core::value::Map;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::wiring::{Setup, Wiring, wire};
use service_framework_core::{Value, value};

fn state(name: &str, kind: StateKind, settings: Value) -> StateModel {
    let Value::Map(settings) = settings else { panic!("settings are a map") };
    let field =
        |name: &str, shape, required| Field { name: name.into(), doc: String::new(), required, shape };
    let fields = vec![field("usd", Shape::Decimal, true), field("note", Shape::Text, false)];
    let record = Record { name: "Book".into(), doc: String::new(), open: false, fields };
    let state = Shape::Record(Arc::new(record));
    StateModel { name: name.into(), doc: String::new(), kind, state, run: None, exclusive: false, settings }
}

fn desk() -> Declaration {
    let mut desk = Declaration::new("desk", "1.0.0");
    desk.states = vec![
        state("book", StateKind::DeltaUpdateIn, value!({"topic": "BTC-USD"})),
        state("summary", StateKind::FullUpdateIn, value!({})),
        state("position", StateKind::DeltaUpdateOut, value!({"heartbeat_s": 0.5})),
        state("limits", StateKind::FullUpdateOut, value!({"is_x_pub": true})),
    ];
    desk.states[0].run = Some(Run::Async);
    desk
}

fn wired(text: &str, setup: Value) -> (Wiring, Problems) {
    let mut problems = Problems::new();
    let document = Document::read(JsonFile::from_text("desk.json", text), &mut problems);
    let book = AddressBook::read(&document, &mut problems);
    let states = (setup != Value::Null).then(|| Document::given(setup, "setup_states"));
    let wiring = wire(&desk(), &Setup { connections: None, states }, &book, &mut problems);
    (wiring, problems)
}

const RIGHT: &str = r#"{
    "states": {
        "in": {
            "book": {
                "subscriber": {"address": "localhost:9001", "held": 50, "expect_every_s": 3},
                "requester": {"address": "localhost:9002", "deadline_s": 2}
            },
            "summary": {"subscriber": "localhost:9003"}
        },
        "out": {
            "position": {"publisher": "*:9004", "replyer": "*:9005"},
            "limits": {"publisher": "localhost:9006"}
        }
    }
}"#;

#[test]
fn a_declaration_with_states_reads_back() {
    let json = wire::encode(&desk(), Encoding::Json).expect("it has nothing that JSON lacks");
    let again: Declaration = wire::decode(&json, Encoding::Json, &Limits::default()).expect("it was written");
    assert_eq!(again, desk());
}

#[test]
fn the_names_of_the_readme_are_read_as_those_of_copies() {
    for (old, kind) in [
        ("local_variable_delta_update", StateKind::DeltaUpdateIn),
        ("local_variable_full_update", StateKind::FullUpdateIn),
    ] {
        let json = format!(r#"{{"service": "desk", "states": [{{"name": "book", "type": "{old}"}}]}}"#);
        let read: Declaration =
            wire::decode(json.as_bytes(), Encoding::Json, &Limits::default()).expect("the name is known");
        assert_eq!(read.states[0].kind, kind);
    }
}

#[test]
fn each_state_has_its_sockets_and_settings() {
    let setup = value!({"position": {"heartbeat_s": 0.25}, "book": {"topic": "ETH-USD"}});
    let (wiring, problems) = wired(RIGHT, setup);
    assert_eq!(problems.to_string(), "");
    let shown: Vec<String> = wiring
        .states
        .iter()
        .map(|state| {
            let sockets = [&state.updates].into_iter().chain(&state.snapshots).map(|socket| {
                let how = if socket.listens { "listens" } else { "connects" };
                let address = socket.address.as_ref().expect("it has one");
                format!(
                    "\n  {} {how} {address}, topic {:?}, deadline {:?}",
                    socket.kind, socket.settings.topic, socket.settings.deadline
                )
            });
            format!("{} {}: {:?}{}", state.kind, state.name, state.settings, sockets.collect::<String>())
        })
        .collect();
    expect![[r#"
        delta_update_in book: StateSettings { heartbeat: 0ns, expect_every: Some(3s), queue: 1000, held: 50, max_values: 100000000, slow_subscriber: DropNewest }
          subscriber connects localhost:9001, topic Some("ETH-USD"), deadline None
          requester connects localhost:9002, topic None, deadline Some(2s)
        full_update_in summary: StateSettings { heartbeat: 0ns, expect_every: None, queue: 1000, held: 0, max_values: 100000000, slow_subscriber: DropNewest }
          subscriber connects localhost:9003, topic None, deadline None
        delta_update_out position: StateSettings { heartbeat: 250ms, expect_every: None, queue: 0, held: 0, max_values: 0, slow_subscriber: DropNewest }
          publisher listens *:9004, topic None, deadline None
          replyer listens *:9005, topic None, deadline None
        full_update_out limits: StateSettings { heartbeat: 0ns, expect_every: None, queue: 0, held: 0, max_values: 0, slow_subscriber: DropOldest }
          publisher connects localhost:9006, topic None, deadline None"#]].assert_eq(&shown.join("\n"));
    let chosen = wiring.chosen.iter().filter(|chosen| chosen.origin != Origin::Default);
    let chosen: Vec<String> = chosen
        .map(|chosen| {
            let of = chosen.connection.as_deref().unwrap_or_default();
            format!("{of} {} = {} by {}", chosen.setting, chosen.value, chosen.origin)
        })
        .collect();
    expect![[r#"
        book expect_every_s = 3 by desk.json:5:73
        book held = 50 by desk.json:5:61
        book.subscriber topic = "ETH-USD" by setup_states
        book.requester deadline_s = 2 by desk.json:6:60
        position heartbeat_s = 0.25 by setup_states
        limits.publisher is_x_pub = true by attribute"#]]
    .assert_eq(&chosen.join("\n"));
}

#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check(text: &str, setup: Value, expected: Expect) {
    let (_, problems) = wired(text, setup);
    expected.assert_eq(&problems.to_string());
}

#[test]
fn what_a_book_lacks_is_told_with_what_to_write() {
    check(
        "{}",
        Value::Null,
        expect![[r#"
        desk.json:1:1: state `book` has no address: write "book": {"subscriber": "HOST:PORT", "requester": "HOST:PORT"} under `states`, `in`
        desk.json:1:1: state `summary` has no address: write "summary": {"subscriber": "HOST:PORT"} under `states`, `in`
        desk.json:1:1: state `position` has no address: write "position": {"publisher": "HOST:PORT", "replyer": "HOST:PORT"} under `states`, `out`
        desk.json:1:1: state `limits` has no address: write "limits": {"publisher": "HOST:PORT"} under `states`, `out`"#]],
    );
    let lacks = RIGHT.replace(
        ",\n                \"requester\": {\"address\": \"localhost:9002\", \"deadline_s\": 2}",
        "",
    );
    check(
        &lacks,
        Value::Null,
        expect![[r#"desk.json:4:21: state `book` has no `requester`: write "requester": "HOST:PORT", too"#]],
    );
    check(
        &RIGHT.replace("\"book\"", "\"bok\""),
        Value::Null,
        expect!["desk.json:4:13: `bok` is no state of the service `desk`, did you mean `book`?"],
    );
}

#[test]
fn what_stands_in_the_wrong_place_is_told() {
    check(
        &RIGHT.replace("\"publisher\": \"*:9004\"", "\"subscriber\": \"*:9004\""),
        Value::Null,
        expect![
            "desk.json:11:26: `position` is a delta_update_out: write its endpoints under `publisher` and `replyer`, not `subscriber`"
        ],
    );
    let sides = RIGHT.replace("\"in\"", "\"IN\"").replace("\"out\"", "\"in\"").replace("\"IN\"", "\"out\"");
    check(
        &sides,
        Value::Null,
        expect![[r#"
        desk.json:4:13: `book` is a delta_update_in: move it from `out` to `in`
        desk.json:8:13: `summary` is a full_update_in: move it from `out` to `in`
        desk.json:11:13: `position` is a delta_update_out: move it from `in` to `out`
        desk.json:12:13: `limits` is a full_update_out: move it from `in` to `out`"#]],
    );
    check(
        &RIGHT.replace("\"held\": 50", "\"held\": 0"),
        Value::Null,
        expect![
            "desk.json:5:61: `book`: `held` is a whole number of updates from 1 to 10000000, got the integer 0"
        ],
    );
    check(
        &RIGHT.replace("\"deadline_s\": 2", "\"held\": 2"),
        Value::Null,
        expect!["desk.json:6:60: `book`: `held` is a setting of the state: write it beside its `subscriber`"],
    );
    check(
        &RIGHT.replace("\"held\": 50", "\"encoding\": \"json\""),
        Value::Null,
        expect![
            "desk.json:5:61: `book`: `encoding` is no setting of the subscriber of a delta_update_in; there are `expect_every_s`, `queue`, `held`, `max_values`, `topic`, `is_binder`, `max_message_bytes`, `max_depth`, `queue_bytes`, `max_peers`, `curve_keys`, `curve_server`, `curve_allow`"
        ],
    );
    check(
        &RIGHT.replace("*:9005", "*:9004"),
        Value::Null,
        expect!["desk.json:11:60: `position` cannot listen at *:9004: its own publisher does"],
    );
    check(
        RIGHT,
        value!({"bok": {}, "book": {"hold": 1}, "limits": 5}),
        expect![[r#"
        setup_states: `bok` is no state of the service, did you mean `book`?
        setup_states: `book`: `hold` is no setting of type delta_update_in, did you mean `held`?
        setup_states: `limits`: expected a map of settings, got the integer 5"#]],
    );
}

#[test]
fn a_change_is_held_against_the_model_of_the_whole() {
    let shape = &desk().states[0].state;
    let faults = |change: Value| {
        let faults: Vec<_> = shape.faults_of_change(&change).iter().map(ToString::to_string).collect();
        faults.join("; ")
    };
    let usd = |text: &str| Value::Decimal(text.parse().expect("a number"));
    assert_eq!(faults(Value::Map(Map::new())), "");
    assert_eq!(faults(value!({"usd": (usd("1.5"))})), "");
    assert_eq!(faults(value!({"note": null})), "");
    expect!["usd: expected a decimal, got null; nte is unknown, did you mean `note`?"]
        .assert_eq(&faults(value!({"usd": null, "nte": "x"})));
    let map = Shape::Map(Box::new(Shape::Text), Box::new(Shape::Float));
    assert_eq!(map.faults_of_change(&value!({"a": 1.5, "b": null})), []);
    assert_eq!(map.faults_of_change(&value!({"a": "x"})).len(), 1);
}
