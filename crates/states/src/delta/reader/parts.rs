//! A snapshot that arrives in parts, collected aside until it is whole.

use std::time::Duration;

use service_framework_core::value::Uuid;

use super::asking::Asked;
use crate::copy::Copy;
use crate::message::{Part, SnapshotReply, WantedPart};

/// The parts of one snapshot that have arrived, in order and without a gap.
#[derive(Debug)]
pub(super) struct Parts {
    epoch: Option<Uuid>,
    number: i64,
    count: u32,
    arrived: u32,
    copy: Copy,
    /// What was known when the first was asked for.
    pub(super) asked: Asked,
}

/// A snapshot that has arrived whole.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) epoch: Option<Uuid>,
    pub(super) number: i64,
    pub(super) digest: Option<u64>,
    pub(super) heartbeat: Option<Duration>,
    pub(super) copy: Copy,
    pub(super) asked: Asked,
}

impl Whole {
    /// A snapshot of one reply.
    pub(super) fn of(reply: &SnapshotReply, asked: Asked) -> Self {
        let SnapshotReply { epoch, number, digest, heartbeat, .. } = *reply;
        Self { epoch, number, digest, heartbeat, copy: reply.state.clone(), asked }
    }
}

/// What to do after a part.
pub(super) enum Next {
    /// Ask for another part.
    Ask(WantedPart),
    /// All are there.
    Done(Whole),
    /// What there is does not fit together, or is too much: begin again.
    Again,
}

impl Parts {
    /// Adds a part to those that are there, or begins with it if it is a first one. `parts` is none again once there is nothing to wait for.
    pub(super) fn add(
        parts: &mut Option<Self>,
        reply: &SnapshotReply,
        part: Part,
        asked: Asked,
        max_bytes: usize,
    ) -> Next {
        let SnapshotReply { epoch, number, digest, heartbeat, .. } = *reply;
        let begun = parts.take().filter(|begun| begun.goes_on_with(reply, part));
        let mut begun = match begun {
            Some(begun) => begun,
            None if part.index == 0 => {
                Self { epoch, number, count: part.count, arrived: 0, copy: Copy::new(), asked }
            }
            None => return Next::Again,
        };
        if begun.copy.size_bytes().saturating_add(reply.state.size_bytes()) > max_bytes {
            return Next::Again;
        }
        let length = begun.copy.len() + reply.state.len();
        begun.copy.merge(&reply.state);
        // Each part has entries of its own: one that brings nothing new could be followed by any number of others.
        if begun.count > 1 && (reply.state.is_empty() || begun.copy.len() != length) {
            return Next::Again;
        }
        begun.arrived += 1;
        if begun.arrived == begun.count {
            let Self { copy, asked, .. } = begun;
            return Next::Done(Whole { epoch, number, digest, heartbeat, copy, asked });
        }
        let wanted = WantedPart { index: begun.arrived, number };
        *parts = Some(begun);
        Next::Ask(wanted)
    }

    fn goes_on_with(&self, reply: &SnapshotReply, part: Part) -> bool {
        let theirs = (reply.epoch, reply.number, part.count, part.index);
        theirs == (self.epoch, self.number, self.count, self.arrived)
    }
}
