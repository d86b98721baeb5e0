//! How a copy of a full state asks its owner for the last value: by subscribing to what nothing is ever published under.
//!
//! The subscription begins with a byte that MessagePack never uses, so no publication fits it, and whoever knows nothing of it takes it for a filter like any other: an owner in
//! Python, or a proxy, which passes it on. Behind it stand 16 random bytes, which tell one copy from another.

use bytes::Bytes;
use service_framework_core::topic;
use service_framework_core::value::Uuid;

const FIRST: &[u8] = b"\xc1last";

/// What stands in the place of a topic where there is none: the null of MessagePack.
const NO_TOPIC: u8 = 0xc0;

const RANDOM_BYTES: usize = 16;

/// What the copies of one state ask with.
#[derive(Clone, Debug)]
pub(crate) struct Asking(Vec<u8>);

impl Asking {
    pub(crate) fn new(topic: Option<&str>) -> Self {
        let mut prefix = FIRST.to_vec();
        match topic {
            Some(topic) => prefix.extend_from_slice(&topic::encode(topic)),
            None => prefix.push(NO_TOPIC),
        }
        Self(prefix)
    }

    /// What all of them begin with.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.0
    }

    /// A new one.
    pub(crate) fn marker(&self) -> Bytes {
        [self.prefix(), Uuid::new_v4().as_bytes()].concat().into()
    }

    /// Whether somebody asks for this state by it.
    pub(crate) fn is_asked_by(&self, filter: &[u8]) -> bool {
        filter.strip_prefix(self.prefix()).is_some_and(|random| random.len() == RANDOM_BYTES)
    }

    /// What was published, without the marker that it was sent under if it was sent to one copy through a proxy; `None` if it was sent to a copy of another state.
    pub(crate) fn strip<'f>(&self, frame: &'f [u8]) -> Option<&'f [u8]> {
        if !frame.starts_with(FIRST) {
            return Some(frame);
        }
        frame.strip_prefix(self.prefix())?.get(RANDOM_BYTES..)
    }
}
