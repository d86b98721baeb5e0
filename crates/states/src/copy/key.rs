//! The one form that a key may have: keys are told apart by their bytes, and the types of services by what these mean.

use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Fault, Value};

/// Refuses a key in MessagePack in any form but its shortest, which is what we write, and Python.
///
/// The integer 1 may be one byte or up to nine. A map of a service would have one entry where the copy has two, and be another than it when one of these is removed.
pub(super) fn check(key: &[u8]) -> Result<(), Fault> {
    let is_shortest = match *key {
        // Small integers, short texts, null, booleans, and floats, all of which we write in 64 bits.
        [0x00..=0x7f | 0xe0..=0xff | 0xa0..=0xbf | 0xc0 | 0xc2 | 0xc3 | 0xcb, ..] => true,
        [0xd9, length, ..] => length > 31,
        _ => is_written_alike(key)?,
    };
    if is_shortest { Ok(()) } else { Err(Fault::malformed("a key that is not in its shortest form")) }
}

fn is_written_alike(key: &[u8]) -> Result<bool, Fault> {
    // It was passed within the limits of its message already.
    let limits = Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };
    let value: Value = wire::decode(key, Encoding::MessagePack, &limits)?;
    Ok(wire::encode(&value, Encoding::MessagePack)? == key)
}
