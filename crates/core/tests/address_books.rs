//! Address books: both shapes, every mistake with its place, and what comes out as wiring.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use service_framework_core::address::Address;
use service_framework_core::address_book::{AddressBook, Side};
use service_framework_core::declaration::{ConnectionKind, ConnectionModel, Declaration, Run};
use service_framework_core::file::{Document, JsonFile};
use service_framework_core::problem::Problems;
use service_framework_core::value::Map;
use service_framework_core::wiring::{Setup, Wiring, wire};
use service_framework_core::{Value, model, value};

#[path = "address_books/addresses.rs"]
mod addresses;

/// A service with one connection of each type.
fn gateway() -> Declaration {
    let mut gateway = Declaration::new("gateway", "0.1.0");
    let connections = [
        ("orders", ConnectionKind::Replyer),
        ("prices", ConnectionKind::Subscriber),
        ("audit", ConnectionKind::Requester),
        ("fills", ConnectionKind::Publisher),
        ("at_exchange", ConnectionKind::ExternalTarget),
    ];
    gateway.connections = connections.map(|(name, kind)| connection(name, kind)).to_vec();
    gateway
}

fn connection(name: &str, kind: ConnectionKind) -> ConnectionModel {
    ConnectionModel {
        name: name.into(),
        doc: String::new(),
        kind,
        args: model::describe::<()>(),
        returns: model::describe::<()>(),
        run: Run::Inline,
        exclusive: false,
        settings: Map::new(),
    }
}

fn book(text: &str, problems: &mut Problems) -> AddressBook {
    let document = Document::read(JsonFile::from_text("addresses/gateway.json", text), problems);
    AddressBook::read(&document, problems)
}

fn wired(text: &str) -> (Wiring, Problems) {
    let mut problems = Problems::new();
    let book = book(text, &mut problems);
    let wiring = wire(&gateway(), &Setup::default(), &book, &mut problems);
    (wiring, problems)
}

/// The report on a book for the gateway, without the folder.
#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check(text: &str, expected: Expect) {
    let (_, problems) = wired(text);
    expected.assert_eq(&problems.to_string().replace("addresses/gateway.json", "a.json"));
}

