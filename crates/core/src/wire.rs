//! Values as bytes: MessagePack with four tagged maps, and JSON that says the same.
//!
//! The Python original defines the MessagePack form. JSON is told from it by the first byte of a message.

mod token;
mod json;
mod msgpack;
mod reader;
mod tags;
pub(crate) mod text;
mod writer;

pub use reader::{Entries, Items, Reader};
pub(crate) use tags::{
    read_map, read_value, tagged_as, write_array, write_decimal, write_tagged_text, write_value,
    write_with_nulls,
};
pub use token::Token;
pub use writer::{Peer, Writer};

use crate::fault::Fault;
use crate::model::Model;
use crate::value::Value;

/// Writes an integer in MessagePack.
pub(crate) fn append_int(out: &mut Vec<u8>, int: u64) {
    msgpack::write_int(out, int.into());
}

/// How a message is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// [MessagePack](https://msgpack.org), which the Python original speaks.
    #[default]
    MessagePack,
    /// JSON, one object.
    Json,
}

impl Encoding {
    /// Tells the encoding of a message, which is always a map, by its first byte.
    pub fn of(message: &[u8]) -> Self {
        if message.first() == Some(&b'{') { Self::Json } else { Self::MessagePack }
    }
}

/// Bounds on what is read, each of which a message over it is refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The whole message, in bytes; 16 MiB.
    pub max_message_bytes: usize,
    /// Maps and lists inside one another; 64, and never more than 256, so that the stack lasts.
    pub max_depth: usize,
    /// Values of all kinds in one message, keys included; 1,000,000. Small values take more memory than bytes.
    pub max_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_message_bytes: 16 << 20, max_depth: 64, max_values: 1_000_000 }
    }
}

/// Reads exactly one value.
///
/// # Errors
///
/// If the bytes are no such value, more follow, or a limit is passed.
#[inline]
pub fn decode<T: Model>(bytes: &[u8], encoding: Encoding, limits: &Limits) -> Result<T, Fault> {
    if bytes.len() > limits.max_message_bytes {
        let text = format!("{} bytes, {} are allowed", bytes.len(), limits.max_message_bytes);
        return Err(Fault::malformed(text));
    }
    let mut reader = Reader::new(bytes, encoding, limits);
    let value = T::decode(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Writes one value.
///
/// # Errors
///
/// If the value has no form on the wire: an integer outside -2^63..2^64, or maps nested deeper than 64.
pub fn encode<T: Model>(value: &T, encoding: Encoding) -> Result<Vec<u8>, Fault> {
    let mut writer = Writer::new(encoding, Peer::Any);
    value.encode(&mut writer);
    writer.finish()
}

/// Writes any value as JSON to be looked at, also one that has no form on the wire.
pub(crate) fn show(value: &Value) -> String {
    let mut writer = Writer::for_people();
    write_value(&mut writer, value);
    String::from_utf8(writer.finish().unwrap_or_default()).expect("JSON is UTF-8")
}
