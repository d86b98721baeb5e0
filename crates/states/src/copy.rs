//! A copy of a state: entries as they are on the wire, cloned at once, with a digest of all of them.

mod change;
mod entry;
mod key;

use std::fmt;

use immutable_chunkmap::map::Map;

pub use change::Change;
pub(crate) use entry::Entry;
use key::Key;

/// Entries side by side in memory: more are found faster, fewer are copied for a change of a copy that has been cloned.
const CHUNK: usize = 32;

/// A map of keys to values, both as the bytes that they are on the wire.
///
/// A clone costs nothing and shares all entries; a change costs what it changes, however large the copy is.
/// Two keys are the same when their bytes are. Entries are in the order of those bytes, not in the one that they were written in.
#[derive(Clone, Default)]
pub struct Copy {
    entries: Map<Key, Entry, CHUNK>,
    digest: u64,
    size_bytes: usize,
}

impl Copy {
    /// An empty copy.
    pub fn new() -> Self {
        Self::default()
    }

    /// The copy that a snapshot makes: a null in it counts as a key that is not there.
    pub fn of(state: &Change) -> Self {
        let mut copy = Self::new();
        copy.apply(state);
        copy
    }

    /// Applies a change: a null removes its key, any other value replaces it, maps in the state as wholes.
    ///
    /// This is the top level of [RFC 7396](https://www.rfc-editor.org/rfc/rfc7396).
    pub fn apply(&mut self, change: &Change) {
        change.entries().iter().for_each(|entry| self.put(entry));
    }

    /// Puts all entries of another copy into this one.
    pub fn merge(&mut self, other: &Self) {
        other.entries().for_each(|entry| self.put(entry));
    }

    fn put(&mut self, entry: &Entry) {
        let old = match entry.value() {
            Some(_) => {
                self.digest = self.digest.wrapping_add(entry.digest());
                self.size_bytes += entry.bytes().len();
                self.entries.insert_cow(Key::of(entry), entry.clone())
            }
            None => self.entries.remove_cow(&Key::of(entry)),
        };
        if let Some(old) = old {
            self.digest = self.digest.wrapping_sub(old.digest());
            self.size_bytes -= old.bytes().len();
        }
    }

    /// The digest that the copy would have after a change, without making it.
    pub fn digest_after(&self, change: &Change) -> u64 {
        change.entries().iter().fold(self.digest, |digest, entry| {
            let old = self.entries.get(entry.key()).map_or(0, Entry::digest);
            let new = if entry.value().is_some() { entry.digest() } else { 0 };
            digest.wrapping_sub(old).wrapping_add(new)
        })
    }

    /// The bytes of the value whose key has these bytes.
    ///
    /// ```
    /// use service_framework_core::{value, wire};
    /// use service_framework_core::wire::{Encoding::MessagePack, Limits};
    /// use service_framework_states::{Change, Copy};
    ///
    /// let state = wire::encode(&value!({"a": 1}), MessagePack)?;
    /// let copy = Copy::of(&Change::read(&state, &Limits::default())?);
    /// assert_eq!(copy.get(b"\xa1a"), Some(&b"\x01"[..]));
    /// # Ok::<(), service_framework_core::Fault>(())
    /// ```
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.entries.get(key)?.value()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that all entries have on the wire.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The sum, modulo 2^64, of the XXH3-64 of each entry's bytes: those of the key, followed by those of the value.
    ///
    /// Equal copies have equal digests. It is known at any time, and tells mistakes, not malice.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Keys and values, as their bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries().filter_map(|entry| Some((entry.key(), entry.value()?)))
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.into_iter().map(|(_, entry)| entry)
    }

    /// Appends the whole state as one map in MessagePack.
    pub fn write(&self, out: &mut Vec<u8>) {
        entry::write_map(out, self.len(), self.entries());
    }
}

impl PartialEq for Copy {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Copy {}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Copy({} entries, {} bytes, {:016x})", self.len(), self.size_bytes, self.digest)
    }
}
