//! Settings: who wins, what is refused, and what comes out.

use std::time::Duration;

use expect_test::{Expect, expect};
use service_framework_core::address_book::AddressBook;
use service_framework_core::declaration::{ConnectionKind, ConnectionModel, Declaration, Run};
use service_framework_core::file::{Document, JsonFile};
use service_framework_core::problem::Problems;
use service_framework_core::settings::{
    ConnectionSettings, Overflow, SETTINGS, ServiceSettings, Setting, Takes,
};
use service_framework_core::wire::{Encoding, Limits, Peer};
use service_framework_core::wiring::{Setup, Wiring, wire};
use service_framework_core::{Value, model, value};

#[path = "settings/ranges.rs"]
mod ranges;

/// A service with one connection of this type, called by the name of the type, with the author's settings.
fn service(kind: ConnectionKind, attribute: &Value) -> Declaration {
    let mut service = Declaration::new("gateway", "0.1.0");
    service.connections.push(ConnectionModel {
        name: kind.name().into(),
        doc: String::new(),
        kind,
        args: model::describe::<()>(),
        returns: model::describe::<()>(),
        run: Run::Inline,
        exclusive: false,
        settings: attribute.as_map().cloned().unwrap_or_default(),
    });
    service
}

struct Given {
    kind: ConnectionKind,
    attribute: Value,
    setup: Value,
    top: &'static str,
    endpoint: &'static str,
}

fn given(kind: ConnectionKind) -> Given {
    Given { kind, attribute: value!({}), setup: value!({}), top: "{}", endpoint: "" }
}

fn wired(given: &Given) -> (Wiring, Problems) {
    let Given { kind, attribute, setup, top, endpoint } = given;
    let address = if *kind == ExternalTarget { "" } else { "\"address\": \"localhost:1\"" };
    let comma = if address.is_empty() || endpoint.is_empty() { "" } else { ", " };
    let text = format!(
        "{{\"{}\": {{\"{kind}\": {{\"{kind}\": {{{address}{comma}{endpoint}}}}}}},\n\"settings\": {top}}}",
        kind.side()
    );
    let mut problems = Problems::new();
    let document = Document::read(JsonFile::from_text("a.json", &text), &mut problems);
    let book = AddressBook::read(&document, &mut problems);
    let setup = Document::given(setup.clone(), "setup_connections");
    let wiring = wire(
        &service(*kind, attribute),
        &Setup { connections: Some(setup.clone()), states: None },
        &book,
        &mut problems,
    );
    (wiring, problems)
}

fn settings(given: &Given) -> ConnectionSettings {
    let (wiring, problems) = wired(given);
    assert_eq!(problems.to_string(), "");
    wiring.connections[0].settings.clone()
}

#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check_problems(given: &Given, expected: Expect) {
    expected.assert_eq(&wired(given).1.to_string());
}

#[track_caller]
fn check_endpoint(kind: ConnectionKind, endpoint: &'static str, expected: Expect) {
    check_problems(&Given { endpoint, ..given(kind) }, expected);
}

use ConnectionKind::{ExternalTarget, Publisher, Replyer, Requester, Subscriber};

#[test]
fn the_defaults_are_these() {
    let default = settings(&given(Requester));
    assert_eq!(default, ConnectionSettings::default_of(Requester));
    assert_eq!(default.deadline, Some(Duration::from_secs(5)));
    assert_eq!(default.limits, Limits::default());
    assert_eq!((default.queue, default.peer, default.encoding), (1_000, Peer::Any, Encoding::MessagePack));
    assert_eq!(settings(&given(Replyer)).deadline, None);
    assert_eq!(settings(&given(ExternalTarget)).deadline, Some(Duration::from_secs(5)));
    assert_eq!(settings(&given(Publisher)).wait_after_creation, Duration::from_millis(150));
    assert_eq!(settings(&given(Subscriber)).overflow, Overflow::Wait);
    let service = ServiceSettings::default();
    assert_eq!((service.in_flight, service.blocking_threads), (1_024, 8));
    assert_eq!((service.drain, service.watchdog), (Duration::from_secs(10), Duration::from_secs(10)));
    assert_eq!(service.heartbeat, Duration::from_secs(10));
    assert_eq!((service.max_workflow_id_bytes, &*service.engine), (1_024, "zmtp"));
}

