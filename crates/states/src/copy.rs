//! A copy of a state: entries as they are on the wire, cloned at once, with a digest of all of them.

mod change;
mod entry;
mod key;
mod tree;

use std::fmt;

pub use change::Change;
pub(crate) use entry::{ENTRY_BYTES, Entry};
pub(crate) use key::Decimals;
use tree::Tree;

/// A map of keys to values, both as the bytes that they are on the wire.
///
/// A clone costs nothing and shares all entries; a change costs what it changes, however large the copy is.
/// Two keys are the same when their bytes are, and what is read has its keys in their shortest form, so that an integer, a decimal or a text is one key. Entries are given in the order of those bytes, which they are sorted by for it.
#[derive(Clone, Default)]
pub struct Copy {
    tree: Tree,
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
        state.whole_made().cloned().unwrap_or_else(|| {
            let mut copy = Self::new();
            copy.apply(state);
            copy
        })
    }

    /// Applies a change: a null removes its key, any other value replaces it, maps in the state as wholes.
    ///
    /// This is the top level of [RFC 7396](https://www.rfc-editor.org/rfc/rfc7396).
    pub fn apply(&mut self, change: &Change) {
        change.entries().iter().for_each(|entry| self.put(entry));
    }

    /// Puts all entries of another copy into this one.
    pub fn merge(&mut self, other: &Self) {
        other.tree.iter().for_each(|entry| self.put(entry));
    }

    fn put(&mut self, entry: &Entry) {
        self.digest = self.digest.wrapping_add(entry.digest());
        let old = match entry.value() {
            Some(_) => {
                self.size_bytes += entry.bytes().len();
                self.tree.insert(entry.clone())
            }
            None => self.tree.remove(entry),
        };
        if let Some(old) = old {
            self.digest = self.digest.wrapping_sub(old.digest());
            self.size_bytes -= old.bytes().len();
        }
    }

    /// The digest that the copy would have after a change, without making it.
    pub fn digest_after(&self, change: &Change) -> u64 {
        change.entries().iter().fold(self.digest, |digest, entry| {
            let old = self.tree.get(entry).map_or(0, Entry::digest);
            digest.wrapping_sub(old).wrapping_add(entry.digest())
        })
    }

    pub(crate) fn has_key_of(&self, entry: &Entry) -> bool {
        self.tree.get(entry).is_some()
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
        self.tree.find(Entry::hash_of(key), key)?.value()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that all entries have on the wire.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The memory that all entries take, about: 64 bytes each beside what they have on the wire.
    pub fn memory_bytes(&self) -> usize {
        self.size_bytes + ENTRY_BYTES * self.len()
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

    /// All entries, sorted: equal copies are written alike, and a reader's map is filled in its order, which is faster by more than sorting costs.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        let mut entries = Vec::with_capacity(self.len());
        entries.extend(self.tree.iter().map(|entry| (entry.sort_key(), entry)));
        entries.sort_unstable_by(|(a_first, a), (b_first, b)| {
            a_first.cmp(b_first).then_with(|| a.key().cmp(b.key()))
        });
        entries.into_iter().map(|(_, entry)| entry)
    }

    /// Appends the whole state as one map in MessagePack.
    pub fn write(&self, out: &mut Vec<u8>) {
        entry::write_map(out, self.len(), self.entries());
    }
}

impl PartialEq for Copy {
    fn eq(&self, other: &Self) -> bool {
        let is_there = |entry: &Entry| other.tree.get(entry).is_some_and(|it| it.bytes() == entry.bytes());
        self.digest == other.digest && self.len() == other.len() && self.tree.iter().all(is_there)
    }
}

impl Eq for Copy {}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Copy({} entries, {} bytes, {:016x})", self.len(), self.size_bytes, self.digest)
    }
}
