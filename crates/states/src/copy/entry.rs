//! One entry of a state, as the bytes that it is on the wire.

use std::fmt;
use std::sync::Arc;

use service_framework_core::wire::{Encoding, Peer, Writer};
use xxhash_rust::xxh3::xxh3_64;

/// A key and its value, or a key alone, whose entry a change removes.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Key and value in one allocation of their own: a slice of the frame that they came in would keep all of it alive.
    bytes: Arc<[u8]>,
    key_length: usize,
}

impl Entry {
    /// An entry whose value is not null.
    pub(crate) fn new(key: &[u8], value: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(key.len() + value.len());
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
        Self { bytes: bytes.into(), key_length: key.len() }
    }

    /// What removes the entry of a key.
    pub(crate) fn removing(key: &[u8]) -> Self {
        Self { bytes: key.into(), key_length: key.len() }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.bytes[..self.key_length]
    }

    /// `None` for what removes an entry.
    pub(crate) fn value(&self) -> Option<&[u8]> {
        let value = &self.bytes[self.key_length..];
        // No value has no bytes.
        if value.is_empty() { None } else { Some(value) }
    }

    /// Key and value.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What an entry adds to the digest of its copy.
    pub(crate) fn digest(&self) -> u64 {
        xxh3_64(&self.bytes)
    }
}

/// Appends a map of so many entries in MessagePack. What removes an entry is a null.
pub(crate) fn write_map<'a>(out: &mut Vec<u8>, length: usize, entries: impl Iterator<Item = &'a Entry>) {
    let mut writer = Writer::append(std::mem::take(out), Encoding::MessagePack, Peer::Any);
    writer.map(length);
    for entry in entries {
        writer.raw(entry.bytes());
        if entry.value().is_none() {
            writer.null();
        }
    }
    writer.end_map();
    *out = writer.finish().expect("what is in a map is encoded already");
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}: {:02x?}", self.key(), self.value())
    }
}
