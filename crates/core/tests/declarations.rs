//! Declarations that a plugin may not make.

use expect_test::{Expect, expect};
use service_framework_core::declaration::Declaration;
use service_framework_core::wire::{self, Encoding, Limits};

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that the snapshot stands at the call without `&`")]
fn check(json: &str, expected: Expect) {
    let read = wire::decode::<Declaration>(json.as_bytes(), Encoding::Json, &Limits::default());
    expected.assert_eq(&read.unwrap_err().to_string());
}

#[test]
fn a_message_has_named_fields() {
    check(
        r#"{"service": "s", "connections": [{"name": "count", "type": "replyer", "returns": "u64"}]}"#,
        expect![
            "connections[0].returns: expected the model of a map, such as a struct with fields, got that of an integer from 0 to 18446744073709551615"
        ],
    );
    check(
        r#"{"service": "s", "connections": [{"name": "names", "type": "subscriber", "args": {"list": "text"}}]}"#,
        expect![
            "connections[0].args: expected the model of a map, such as a struct with fields, got that of a list"
        ],
    );
    check(
        r#"{"service": "s", "config": "text"}"#,
        expect!["config: expected the model of a map, such as a struct with fields, got that of a text"],
    );
}

#[test]
fn a_connection_has_a_name_of_its_own() {
    check(
        r#"{"service": "s", "connections": [{"name": "a", "type": "replyer"}, {"name": "a", "type": "publisher"}]}"#,
        expect![[r#"connections: two connections are called "a""#]],
    );
}

#[test]
fn a_connection_has_a_name_that_is_not_empty() {
    check(
        r#"{"service": "s", "connections": [{"name": "a", "type": "replyer"}, {"name": "", "type": "publisher"}]}"#,
        expect![[r#"connections[1].name: expected a name, got the text """#]],
    );
}

#[test]
fn a_name_is_one_line_and_no_path() {
    check(
        r#"{"service": "../s"}"#,
        expect![[r#"service: expected a name without `/` and control characters, got the text "../s""#]],
    );
    check(
        r#"{"service": "s", "connections": [{"name": "a\u001b[2J\nerror: b", "type": "replyer"}]}"#,
        expect![[
            r#"connections[0].name: expected a name without `/` and control characters, got the text "a\u{1b}[2J\nerror: b""#
        ]],
    );
    check(
        r#"{"service": "s", "states": [{"name": "a\u202eb", "type": "full_update_in"}]}"#,
        expect![[
            r#"states[0].name: expected a name without `/` and control characters, got the text "a\u{202e}b""#
        ]],
    );
}
