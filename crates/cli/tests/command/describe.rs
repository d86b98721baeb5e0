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
    expect![[r#"
        parrot 0.1.0
          Says again what it is told.

        config
          greeting       text             What it says first.
          times          u32, optional    How often it says everything.
          volume         float, optional  How loud it is; it has a tongue for what is below zero.
          perch          Perch, optional  Where it sits.
            height  float      In metres.
            wood    oak | ash  What it is made of.
          fail           bool, optional   Whether its `main` fails.
          backup_counts  u32, optional    A key that reads like a flag of the command.

        in
          say: replyer, inline
            Says it at once.
            deadline_s = 2.5
            args
              words  [text]  One by one.
            returns
              words  [text]  One by one.
          hold: replyer, async
            Says it when it is stopped.
            args
              words  [text]  One by one.
            returns
              words  [text]  One by one.
          stick: replyer, async
            Never says it.
            args
              words  [text]  One by one.
            returns
              words  [text]  One by one.

        out
          gossip: publisher
            Tells the others.
            args
              words  [text]  One by one.

        methods
          main
    "#]]
    .assert_eq(&describe(&[]));
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
    let expected = expect![[r#"
        {
          "type": "replyer",
          "args": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Words",
            "description": "What is said.",
            "type": "object",
            "properties": {
              "words": {
                "type": "array",
                "items": {
                  "type": "string"
                },
                "description": "One by one."
              }
            },
            "required": [
              "words"
            ],
            "additionalProperties": false
          },
          "returns": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Words",
            "description": "What is said.",
            "type": "object",
            "properties": {
              "words": {
                "type": "array",
                "items": {
                  "type": "string"
                },
                "description": "One by one."
              }
            },
            "required": [
              "words"
            ],
            "additionalProperties": false
          }
        }"#]];
    expected.assert_eq(&format!("{:#}", schemas["connections"]["say"]));
    assert_eq!(schemas["config"]["required"], serde_json::json!(["greeting"]));
    assert!(schemas["connections"]["gossip"].get("returns").is_none());
}
