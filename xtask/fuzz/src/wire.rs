//! Values on the wire: the first byte chooses the encoding of those that follow.

use service_framework_core::Value;
use service_framework_core::wire::{self, Encoding, Limits};

/// What was read within the limits is read again without: another encoding takes other bytes and tags for it.
pub(crate) const WIDE: Limits =
    Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };

pub(crate) fn run(bytes: &[u8]) {
    let Some((choice, message)) = bytes.split_first() else { return };
    let encoding = if choice % 2 == 0 { Encoding::MessagePack } else { Encoding::Json };
    let value: Value = match wire::decode(message, encoding, &Limits::default()) {
        Ok(value) => value,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    // Whatever is read can be shown, and can be written as it came.
    assert!(value.to_string().len() < usize::MAX);
    let again = wire::encode(&value, encoding).expect("what was read can be written");
    assert_eq!(wire::decode::<Value>(&again, encoding, &WIDE), Ok(value.clone()));

    let other = if encoding == Encoding::Json { Encoding::MessagePack } else { Encoding::Json };
    // A key of MessagePack may be what JSON has no form for, and becomes text if it has one.
    let Ok(across) = wire::encode(&value, other) else { return assert_eq!(other, Encoding::Json) };
    let arrived = wire::decode::<Value>(&across, other, &WIDE);
    if other == Encoding::MessagePack {
        assert_eq!(arrived, Ok(value));
    }
}