#[test]
fn every_setting_takes_its_own_default() {
    for setting in SETTINGS {
        let kinds: Vec<_> = setting.kinds.iter().map(|kind| Some(*kind)).collect();
        for kind in if kinds.is_empty() { vec![None] } else { kinds } {
            let default = setting.default(kind);
            assert!(default == Value::Null || setting.takes.allows(&default), "{}", setting.name);
        }
        assert!(setting.doc.ends_with('.'), "{}", setting.name);
        assert!(std::ptr::eq(Setting::by_name(setting.name).unwrap(), setting), "{} twice", setting.name);
    }
}

#[test]
fn every_setting_of_a_connection_can_be_set_and_is_used() {
    for kind in ConnectionKind::ALL {
        // Those of the encryption are no use without each other, see `address_books`.
        let alone = |setting: &&Setting| !setting.name.starts_with("curve_");
        for setting in SETTINGS.iter().filter(|setting| setting.is_of(*kind)).filter(alone) {
            let other = match setting.takes {
                Takes::Text => Value::from("news"),
                Takes::Flag => Value::Bool(true),
                Takes::Seconds { .. } => Value::Float(1.5),
                Takes::Count { least, .. } => Value::Int(least + 2),
                Takes::Choice(choices) => Value::from(choices[1]),
            };
            let attribute = Value::Map([(setting.name, other)].into_iter().collect());
            let changed = settings(&Given { attribute, ..given(*kind) });
            assert_ne!(changed, ConnectionSettings::default_of(*kind), "{kind} {}", setting.name);
        }
    }
}

#[test]
fn the_later_hand_wins() {
    let mut given = given(Requester);
    let deadline_s = |given: &Given| settings(given).deadline.unwrap().as_secs();
    given.attribute = value!({"deadline_s": 11});
    assert_eq!(deadline_s(&given), 11);
    given.setup = value!({"requester": {"deadline_s": 12}});
    assert_eq!(deadline_s(&given), 12);
    // The book is the operator's, so that its defaults win over all code.
    given.top = r#"{"deadline_s": 13}"#;
    assert_eq!(deadline_s(&given), 13);
    given.endpoint = r#""deadline_s": 14"#;
    assert_eq!(deadline_s(&given), 14);
}

