//! What `#[service]` declares of an `impl` block, and that the same can be written by hand.

use expect_test::{Expect, expect};
use service_framework::__core::plugin::host::Plugin;
use service_framework::__core::{declaration::Declaration, wire};

#[path = "declaration/by_attribute.rs"]
mod by_attribute;
#[path = "declaration/by_hand.rs"]
mod by_hand;
#[path = "declaration/nameless.rs"]
mod nameless;
#[path = "declaration/optional_methods.rs"]
mod optional_methods;
#[path = "declaration/signatures.rs"]
mod signatures;

fn connection(declaration: &Declaration, name: &str) -> String {
    let (number, _) = declaration.connection(name).unwrap();
    let json = wire::encode(declaration, wire::Encoding::Json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let connection = &json["connections"][number];
    let facts = ["type", "doc", "run", "exclusive", "settings", "args", "returns"];
    let of = |fact: &str| Some(format!("{fact}: {}\n", connection.get(fact)?));
    facts.iter().filter_map(|fact| of(fact)).collect()
}

#[test]
fn the_attribute_declares_what_one_would_write_by_hand() {
    let declaration = Plugin::of::<by_attribute::Gateway>().describe().unwrap();
    assert_eq!(declaration, Plugin::of::<by_hand::Gateway>().describe().unwrap());

    let json = wire::encode(&declaration, wire::Encoding::Json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    expect![[r#"
        {
          "service": "service-framework",
          "version": "0.1.0",
          "doc": "Cancels orders, and counts them.",
          "checks_messages": true,
          "config": {
            "record": {
              "name": "Config",
              "fields": [
                {
                  "name": "exchange",
                  "doc": "Where orders are cancelled.",
                  "type": "text"
                }
              ]
            }
          },
          "connections": [
            {
              "name": "cancel_order",
              "doc": "Cancels one order.\n\nIt may be gone already.",
              "type": "replyer",
              "args": {
                "record": {
                  "name": "CancelOrder",
                  "fields": [
                    {
                      "name": "order_id",
                      "type": "text"
                    }
                  ]
                }
              },
              "returns": {
                "record": {
                  "name": "Cancelled",
                  "fields": [
                    {
                      "name": "order_id",
                      "type": "text"
                    },
                    {
                      "name": "exchange",
                      "type": "text"
                    }
                  ]
                }
              },
              "run": "async",
              "settings": {
                "peer": "python",
                "deadline_s": 2.5
              }
            },
            {
              "name": "new_day",
              "doc": "Starts to count anew.",
              "type": "subscriber",
              "args": {
                "map": [
                  "any",
                  "any"
                ]
              },
              "run": "inline",
              "settings": {
                "topic": "day",
                "is_binder": true,
                "overflow": "drop_oldest",
                "queue": 10
              }
            },
            {
              "name": "audit",
              "type": "requester",
              "args": {
                "record": {
                  "name": "Cancelled",
                  "fields": [
                    {
                      "name": "order_id",
                      "type": "text"
                    },
                    {
                      "name": "exchange",
                      "type": "text"
                    }
                  ]
                }
              },
              "returns": {
                "record": {
                  "name": "Empty",
                  "doc": "Nothing.",
                  "fields": []
                }
              },
              "settings": {
                "deadline_s": 2.0
              }
            },
            {
              "name": "at_exchange",
              "type": "external_target",
              "args": {
                "record": {
                  "name": "CancelOrder",
                  "fields": [
                    {
                      "name": "order_id",
                      "type": "text"
                    }
                  ]
                }
              },
              "returns": {
                "record": {
                  "name": "Empty",
                  "doc": "Nothing.",
                  "fields": []
                }
              },
              "run": "blocking"
            },
            {
              "name": "cancels",
              "doc": "All that went well.",
              "type": "publisher",
              "args": {
                "record": {
                  "name": "Cancelled",
                  "fields": [
                    {
                      "name": "order_id",
                      "type": "text"
                    },
                    {
                      "name": "exchange",
                      "type": "text"
                    }
                  ]
                }
              },
              "settings": {
                "topic": "orders"
              }
            }
          ],
          "hooks": {
            "init": "async"
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&json).unwrap());
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that the snapshot stands at the call without `&`")]
fn check(name: &str, expected: Expect) {
    let declaration = Plugin::of::<signatures::Signatures>().describe().unwrap();
    expected.assert_eq(&connection(&declaration, name));
}

#[test]
fn a_plain_fn_runs_inline() {
    check(
        "plain",
        expect![[r#"
            type: "replyer"
            run: "inline"
            args: {"record":{"name":"Order","fields":[{"name":"id","type":"text"}]}}
            returns: {"map":["text","u16"]}
        "#]],
    );
    check(
        "plain_mut",
        expect![[r#"
            type: "replyer"
            run: "inline"
            exclusive: true
            args: {"record":{"name":"Order","fields":[{"name":"id","type":"text"}]}}
            returns: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
        "#]],
    );
}

#[test]
fn an_async_fn_may_wait() {
    check(
        "waiting",
        expect![[r#"
            type: "replyer"
            run: "async"
            args: {"record":{"name":"Order","fields":[{"name":"id","type":"text"}]}}
            returns: {"record":{"name":"Order","fields":[{"name":"id","type":"text"}]}}
        "#]],
    );
    check(
        "waiting_mut",
        expect![[r#"
        type: "replyer"
        run: "async"
        exclusive: true
        args: "any"
        returns: "any"
    "#]],
    );
}

#[test]
fn a_blocking_fn_runs_elsewhere() {
    check(
        "blocking",
        expect![[r#"
            type: "replyer"
            run: "blocking"
            settings: {"max_message_bytes":2048}
            args: {"record":{"name":"Order","fields":[{"name":"id","type":"text"}]}}
            returns: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
        "#]],
    );
    check(
        "blocking_subscriber",
        expect![[r#"
        type: "subscriber"
        run: "blocking"
        args: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
    "#]],
    );
}

#[test]
fn what_is_left_out_is_empty() {
    check(
        "without_arguments",
        expect![[r#"
        type: "replyer"
        run: "inline"
        args: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
        returns: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
    "#]],
    );
    check(
        "only_context",
        expect![[r#"
        type: "replyer"
        run: "inline"
        exclusive: true
        args: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
        returns: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
    "#]],
    );
    check(
        "waiting_without_context",
        expect![[r#"
            type: "replyer"
            run: "async"
            args: {"record":{"name":"Order","fields":[{"name":"id","type":"text"}]}}
            returns: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
        "#]],
    );
}

#[test]
fn a_subscriber_takes_its_options() {
    check(
        "prices",
        expect![[r#"
        type: "subscriber"
        run: "async"
        exclusive: true
        settings: {"topic":"ab","is_binder":false,"queue":20,"overflow":"wait","max_depth":8,"max_values":1000}
        args: "any"
    "#]],
    );
}

#[test]
fn names_are_those_of_methods_without_marks_of_rust() {
    check(
        "type",
        expect![[r#"
        type: "replyer"
        run: "inline"
        args: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
        returns: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
    "#]],
    );
}

#[test]
fn methods_under_a_condition_that_does_not_hold_are_not_declared() {
    let declaration = Plugin::of::<signatures::Signatures>().describe().unwrap();
    assert!(declaration.connection("elsewhere").is_none());
    check(
        "either",
        expect![[r#"
        type: "replyer"
        run: "inline"
        args: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
        returns: {"record":{"name":"Empty","doc":"Nothing.","fields":[]}}
    "#]],
    );
}

#[test]
fn a_connection_without_a_name_is_refused() {
    let told = |plugin: Plugin| plugin.describe().unwrap_err().to_string();
    expect![[
        r#"failed: it describes itself wrongly: connections[0].name: expected a name, got the text """#
    ]]
    .assert_eq(&told(Plugin::of::<nameless::Replyer>()));
    expect![[
        r#"failed: it describes itself wrongly: connections[0].name: expected a name, got the text """#
    ]]
    .assert_eq(&told(Plugin::of::<nameless::Port>()));
}

fn hooks(plugin: Plugin) -> String {
    let declaration = plugin.describe().unwrap();
    declaration.hooks.iter().map(|(hook, run)| format!("{hook}: {run}\n")).collect()
}

#[test]
fn optional_methods_are_known_by_their_names() {
    expect![[r#"
        main: async
        init: async
        on_sigint: async
        on_sigterm: async
        setup_config: inline
        setup_addresses: inline
        setup_connections: inline
        setup_states: inline
    "#]]
    .assert_eq(&hooks(Plugin::of::<optional_methods::Optional>()));
}

#[test]
fn a_plain_main_has_a_thread_and_a_method_with_an_attribute_is_a_handler() {
    expect![[r#"
        main: blocking
        init: async
        on_sigint: async
    "#]]
    .assert_eq(&hooks(Plugin::of::<optional_methods::OfItsOwnThread>()));
}
