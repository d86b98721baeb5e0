//! The key of an entry, held so that it is compared without looking elsewhere.

use std::borrow::Borrow;
use std::cmp::Ordering;

use super::entry::Entry;

/// The bytes of a key. In a large state a look at each entry on the way to one costs more than all else.
#[derive(Clone)]
pub(super) enum Key {
    /// A key that is short, as most are.
    Short { length: u8, bytes: [u8; SHORT_BYTES] },
    /// The key of this entry.
    Long(Entry),
}

/// As many as there is room for beside an entry's pointer and lengths.
const SHORT_BYTES: usize = 30;

impl Key {
    pub(super) fn of(entry: &Entry) -> Self {
        let key = entry.key();
        let mut bytes = [0; SHORT_BYTES];
        match (bytes.get_mut(..key.len()), u8::try_from(key.len())) {
            (Some(room), Ok(length)) => {
                room.copy_from_slice(key);
                Self::Short { length, bytes }
            }
            _ => Self::Long(entry.clone()),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..usize::from(*length)],
            Self::Long(entry) => entry.key(),
        }
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.bytes()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}
