//! The one form that a key may have: keys are told apart by their bytes, and the types of services by what these mean.

use std::borrow::Cow;

use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Fault, Value};

/// What becomes of a key that is a decimal such as 1.0, which equals 1 and has other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decimals {
    /// It is written anew, as 1: its author is not to know that there are two.
    Shortened,
    /// It is refused: an owner has written it anew.
    Refused,
}

/// Refuses a key in MessagePack in any form but its shortest, which is what we write, and Python.
///
/// The integer 1 may be one byte or up to nine. A map of a service would have one entry where the copy has two, and be another than it when one of these is removed.
pub(super) fn check(key: &[u8], decimals: Decimals) -> Result<Cow<'_, [u8]>, Fault> {
    let is_shortest = match *key {
        // Small integers, short texts, null, booleans, and floats, all of which we write in 64 bits.
        [0x00..=0x7f | 0xe0..=0xff | 0xa0..=0xbf | 0xc0 | 0xc2 | 0xc3 | 0xcb, ..] => true,
        [0xd9, length, ..] => length > 31,
        _ => return check_value(key, decimals),
    };
    if is_shortest { Ok(key.into()) } else { Err(too_long()) }
}

fn check_value(key: &[u8], decimals: Decimals) -> Result<Cow<'_, [u8]>, Fault> {
    // It was passed within the limits of its message already.
    let limits = Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };
    let value: Value = wire::decode(key, Encoding::MessagePack, &limits)?;
    if wire::encode(&value, Encoding::MessagePack)? != key {
        return Err(too_long());
    }
    let Value::Decimal(decimal) = value else { return Ok(key.into()) };
    let shortest = decimal.shortest();
    if shortest.as_str() == decimal.as_str() {
        return Ok(key.into());
    }
    match decimals {
        Decimals::Shortened => wire::encode(&Value::Decimal(shortest), Encoding::MessagePack).map(Cow::Owned),
        Decimals::Refused => {
            let key = Value::Decimal(decimal).named();
            Err(Fault::malformed(format!(
                "a key that is not in its shortest form: {key}, which is {shortest}"
            )))
        }
    }
}

fn too_long() -> Fault {
    Fault::malformed("a key that is not in its shortest form")
}
