//! Models as JSON Schema.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use service_framework_core::Model;
use service_framework_core::model::describe;
use service_framework_core::value::{Array, Decimal};
use service_framework_macros::Model;

/// A part of a plan.
#[derive(Model)]
#[model(crate = "service_framework_core")]
struct Task {
    /// What to do.
    name: String,
    after: Option<Box<Task>>,
    parts: Vec<Task>,
}

#[derive(Model)]
#[model(crate = "service_framework_core")]
struct Plan {
    first: Task,
    last: Task,
}

#[derive(Model)]
#[model(crate = "service_framework_core", open)]
struct Level {
    price: Decimal,
    table: Array<f32>,
}

#[derive(Model)]
#[model(crate = "service_framework_core")]
struct Sides {
    by_side: BTreeMap<Side, u8>,
    pair: (bool, Option<f64>),
}

#[derive(Model, PartialEq, Eq, PartialOrd, Ord)]
#[model(crate = "service_framework_core", names = "lower")]
enum Side {
    Buy,
    Sell,
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that the snapshot stands at the call without `&`")]
fn check<T: Model>(expected: Expect) {
    let schema = describe::<T>().to_json_schema().to_string();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    expected.assert_eq(&format!("{schema:#}\n"));
}

#[test]
fn each_record_that_holds_itself_has_an_anchor_of_its_own() {
    check::<Plan>(expect![[r##"
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "Plan",
          "type": "object",
          "properties": {
            "first": {
              "title": "Task",
              "$anchor": "Task",
              "description": "A part of a plan.",
              "type": "object",
              "properties": {
                "name": {
                  "type": "string",
                  "description": "What to do."
                },
                "after": {
                  "anyOf": [
                    {
                      "type": "null"
                    },
                    {
                      "$ref": "#Task"
                    }
                  ]
                },
                "parts": {
                  "type": "array",
                  "items": {
                    "$ref": "#Task"
                  }
                }
              },
              "required": [
                "name",
                "parts"
              ],
              "additionalProperties": false
            },
            "last": {
              "title": "Task",
              "$anchor": "Task_2",
              "description": "A part of a plan.",
              "type": "object",
              "properties": {
                "name": {
                  "type": "string",
                  "description": "What to do."
                },
                "after": {
                  "anyOf": [
                    {
                      "type": "null"
                    },
                    {
                      "$ref": "#Task_2"
                    }
                  ]
                },
                "parts": {
                  "type": "array",
                  "items": {
                    "$ref": "#Task_2"
                  }
                }
              },
              "required": [
                "name",
                "parts"
              ],
              "additionalProperties": false
            }
          },
          "required": [
            "first",
            "last"
          ],
          "additionalProperties": false
        }
    "##]]);
}

#[test]
fn marked_values_are_objects_with_their_mark() {
    check::<Level>(expect![[r#"
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "Level",
          "type": "object",
          "properties": {
            "price": {
              "type": "object",
              "properties": {
                "__decimal__": {
                  "const": true
                },
                "as_str": {
                  "type": "string"
                }
              },
              "required": [
                "__decimal__",
                "as_str"
              ],
              "additionalProperties": false
            },
            "table": {
              "type": "object",
              "properties": {
                "__numpy.ndarray__": {
                  "const": true
                },
                "as_bytes": {
                  "type": "object",
                  "properties": {
                    "__bytes__": {
                      "const": true
                    },
                    "as_base64": {
                      "type": "string",
                      "contentEncoding": "base64"
                    }
                  },
                  "required": [
                    "__bytes__",
                    "as_base64"
                  ],
                  "additionalProperties": false
                },
                "dtype": {
                  "enum": [
                    "<f4"
                  ]
                },
                "shape": {
                  "type": "array",
                  "items": {
                    "type": "integer",
                    "minimum": 0
                  }
                }
              },
              "required": [
                "__numpy.ndarray__",
                "as_bytes",
                "dtype"
              ],
              "additionalProperties": false
            }
          },
          "required": [
            "price",
            "table"
          ],
          "additionalProperties": true
        }
    "#]]);
}

#[test]
fn keys_and_items_have_schemas_of_their_own() {
    check::<Sides>(expect![[r#"
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "Sides",
          "type": "object",
          "properties": {
            "by_side": {
              "type": "object",
              "additionalProperties": {
                "type": "integer",
                "minimum": 0,
                "maximum": 255
              },
              "propertyNames": {
                "enum": [
                  "buy",
                  "sell"
                ]
              }
            },
            "pair": {
              "type": "array",
              "minItems": 2,
              "maxItems": 2,
              "prefixItems": [
                {
                  "type": "boolean"
                },
                {
                  "anyOf": [
                    {
                      "type": "null"
                    },
                    {
                      "anyOf": [
                        {
                          "type": "number"
                        },
                        {
                          "type": "object",
                          "properties": {
                            "__float__": {
                              "enum": [
                                "NaN",
                                "Infinity",
                                "-Infinity"
                              ]
                            }
                          },
                          "required": [
                            "__float__"
                          ],
                          "additionalProperties": false
                        }
                      ]
                    }
                  ]
                }
              ]
            }
          },
          "required": [
            "by_side",
            "pair"
          ],
          "additionalProperties": false
        }
    "#]]);
}

#[test]
fn a_32_bit_float_has_bounds() {
    #[derive(Model)]
    #[model(crate = "service_framework_core")]
    struct Reading {
        celsius: f32,
    }

    let schema = describe::<Reading>().to_json_schema();
    let number = schema.get("properties").and_then(|fields| fields.get("celsius")?.get("anyOf"));
    expect![[r#"[{"type":"number","minimum":-3.4028234663852886e38,"maximum":3.4028234663852886e38},{"type":"object","properties":{"__float__":{"enum":["NaN","Infinity","-Infinity"]}},"required":["__float__"],"additionalProperties":false}]"#]]
        .assert_eq(&number.unwrap().to_string());
}
