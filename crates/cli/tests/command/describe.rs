//! What `describe` prints.

use expect_test::expect;
use service_framework_core::declaration::Declaration;
use service_framework_core::wire::{self, Encoding, Limits};

use crate::support::{library, run, said};

fn describe(words: &[&str]) -> String {
    let library = library("parrot");
    let library = library.to_str().expect("the target folder is text");
    let output = run(["describe", "-s", library].iter().chain(words));
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_service_as_text() {
    expect![].assert_eq(&describe(&[]));
}

#[test]
fn the_json_is_one_line_and_reads_back_as_the_declaration() {
    let json = describe(&["--json"]);
    assert_eq!(json.lines().count(), 1);
    let read: Declaration =
        wire::decode(json.trim_end().as_bytes(), Encoding::Json, &Limits::default()).expect("a declaration");
    assert_eq!((read.name.as_str(), read.connections.len()), ("parrot", 4));
    let again = wire::encode(&read, Encoding::Json).expect("a declaration");
    assert_eq!(String::from_utf8_lossy(&again), json.trim_end());
}

#[test]
fn the_json_schemas_are_of_config_args_and_returns() {
    let schemas: serde_json::Value = serde_json::from_str(&describe(&["--json-schema"])).expect("JSON");
    let expected = expect![];
    expected.assert_eq(&format!("{:#}", schemas["connections"]["say"]));
    assert_eq!(schemas["config"]["required"], serde_json::json!(["greeting"]));
    assert!(schemas["connections"]["gossip"].get("returns").is_none());
}
