//! What a reader is told, and what it tells.

use std::time::{Duration, Instant};

use service_framework_core::Failure;
use service_framework_core::workflow::WorkflowId;

use crate::copy::{Change, Copy};
use crate::message::SnapshotRequest;

use super::Parts;

/// How a reader behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// An owner that says nothing for so long counts as silent. `None` for as long as it says itself: one of ours after three of its heartbeats.
    pub patience: Option<Duration>,
    /// Updates that are held back at most; 10,000, unless it is set: a service holds as many as the setting `held` of its state says, 100,000.
    pub max_held: usize,
    /// The memory that these take at most, about, in bytes; 64 MiB.
    pub max_held_bytes: usize,
    /// The longest reply that is taken, in bytes; 16 MiB. Longer snapshots come in parts.
    pub max_reply_bytes: usize,
    /// The largest snapshot that is taken, in bytes of [memory](Copy::memory_bytes), so that small entries weigh more than they have bytes on the wire; 1 GiB.
    pub max_snapshot_bytes: usize,
    /// The pause after the first request that was of no use; 100 ms. It doubles from then on.
    pub first_pause: Duration,
    /// The longest pause; 5 s.
    pub max_pause: Duration,
    /// What the jitter of pauses is drawn from: another one for each reader.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            patience: None,
            max_held: 10_000,
            max_held_bytes: 64 << 20,
            max_reply_bytes: 16 << 20,
            max_snapshot_bytes: 1 << 30,
            first_pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(5),
            seed: 0,
        }
    }
}

/// How a copy stands to its owner's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// There is no copy yet, or it is known to be behind.
    Syncing,
    /// It is the owner's state at the number that it says, and nothing newer is known of.
    Live,
    /// It is what the owner's state was at the number that it says; the owner has not been heard since.
    Stale,
}

/// What a reader wants from whoever drives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this to the owner's replyer, and tell how it ended: by `reply`, or by `ask_failed`.
    Ask(SnapshotRequest),
    /// Put these together, wherever that is in nobody's way, and tell it by `joined`, or by `ask_failed`. Until then nothing else is asked.
    Join(Parts),
    /// The status has changed.
    Status {
        /// What it is now.
        status: Status,
        /// Since when.
        since: Instant,
        /// The number of the copy, if there is one.
        number: Option<i64>,
    },
}

/// A new value of the copy, which the plugin is to take or to refuse.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The copy becomes this one.
    Replace {
        /// All of it.
        copy: &'a Copy,
        /// Its number.
        number: i64,
        /// The work that it comes from, if it was published and not asked for.
        workflow_id: Option<&'a WorkflowId<'static>>,
    },
    /// The copy changes by this.
    Apply {
        /// What changes.
        change: &'a Change,
        /// The number of the copy after it.
        number: i64,
        /// The work that it comes from.
        workflow_id: Option<&'a WorkflowId<'static>>,
    },
}

/// Takes a new value, or refuses it, because its model does not allow it. The copy is what was taken last.
pub type Accept<'a> = &'a mut dyn FnMut(&Event<'_>) -> Result<(), Failure>;

/// What a reader has done and seen, counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Changes that were applied.
    pub applied: u64,
    /// Times that the copy was replaced as a whole.
    pub replaced: u64,
    /// Updates that the copy had in it already.
    pub skipped: u64,
    /// Times that an update was found to be missing.
    pub gaps: u64,
    /// Requests for a snapshot; its parts count as one.
    pub asks: u64,
    /// Requests that failed.
    pub failed_asks: u64,
    /// Updates that were held back.
    pub held: u64,
    /// Updates that were held back and had to go, because there were too many.
    pub held_dropped: u64,
    /// Updates and snapshots whose digest says that they, or the copy, are not what they should be.
    pub bad_digest: u64,
    /// Updates of owners that are not the one that the replyer belongs to.
    pub other_owner: u64,
    /// New values that the plugin has refused.
    pub refused: u64,
    /// Snapshots that were larger than allowed, or whose parts did not fit together.
    pub bad_snapshots: u64,
}
