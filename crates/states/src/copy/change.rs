//! What an update says of a state: some entries of it, or all, read whole before anything of them is applied.

use std::borrow::Cow;
use std::fmt;

use service_framework_core::Fault;
use service_framework_core::wire::{Encoding, Limits, Reader, Token};

use super::Copy;
use super::entry::{ENTRY_BYTES, Entry, write_map};
use super::key::{self, Decimals};

/// The map of an update: entries to put, and, for each null, one to remove.
#[derive(Clone, Default)]
pub struct Change {
    entries: Vec<Entry>,
    size_bytes: usize,
    /// The copy that it makes as a whole state, if that was made where it was read.
    whole: Option<Copy>,
}

impl Change {
    /// A change that changes nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// All entries of a copy.
    pub fn whole(copy: &Copy) -> Self {
        Self { entries: copy.entries().cloned().collect(), size_bytes: copy.size_bytes(), whole: None }
    }

    /// Reads a change from exactly one map in MessagePack.
    ///
    /// # Errors
    ///
    /// If the bytes are no such map, more follow, a limit is passed, a key stands twice, or one is not in its shortest form.
    pub fn read(map: &[u8], limits: &Limits) -> Result<Self, Fault> {
        if map.len() > limits.max_message_bytes {
            let text = format!("{} bytes, {} are allowed", map.len(), limits.max_message_bytes);
            return Err(Fault::malformed(text));
        }
        let mut reader = Reader::new(map, Encoding::MessagePack, limits);
        let change = Self::read_from(&mut reader, Decimals::Refused)?;
        reader.end()?;
        Ok(change)
    }

    /// Reads a change that comes next in a message in MessagePack.
    pub(crate) fn read_from(reader: &mut Reader<'_>, decimals: Decimals) -> Result<Self, Fault> {
        let start = reader.offset();
        let mut map = match reader.token()? {
            Token::Map(map) => map,
            other => return Err(reader.mismatch("a map", &other, start)),
        };
        let capacity = reader.capacity::<Entry>(map.declared());
        let mut change = Self { entries: Vec::with_capacity(capacity), size_bytes: 0, whole: None };
        while map.next(reader)? {
            let ((key, written, is_null), bytes) = reader.slice_of(|reader| {
                let at = reader.offset();
                let written = reader.slice()?;
                let key = key::check(written, decimals).map_err(|fault| fault.at_offset(at))?;
                map.colon(reader)?;
                let is_null = reader.null()?;
                if !is_null {
                    reader.skip()?;
                }
                Ok((key, written.len(), is_null))
            })?;
            change.push(match &key {
                key if is_null => Entry::removing(key),
                Cow::Borrowed(key) => Entry::new(bytes, key.len()),
                Cow::Owned(key) => Entry::new(&[key, &bytes[written..]].concat(), key.len()),
            });
        }
        match change.has_a_key_twice() {
            false => Ok(change),
            true => Err(Fault::malformed("a key stands twice").at_offset(start)),
        }
    }

    /// Makes the copy that it is as a whole state now, and not when it is wanted.
    pub(crate) fn make_whole(&mut self) {
        self.whole = Some(Copy::of(self));
    }

    /// The copy that it is as a whole state, if that was made already.
    pub(super) fn whole_made(&self) -> Option<&Copy> {
        self.whole.as_ref()
    }

    fn push(&mut self, entry: Entry) {
        self.size_bytes += entry.bytes().len();
        self.entries.push(entry);
    }

    fn has_a_key_twice(&self) -> bool {
        let mut keys: Vec<_> = self.entries.iter().map(Entry::key).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// The same without nulls for keys that `copy` does not hold, of which a reader in Python dies.
    #[must_use]
    pub fn without_idle_nulls(mut self, copy: &Copy) -> Self {
        self.entries.retain(|entry| entry.value().is_some() || copy.has_key_of(entry));
        self.size_bytes = self.entries.iter().map(|entry| entry.bytes().len()).sum();
        self
    }

    /// The number of entries, nulls included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes that all entries have on the wire, but for nulls.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The memory that all entries take, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        let whole = self.whole.as_ref().map_or(0, |whole| ENTRY_BYTES * whole.len());
        self.size_bytes + ENTRY_BYTES * self.len() + whole
    }

    /// The first entry to put that is longer than so many bytes: its key, for people, and its bytes.
    pub(crate) fn entry_over(&self, most_bytes: usize) -> Option<(String, usize)> {
        let entry =
            self.entries.iter().find(|entry| entry.value().is_some() && entry.bytes().len() > most_bytes)?;
        Some((entry.named_key(), entry.bytes().len()))
    }

    /// Keys with their values, as their bytes; `None` for a null.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.entries.iter().map(|entry| (entry.key(), entry.value()))
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Appends the change as one map in MessagePack, in the order that it was read in.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_map(out, self.len(), self.entries.iter());
    }
}

impl PartialEq for Change {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Change {}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.entries).finish()
    }
}
