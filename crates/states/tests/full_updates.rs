//! Publications of full states: what is written, what is read, and what is none.

use std::time::Duration;

use expect_test::{Expect, expect};
use service_framework_core::value::Uuid;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Value, value};
use service_framework_states::message::{Content, FullUpdate, Origin};

const EPOCH: &str = "3b241101-e2bb-4255-8caf-4136c566a962";

fn origin(number: u64) -> Origin {
    Origin { epoch: Uuid::parse_str(EPOCH).unwrap(), number }
}

fn read(payload: &[u8]) -> Result<FullUpdate<'_>, String> {
    FullUpdate::read(payload, &Limits::default(), 64).map_err(|failure| failure.to_string())
}

#[test]
fn what_is_written_is_read_in_both_encodings() {
    for encoding in [Encoding::MessagePack, Encoding::Json] {
        for content in [Content::Value, Content::Heartbeat] {
            for heartbeat in [None, Some(Duration::from_millis(1_500))] {
                let args = wire::encode(&value!({"mean": 1.5}), encoding).unwrap();
                let update = FullUpdate {
                    encoding,
                    args: &args,
                    workflow_id: Some(WorkflowId::text("work")),
                    origin: Some(origin(7)),
                    heartbeat,
                    content,
                };
                let written = update.append(b"topic".to_vec());
                assert_eq!(read(written.strip_prefix(b"topic").unwrap()), Ok(update));
            }
        }
    }
}

#[test]
fn readers_in_python_find_the_value_where_it_always_was() {
    let update = FullUpdate {
        encoding: Encoding::Json,
        args: b"{}",
        workflow_id: None,
        origin: Some(origin(1)),
        heartbeat: Some(Duration::from_secs(2)),
        content: Content::Heartbeat,
    };
    let written = String::from_utf8(update.append(Vec::new())).unwrap();
    expect![[r#"{"args":{},"workflow_id":null,"epoch":"3b241101-e2bb-4255-8caf-4136c566a962","current_num":1,"heartbeat_ms":2000,"heartbeat":true}"#]]
    .assert_eq(&written);
}

#[test]
fn what_does_not_say_which_value_it_is_is_a_value() {
    for rest in [
        value!({}),
        value!({"epoch": null, "current_num": null, "heartbeat_ms": null, "heartbeat": null}),
        value!({"current_num": 3, "heartbeat": true, "heartbeat_ms": 5}),
        value!({"epoch": EPOCH, "heartbeat": true, "heartbeat_ms": 5}),
        value!({"more": [1, {"deep": 2}]}),
    ] {
        let Value::Map(mut map) = rest else { panic!("it is a map") };
        map.insert("args", value!({"a": 1}));
        map.insert("workflow_id", value!(null));
        for encoding in [Encoding::MessagePack, Encoding::Json] {
            let payload = wire::encode(&Value::Map(map.clone()), encoding).unwrap();
            let update = read(&payload).unwrap();
            assert_eq!((update.content, update.origin, update.heartbeat), (Content::Value, None, None));
        }
    }
}

#[track_caller]
fn check(payload: &[u8], expected: &Expect) {
    expected.assert_eq(&read(payload).unwrap_err());
}

#[test]
fn what_is_none_is_refused_by_its_fault() {
    check(b"", &expect!["bad_message: an empty message"]);
    check(b"\xc1", &expect!["bad_message: the reserved byte c1"]);
    check(b"{\"args\": ", &expect!["bad_message: args: truncated: a value is due"]);
    check(br#"{"workflow_id": null}"#, &expect!["bad_message: args is missing"]);
    check(br#"{"args": [1]}"#, &expect!["bad_message: args: expected a map, got a list of 1"]);
    check(br#"{"args": {}, "args": {}}"#, &expect!["bad_message: args: the key stands twice"]);
    check(
        br#"{"args": {}, "epoch": "tomorrow"}"#,
        &expect!["bad_message: epoch: expected a UUID, got another text"],
    );
    check(
        br#"{"args": {}, "current_num": -1}"#,
        &expect![
            "bad_message: current_num: expected an integer from 0 to 18446744073709551615, got the integer -1"
        ],
    );
    check(
        br#"{"args": {}, "heartbeat_ms": 0.5}"#,
        &expect![
            "bad_message: heartbeat_ms: expected an integer from 0 to 18446744073709551615, got the float 0.5"
        ],
    );
    check(
        br#"{"args": {}, "heartbeat": 1}"#,
        &expect!["bad_message: heartbeat: expected a boolean, got the integer 1"],
    );
}
