//! One entry of a state, as the bytes that it is on the wire.

use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Arc, LazyLock};

use foldhash::quality::RandomState;
use service_framework_core::Value;
use service_framework_core::wire::{self, Encoding, Limits, Peer, Writer};
use xxhash_rust::xxh3::xxh3_64;

/// A key and its value, or a key alone, whose entry a change removes.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Key and value in one allocation of their own: a slice of the frame that they came in would keep all of it alive.
    bytes: Arc<[u8]>,
    key_length: usize,
    // Both are found once: in a large state the bytes are far away.
    hash: u64,
    digest: u64,
}

/// What an entry takes in memory beside its bytes, about.
pub(crate) const ENTRY_BYTES: usize = 64;

/// Nobody outside of this process knows which keys have hashes that are alike.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

impl Entry {
    /// An entry whose value is not null, of the bytes of its key, which are so many, and of those of its value.
    pub(crate) fn new(bytes: &[u8], key_length: usize) -> Self {
        let hash = Self::hash_of(&bytes[..key_length]);
        Self { bytes: bytes.into(), key_length, hash, digest: xxh3_64(bytes) }
    }

    /// What removes the entry of a key.
    pub(crate) fn removing(key: &[u8]) -> Self {
        Self { bytes: key.into(), key_length: key.len(), hash: Self::hash_of(key), digest: 0 }
    }

    /// What entries are found by. It is another one in each process.
    pub(crate) fn hash_of(key: &[u8]) -> u64 {
        HASHER.hash_one(key)
    }

    /// The same, as if the hash of its key were this one.
    #[cfg(test)]
    pub(crate) fn with_hash(self, hash: u64) -> Self {
        Self { hash, ..self }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.bytes[..self.key_length]
    }

    /// Its key, for people.
    pub(crate) fn named_key(&self) -> String {
        let limits = Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };
        let key = wire::decode::<Value>(self.key(), Encoding::MessagePack, &limits);
        key.map_or_else(|_| format!("{} bytes", self.key().len()), |key| key.named())
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

    /// The hash of its key.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// What it adds to the digest of its copy: nothing, if it removes an entry.
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    /// The first bytes of its key, to sort by before the key itself is looked at, which lies elsewhere.
    pub(crate) fn sort_key(&self) -> u128 {
        let mut first = [0; size_of::<u128>()];
        first.iter_mut().zip(self.key()).for_each(|(room, byte)| *room = *byte);
        u128::from_be_bytes(first)
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
