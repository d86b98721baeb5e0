//! A snapshot that arrives in parts, collected aside until it is whole.

use std::time::Duration;

use service_framework_core::value::Uuid;

use crate::copy::Copy;
use crate::message::{Part, SnapshotReply, WantedPart};

/// The parts of one snapshot that have arrived, in order and without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    epoch: Option<Uuid>,
    number: i64,
    digest: Option<u64>,
    heartbeat: Option<Duration>,
    count: u32,
    copies: Vec<Copy>,
    memory_bytes: usize,
}

/// Parts that were put together, if they fit.
#[derive(Debug)]
pub struct Joined(pub(super) Option<Whole>);

/// A snapshot that has arrived whole.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) epoch: Option<Uuid>,
    pub(super) number: i64,
    pub(super) digest: Option<u64>,
    pub(super) heartbeat: Option<Duration>,
    pub(super) copy: Copy,
}

impl Whole {
    /// A snapshot of one reply.
    pub(super) fn of(reply: &SnapshotReply) -> Self {
        let SnapshotReply { epoch, number, digest, heartbeat, .. } = *reply;
        Self { epoch, number, digest, heartbeat, copy: reply.state.clone() }
    }
}

/// What to do after a part.
pub(super) enum Next {
    /// Ask for another part.
    Ask(WantedPart),
    /// All are there.
    Join(Parts),
    /// What there is does not fit together, or is too much: begin again.
    Again,
}

impl Parts {
    /// Adds a part to those that are there, or begins with it if it is a first one. `parts` is none again once there is nothing to wait for.
    pub(super) fn add(
        parts: &mut Option<Self>,
        reply: &SnapshotReply,
        Part { index, count }: Part,
        max_bytes: usize,
    ) -> Next {
        let SnapshotReply { number, ref state, .. } = *reply;
        let mut begun = match parts.take().filter(|begun| begun.goes_on_with(reply, count, index)) {
            Some(begun) => begun,
            None if index == 0 => Self::new(reply, count),
            None => return Next::Again,
        };
        begun.memory_bytes = begun.memory_bytes.saturating_add(state.memory_bytes());
        // One that brings nothing could be followed by any number of others.
        if state.is_empty() || begun.memory_bytes > max_bytes {
            return Next::Again;
        }
        begun.copies.push(state.clone());
        if index + 1 == count {
            return Next::Join(Self { digest: reply.digest, heartbeat: reply.heartbeat, ..begun });
        }
        *parts = Some(begun);
        Next::Ask(WantedPart { index: index + 1, number })
    }

    fn new(reply: &SnapshotReply, count: u32) -> Self {
        let SnapshotReply { epoch, number, digest, heartbeat, .. } = *reply;
        Self { epoch, number, digest, heartbeat, count, copies: Vec::new(), memory_bytes: 0 }
    }

    fn goes_on_with(&self, reply: &SnapshotReply, count: u32, index: u32) -> bool {
        let ours = (self.epoch, self.number, self.count, self.copies.len());
        ours == (reply.epoch, reply.number, count, index as usize)
    }

    /// The memory that they take, about.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Puts them together: costs as much as all of them are.
    #[must_use = "the reader waits for it"]
    pub fn join(self) -> Joined {
        let Self { epoch, number, digest, heartbeat, copies, .. } = self;
        let length: usize = copies.iter().map(Copy::len).sum();
        let mut copies = copies.into_iter();
        let mut copy = copies.next().unwrap_or_default();
        copies.for_each(|more| copy.merge(&more));
        // Each has entries of its own.
        let is_right = copy.len() == length;
        Joined(is_right.then_some(Whole { epoch, number, digest, heartbeat, copy }))
    }
}
