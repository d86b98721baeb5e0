//! What we write for Python, the original's own decoder reads as the same, for any value.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use service_framework_core::Value;
use service_framework_core::value::Map;
use service_framework_core::wire::{self, Encoding, Limits, Peer, Writer};

use crate::python::{Python, Version};

#[path = "../../../core/tests/support/arbitrary.rs"]
mod arbitrary;

const CASES: u32 = 3_000;

pub(crate) fn for_python(value: &Value) -> Result<Vec<u8>, service_framework_core::Fault> {
    use service_framework_core::Model as _;
    let mut writer = Writer::new(Encoding::MessagePack, Peer::Python);
    value.encode(&mut writer);
    writer.finish()
}

pub(crate) fn codec(version: Version) -> Python {
    let mut python = Python::script(version, "codec.py", &[]);
    assert_eq!(python.line(), "ready");
    python
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The value without what Python takes no notice of: keys are text, nulls are left out, arrays are floats in a row.
fn narrowed(value: Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(narrowed).collect()),
        Value::Map(map) => Value::Map(
            map.into_iter()
                .filter(|(_, value)| *value != Value::Null)
                .map(|(key, value)| (Value::from(&*key.key_text().unwrap()), narrowed(value)))
                .collect::<Map>(),
        ),
        Value::Array(array) => Value::from(array.to_plain_floats()),
        other => other,
    }
}

/// The value with at most one number in each set: in Python `1`, `1.0`, `True` and `Decimal(1)` are one member.
fn with_distinct_numbers(value: Value) -> Value {
    let is_number =
        |value: &Value| matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Decimal(_));
    match value {
        Value::List(items) => Value::List(items.into_iter().map(with_distinct_numbers).collect()),
        Value::Map(map) => Value::Map(
            map.into_iter().map(|(key, value)| (key, with_distinct_numbers(value))).collect::<Map>(),
        ),
        Value::Set(members) => {
            let mut has_number = false;
            let is_kept = |member: &Value| !(is_number(member) && std::mem::replace(&mut has_number, true));
            Value::Set(members.into_iter().filter(is_kept).collect())
        }
        other => other,
    }
}

#[test]
fn what_we_write_for_python_comes_back_from_it_the_same() {
    for version in [Version::V18, Version::V20] {
        let python = RefCell::new(codec(version));
        let written = RefCell::new(0);
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let value = arbitrary::value(false).prop_map(with_distinct_numbers);
        let tried = TestRunner::new(config).run(&value, |value| {
            // What Python could not take is refused here, and that is tested elsewhere.
            let Ok(bytes) = for_python(&value) else { return Ok(()) };
            *written.borrow_mut() += 1;
            let answer = python.borrow_mut().ask(&hex(&bytes));
            let Some(back) = answer.strip_prefix("same ") else {
                return Err(TestCaseError::fail(answer));
            };
            let back: Value = wire::decode(&from_hex(back), Encoding::MessagePack, &Limits::default())
                .map_err(|fault| TestCaseError::fail(fault.to_string()))?;
            prop_assert_eq!(back, narrowed(value));
            Ok(())
        });
        tried.unwrap_or_else(|error| panic!("{error}"));
        assert!(written.take() > CASES / 2, "most values have a form that Python takes");
    }
}