#[test]
fn each_value_says_who_set_it() {
    let given = Given {
        attribute: value!({"queue": 5}),
        setup: value!({"requester": {"peer": "python", "deadline_s": 2}}),
        top: r#"{"max_depth": 32, "in_flight": 64}"#,
        endpoint: r#""deadline_s": 2.5"#,
        ..given(Requester)
    };
    let (wiring, problems) = wired(&given);
    assert_eq!(problems.to_string(), "");
    let lines: Vec<_> = wiring
        .chosen
        .iter()
        .map(|chosen| {
            let connection = chosen.connection.as_deref().unwrap_or("service");
            format!("{connection} {} = {} ({})", chosen.setting, chosen.value, chosen.origin)
        })
        .collect();
    expect![[r#"
        service in_flight = 64 (a.json:2:31)
        service blocking_threads = 8 (default)
        service drain_s = 10 (default)
        service watchdog_s = 10 (default)
        service max_workflow_id_bytes = 1024 (default)
        service heartbeat_s = 10 (default)
        service spin_us = 0 (default)
        service plaintext = "warn" (default)
        service engine = "zmtp" (default)
        requester deadline_s = 2.5 (a.json:1:64)
        requester max_message_bytes = 16777216 (default)
        requester max_depth = 32 (a.json:2:14)
        requester max_values = 1000000 (default)
        requester queue = 5 (attribute)
        requester idempotent = false (default)
        requester breaker_failures = 5 (default)
        requester breaker_pause_s = 1 (default)
        requester curve_keys = "" (default)
        requester curve_server = "" (default)
        requester peer = "python" (setup_connections)
        requester encoding = "msgpack" (default)"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn an_empty_topic_is_none() {
    let given =
        Given { attribute: value!({"topic": "news"}), endpoint: r#""topic": """#, ..given(Subscriber) };
    assert_eq!(settings(&given).topic, None);
}

#[test]
fn unknown_settings_get_the_nearest() {
    check_endpoint(
        Requester,
        r#""deadline": 1"#,
        expect![
            "a.json:1:64: `requester`: `deadline` is no setting of type requester, did you mean `deadline_s`?"
        ],
    );
    check_endpoint(
        Requester,
        r#""volume": 1"#,
        expect![
            "a.json:1:64: `requester`: `volume` is no setting of type requester; there are `deadline_s`, `max_message_bytes`, `max_depth`, `max_values`, `queue`, `idempotent`, `breaker_failures`, `breaker_pause_s`, `curve_keys`, `curve_server`, `peer`, `encoding`"
        ],
    );
    check_endpoint(
        Requester,
        r#""in_flight": 1"#,
        expect![
            "a.json:1:64: `requester`: `in_flight` is a setting of the whole service: write it under `settings` at the top"
        ],
    );
    check_endpoint(
        Requester,
        r#""is_binder": true"#,
        expect!["a.json:1:64: `requester`: `is_binder` is no setting of type requester, but of subscriber"],
    );
    check_problems(
        &Given { top: r#"{"in_flihgt": 1}"#, ..given(Requester) },
        expect!["a.json:2:14: `in_flihgt` is no setting, did you mean `in_flight`?"],
    );
    check_problems(
        &Given { top: r#"{"topic": "news"}"#, ..given(Requester) },
        expect![
            "a.json:2:14: `topic` is a setting of one connection: write it beside the address of that connection"
        ],
    );
    check_problems(
        &Given { top: r#"{"drain_s": -1, "engine": "nanomsg"}"#, ..given(Requester) },
        expect![[r#"
        a.json:2:14: `drain_s` is a number of seconds from 0 to 31536000, got the integer -1
        a.json:2:29: `engine` is one of zmtp, zeromq, got the text "nanomsg""#]],
    );
}

#[test]
fn code_is_checked_as_the_book_is() {
    check_problems(
        &Given { attribute: value!({"queue": 0}), ..given(Requester) },
        expect![
            "the attribute: `requester`: `queue` is a whole number of messages from 1 to 10000000, got the integer 0"
        ],
    );
    check_problems(
        &Given { setup: value!({"requester": {"queue": 0}}), ..given(Requester) },
        expect![
            "setup_connections: `requester`: `queue` is a whole number of messages from 1 to 10000000, got the integer 0"
        ],
    );
    check_problems(
        &Given { setup: value!({"requestr": {"queue": 1}}), ..given(Requester) },
        expect!["setup_connections: `requestr` is no connection of the service, did you mean `requester`?"],
    );
    check_problems(
        &Given { setup: value!({"requester": 1}), ..given(Requester) },
        expect!["setup_connections: `requester`: expected a map of settings, got the integer 1"],
    );
    check_problems(
        &Given { setup: value!([]), ..given(Requester) },
        expect!["setup_connections: expected a map of settings for each connection, got a list of 0"],
    );
}

#[test]
fn python_reads_no_json() {
    check_endpoint(
        Requester,
        r#""peer": "python", "encoding": "json""#,
        expect!["a.json:1:49: `requester` has `peer` python and `encoding` json, which Python does not read"],
    );
}

#[test]
fn all_faults_are_told_wherever_they_are() {
    check_problems(
        &Given {
            attribute: value!({"queu": 1}),
            setup: value!({"requester": {"peer": 1}}),
            top: r#"{"watchdog_s": -1}"#,
            endpoint: r#""max_values": -1"#,
            ..given(Requester)
        },
        expect![[r#"
            a.json:1:64: `requester`: `max_values` is a whole number of values from 16 to 1000000000, got the integer -1
            a.json:2:14: `watchdog_s` is a number of seconds from 0 to 31536000, got the integer -1
            setup_connections: `requester`: `peer` is one of any, python, got the integer 1
            the attribute: `requester`: `queu` is no setting of type requester, did you mean `queue`?"#]],
    );
}

#[test]
fn settings_without_a_book_hold() {
    let mut problems = Problems::new();
    let declaration = service(ExternalTarget, &value!({"deadline_s": 30}));
    let wiring = wire(&declaration, &Setup::default(), &AddressBook::default(), &mut problems);
    assert_eq!(problems.to_string(), "");
    assert_eq!(wiring.connections[0].settings.deadline, Some(Duration::from_secs(30)));
    assert_eq!(wiring.service, ServiceSettings::default());
}
