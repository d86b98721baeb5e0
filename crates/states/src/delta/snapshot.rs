//! The state of an owner at one number, and how it is written for those who ask.

use std::time::Duration;

use service_framework_core::value::Uuid;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Fault, Value};

use crate::copy::{Copy, Entry};
use crate::message::{Head, Part};

/// The state of an owner at one number. It is cloned at once, and encoded on any thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The start of the owner.
    pub epoch: Uuid,
    /// The number of the last update that is in it.
    pub number: i64,
    /// How often the owner publishes at least; `None` if it may be silent for ever.
    pub heartbeat: Option<Duration>,
    /// The state.
    pub copy: Copy,
}

/// An entry that is longer than any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Largest {
    /// Its key, for people.
    pub key: String,
    /// Its size, key included.
    pub entry_bytes: usize,
}

impl Snapshot {
    /// The reply that has the whole state in it, in MessagePack.
    pub fn encode_whole(&self) -> Vec<u8> {
        self.head(None).write(self.copy.len(), self.copy.entries(), self.copy.size_bytes())
    }

    /// The same in JSON, for those who ask in JSON. It has no digest, which is of other bytes.
    ///
    /// # Errors
    ///
    /// If the state has something in it that JSON has no form for, such as a key that is no text.
    pub fn encode_json(&self) -> Result<Vec<u8>, Fault> {
        let head = Head { digest: None, ..self.head(None) };
        let whole = head.write(self.copy.len(), self.copy.entries(), self.copy.size_bytes());
        let limits = Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };
        let value: Value = wire::decode(&whole, Encoding::MessagePack, &limits)?;
        wire::encode(&value, Encoding::Json)
    }

    /// The replies that together have the whole state in them: the whole, if it fits into `part_bytes`, or parts. A part is longer than that only if it is one entry alone.
    pub fn encode_parts(&self, part_bytes: usize) -> Vec<Vec<u8>> {
        let room = part_bytes.saturating_sub(Head::MAX_BYTES);
        if self.copy.size_bytes() <= room {
            return vec![self.encode_whole()];
        }
        let parts = self.cut(room);
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let encode = |(index, part): (u32, &Vec<&Entry>)| {
            let size_bytes = part.iter().map(|entry| entry.bytes().len()).sum();
            self.head(Some(Part { index, count })).write(part.len(), part.iter().copied(), size_bytes)
        };
        (0..count).zip(&parts).map(encode).collect()
    }

    /// The largest entry, if there is one.
    pub fn largest(&self) -> Option<Largest> {
        let entry = self.copy.entries().max_by_key(|entry| entry.bytes().len())?;
        Some(Largest { key: entry.named_key(), entry_bytes: entry.bytes().len() })
    }

    /// Entries in groups of at most so many bytes, but for those that have more, each of which is a group.
    fn cut(&self, room: usize) -> Vec<Vec<&Entry>> {
        let (mut parts, mut part, mut size) = (Vec::new(), Vec::new(), 0);
        for entry in self.copy.entries() {
            let length = entry.bytes().len();
            if size + length > room && !part.is_empty() {
                parts.push(std::mem::take(&mut part));
                size = 0;
            }
            part.push(entry);
            size += length;
        }
        parts.push(part);
        parts
    }

    fn head(&self, part: Option<Part>) -> Head {
        let Self { number, epoch, heartbeat, .. } = *self;
        Head { number, epoch: Some(epoch), digest: Some(self.copy.digest()), heartbeat, part }
    }
}