/// The same for a book in which `part` stands in for the entry of one connection, the others being right.
#[track_caller]
fn check_entry(side: &str, name: &str, entry: &str, expected: Expect) {
    let right = [
        ("in", "orders", r#"{"replyer": "*:8001"}"#),
        ("in", "prices", r#"{"subscriber": "localhost:8002"}"#),
        ("out", "audit", r#"{"requester": "localhost:8003"}"#),
        ("out", "fills", r#"{"publisher": "*:8004"}"#),
    ];
    let mut lines: Vec<_> = right.into_iter().filter(|(_, known, _)| *known != name).collect();
    lines.push((side, name, entry));
    let section = |side: &str| {
        let entries = lines.iter().filter(|(held, ..)| *held == side);
        entries.map(|(_, name, entry)| format!("\"{name}\": {entry}")).collect::<Vec<_>>().join(",\n")
    };
    check(&format!("{{\"in\": {{\n{}}},\n\"out\": {{\n{}}}}}", section("in"), section("out")), expected);
}

const RIGHT: &str = r#"{
    "in": {"orders": {"replyer": "*:8001"}, "prices": {"subscriber": "localhost:8002"}},
    "out": {
        "audit": {"requester": {"address": "tcp://[::1]:8003", "deadline_s": 2.5}},
        "fills": {"publisher": "ipc:///tmp/fills"}
    },
    "settings": {"in_flight": 64}
}"#;

#[test]
fn a_right_book_wires_every_connection() {
    let (wiring, problems) = wired(RIGHT);
    assert_eq!(problems.to_string(), "");
    let lines = wiring.connections.iter().map(|wired| {
        let verb = if wired.listens { "listens at" } else { "connects to" };
        let address = wired.address.as_ref().map_or("nothing".into(), Address::to_string);
        format!("{} {verb} {address}", wired.name)
    });
    expect![[r#"
        orders listens at *:8001
        prices connects to localhost:8002
        audit connects to [::1]:8003
        fills listens at ipc:///tmp/fills
        at_exchange connects to nothing"#]]
    .assert_eq(&lines.collect::<Vec<_>>().join("\n"));
    assert_eq!(wiring.service.in_flight, 64);
}

#[test]
fn both_shapes_say_the_same() {
    let sides = value!({
        "in": {"orders": {"replyer": "*:8001"}, "prices": {"subscriber": "localhost:8002"}},
        "out": {"audit": {"requester": "localhost:8003"}, "fills": {"publisher": "*:8004"}}
    });
    let groups = value!({"connections": (sides.clone())});
    let wiring = |value| {
        let mut problems = Problems::new();
        let book = AddressBook::read(&Document::given(value, "setup_addresses"), &mut problems);
        let wiring = wire(&gateway(), &Setup::default(), &book, &mut problems);
        assert_eq!(problems.to_string(), "");
        wiring
    };
    assert_eq!(wiring(sides), wiring(groups));
}

#[test]
fn states_are_read_and_kept() {
    let mut problems = Problems::new();
    let text = r#"{"states": {
        "in": {"book": {"subscriber": "localhost:1", "requester": {"address": "localhost:2", "deadline_s": 1}}},
        "out": {"quotes": {"publisher": "*:3", "replyer": "*:4"}}}}"#;
    let book = book(text, &mut problems);
    assert_eq!(problems.to_string(), "");
    let [first, second] = &book.states[..] else { panic!("two states") };
    assert_eq!((first.side, &*first.name, first.endpoints.len()), (Side::In, "book", 2));
    assert_eq!((second.side, &*second.name, second.endpoints.len()), (Side::Out, "quotes", 2));
    assert_eq!(first.endpoints[1].settings, Map::from_iter([("deadline_s", 1)]));
}

#[test]
fn every_mistake_is_told_at_once() {
    check(
        r#"{
    "in": {
        "ordres": {"replyer": "*:8001"},
        "prices": {"subscriber": "localhost:99999"}
    },
    "outt": {},
    "out": {
        "audit": {"replyer": "localhost:8003"},
        "fills": {"publisher": {"address": "*:8004", "wait_after_creation": 1}}
    },
    "settings": {"in_flight": 0}
}"#,
        expect![[r#"
            a.json:3:9: `ordres` is no connection of the service `gateway`, did you mean `orders`?
            a.json:4:34: `prices`: `localhost:99999` has the port `99999`: a port is a number from 0 to 65535
            a.json:6:5: `outt` is unknown in an address book, did you mean `out`?
            a.json:8:19: `audit` is a requester: write its endpoint under `requester`, not `replyer`
            a.json:9:54: `fills`: `wait_after_creation` is no setting of type publisher, did you mean `wait_after_creation_s`?
            a.json:11:18: `in_flight` is a whole number of handlers from 1 to 1000000, got the integer 0"#]],
    );
}

#[test]
fn what_is_no_book_is_refused() {
    check("[]", expect!["a.json:1:1: an address book is a map with `in` and `out`, got a list of 0"]);
    check(
        "{\"in\": [], \"out\": null, \"settings\": 1}",
        expect![[r#"
        a.json:1:8: `in` is a map of names, got a list of 0
        a.json:1:19: `out` is a map of names, got null
        a.json:1:37: `settings` is a map of settings, got the integer 1"#]],
    );
    check(
        "{\"connections\": {\"in\": {}}, \"out\": {}}",
        expect![
            "a.json:1:29: `out` stands beside `connections`: move it into `connections`, or take that away"
        ],
    );
    check(
        "{\"connections\": {\"inn\": {}}}",
        expect!["a.json:1:18: `inn` is unknown here, did you mean `in`?"],
    );
    check(
        "{\"in\": {},\n// mine\n\"out\": {}}",
        expect!["a.json:2:1: JSON has no comments: take this one out"],
    );
    check(
        "{\"services\": {}}",
        expect![[r#"
            a.json:1:1: connection `orders` has no address: write "orders": {"replyer": "HOST:PORT"} under `in`
            a.json:1:1: connection `prices` has no address: write "prices": {"subscriber": "HOST:PORT"} under `in`
            a.json:1:1: connection `audit` has no address: write "audit": {"requester": "HOST:PORT"} under `out`
            a.json:1:1: connection `fills` has no address: write "fills": {"publisher": "HOST:PORT"} under `out`
            a.json:1:2: `services` is unknown in an address book; there are `in`, `out`, `connections`, `states`, `settings`"#]],
    );
}

#[test]
fn without_a_book_each_address_is_missing() {
    let mut problems = Problems::new();
    wire(&gateway(), &Setup::default(), &AddressBook::default(), &mut problems);
    expect![[r#"
        connection `orders` has no address: give an address book that has "orders": {"replyer": "HOST:PORT"} under `in`
        connection `prices` has no address: give an address book that has "prices": {"subscriber": "HOST:PORT"} under `in`
        connection `audit` has no address: give an address book that has "audit": {"requester": "HOST:PORT"} under `out`
        connection `fills` has no address: give an address book that has "fills": {"publisher": "HOST:PORT"} under `out`"#]].assert_eq(&problems.to_string());
}

#[test]
fn names_that_the_service_does_not_have_are_refused() {
    check_entry(
        "in",
        "order",
        r#"{"replyer": "*:8001"}"#,
        expect!["a.json:4:1: `order` is no connection of the service `gateway`, did you mean `orders`?"],
    );
    check_entry(
        "in",
        "complaints",
        r#"{"replyer": "*:8005"}"#,
        expect![
            "a.json:4:1: `complaints` is no connection of the service `gateway`; there are `orders`, `prices`, `audit`, `fills`, `at_exchange`"
        ],
    );
}

#[test]
fn names_that_would_write_lines_of_their_own_are_escaped() {
    check_entry(
        "in",
        r"no\u001b[2Jx\nerror: all is well",
        r#"{"replyer": "*:8005"}"#,
        expect![[
            r#"a.json:4:1: "no\u{1b}[2Jx\nerror: all is well" is no connection of the service `gateway`; there are `orders`, `prices`, `audit`, `fills`, `at_exchange`"#
        ]],
    );
    check_entry(
        "in",
        "orders",
        r#"{"rep\nlyer": "*:8001"}"#,
        expect![[
            r#"a.json:3:12: `orders` is a replyer: write its endpoint under `replyer`, not "rep\nlyer""#
        ]],
    );
    check(
        r#"{"connections": {"a`\u0085": {}}}"#,
        expect![[r#"a.json:1:18: "a`\u{85}" is unknown here; there are `in`, `out`"#]],
    );
}

#[test]
fn the_side_and_the_socket_are_those_of_the_type() {
    check_entry(
        "out",
        "orders",
        r#"{"replyer": "*:8001"}"#,
        expect!["a.json:6:1: `orders` is a replyer: move it from `out` to `in`"],
    );
    check_entry(
        "in",
        "orders",
        r#"{"subscriber": "*:8001"}"#,
        expect!["a.json:3:12: `orders` is a replyer: write its endpoint under `replyer`, not `subscriber`"],
    );
    check_entry(
        "in",
        "orders",
        r#"{"replyer": "*:8001", "requester": "*:8009"}"#,
        expect!["a.json:3:33: `orders` is a replyer: write its endpoint under `replyer`, not `requester`"],
    );
    check_entry(
        "in",
        "orders",
        "{}",
        expect![[r#"a.json:3:11: connection `orders` has no address: write {"replyer": "HOST:PORT"}"#]],
    );
    check_entry(
        "in",
        "orders",
        r#""*:8001""#,
        expect![[
            r#"a.json:3:11: `orders` has no socket: write {"replyer": "*:8001"}, or the socket that it is"#
        ]],
    );
    check_entry(
        "in",
        "orders",
        "8001",
        expect![[r#"a.json:3:11: `orders` is a map such as {"replyer": "HOST:PORT"}, got the integer 8001"#]],
    );
}

#[test]
fn an_external_target_has_settings_and_no_address() {
    check_entry("out", "at_exchange", "{}", expect![""]);
    check_entry("out", "at_exchange", r#"{"external_target": {"deadline_s": 30}}"#, expect![""]);
    check_entry(
        "out",
        "at_exchange",
        r#"{"external_target": "localhost:1"}"#,
        expect![
            "a.json:7:17: `at_exchange` is an external target, a function of the service: take its address away"
        ],
    );
    check_entry(
        "out",
        "at_exchange",
        r#"{"requester": "localhost:1"}"#,
        expect![
            "a.json:7:17: `at_exchange` is an external target, a function of the service: take its address away"
        ],
    );
}

fn any_book() -> impl Strategy<Value = Value> {
    let address = prop_oneof![
        ("[a-z][a-z0-9]{0,8}", any::<u16>()).prop_map(|(host, port)| format!("{host}:{port}")),
        any::<u16>().prop_map(|port| format!("*:{port}")),
        "[a-z/]{1,10}".prop_map(|path| format!("ipc://{path}")),
    ];
    let settings = prop::collection::btree_map("[a-z]{1,6}", any::<i64>().prop_map(Value::from), 0..3);
    let endpoint = (address, settings).prop_map(|(address, settings)| match settings.is_empty() {
        true => Value::from(address),
        false => {
            let address = [("address".to_owned(), Value::from(address))];
            let settings = settings.into_iter().filter(|(name, _)| name != "address");
            Value::Map(address.into_iter().chain(settings).collect())
        }
    });
    let sockets = prop::collection::btree_map("replyer|subscriber|requester|publisher", endpoint, 0..3);
    let entries = prop::collection::btree_map("[a-z_]{1,8}", sockets.prop_map(map), 0..4);
    let sides = prop::collection::btree_map("in|out", entries.prop_map(map), 0..3).prop_map(map);
    let top =
        prop::collection::btree_map("[a-z]{1,6}", any::<bool>().prop_map(Value::from), 0..3).prop_map(map);
    let groups = prop::collection::btree_map("connections|states", sides.clone(), 1..3).prop_map(map);
    (prop_oneof![sides, groups], top).prop_map(|(mut book, settings)| {
        if let Value::Map(map) = &mut book {
            map.insert("settings", settings);
        }
        book
    })
}

fn map(entries: std::collections::BTreeMap<String, Value>) -> Value {
    Value::Map(entries.into_iter().collect())
}

proptest! {
    #[test]
    fn a_printed_book_reads_back(value in any_book()) {
        let mut problems = Problems::new();
        let first = AddressBook::read(&Document::given(value, "test"), &mut problems);
        prop_assert_eq!(problems.to_string(), "");
        let text = first.to_value().to_string();
        let again = book(&text, &mut problems);
        prop_assert_eq!(problems.to_string(), "");
        prop_assert_eq!(&again, &first);
        prop_assert_eq!(again.to_value(), first.to_value());
    }

    #[test]
    fn no_value_panics(value in nearly_a_book()) {
        let mut problems = Problems::new();
        let text = value.to_string();
        let book = book(&text, &mut problems);
        wire(&gateway(), &Setup { connections: Some(Document::given(value, "setup_connections")), states: None }, &book, &mut problems);
        // A report has a place in the file wherever there is a file.
        for problem in problems.iter() {
            prop_assert!(problem.place.is_some(), "{}", problem);
        }
    }
}

fn nearly_a_book() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-1_i64..2_000).prop_map(Value::from),
        "localhost:[0-9]{1,5}|.{0,5}".prop_map(Value::from),
    ];
    let key = "in|out|connections|states|settings|orders|audit|fills|prices|at_exchange|replyer|requester|\
        publisher|subscriber|external_target|address|deadline_s|topic|queue|in_flight|.{0,3}";
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            5 => prop::collection::btree_map(key, inner.clone(), 0..6).prop_map(map),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    })
}
