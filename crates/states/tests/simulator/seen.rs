//! What happened in schedules.

use service_framework_states::delta::reader::Counts;

/// What happened in a schedule, or in many.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) published: u64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) corrupted: u64,
    pub(crate) unreadable: u64,
    pub(crate) cuts: u64,
    pub(crate) readers_restarted: u64,
    pub(crate) owners_restarted: u64,
    pub(crate) replies_lost: u64,
    pub(crate) parts: u64,
    pub(crate) joined: u64,
    pub(crate) python_synced: u64,
    pub(crate) failovers: u64,
    pub(crate) gentle: u64,
    pub(crate) checked_live: u64,
    pub(crate) stale: u64,
    pub(crate) applied: u64,
    pub(crate) replaced: u64,
    pub(crate) skipped: u64,
    pub(crate) gaps: u64,
    pub(crate) asks: u64,
    pub(crate) failed_asks: u64,
    pub(crate) held: u64,
    pub(crate) held_dropped: u64,
    pub(crate) bad_digest: u64,
    pub(crate) other_owner: u64,
    pub(crate) refused: u64,
    pub(crate) bad_snapshots: u64,
}

macro_rules! sums {
    ($($field:ident),*) => {
        pub(crate) fn add(&mut self, other: &Self) {
            $(self.$field += other.$field;)*
        }

        /// Whether nothing of it is rare.
        pub(crate) fn everything_happened(&self) -> bool {
            [$(self.$field),*].iter().all(|count| *count > 100)
        }
    };
}

impl Seen {
    sums!(
        published,
        lost,
        duplicated,
        corrupted,
        unreadable,
        cuts,
        readers_restarted,
        owners_restarted,
        replies_lost,
        parts,
        joined,
        python_synced,
        failovers,
        gentle,
        checked_live,
        stale,
        applied,
        replaced,
        skipped,
        gaps,
        asks,
        failed_asks,
        held,
        held_dropped,
        bad_digest,
        other_owner,
        refused,
        bad_snapshots
    );

    pub(crate) fn count(&mut self, counts: &Counts) {
        self.applied += counts.applied;
        self.replaced += counts.replaced;
        self.skipped += counts.skipped;
        self.gaps += counts.gaps;
        self.asks += counts.asks;
        self.failed_asks += counts.failed_asks;
        self.held += counts.held;
        self.held_dropped += counts.held_dropped;
        self.bad_digest += counts.bad_digest;
        self.other_owner += counts.other_owner;
        self.refused += counts.refused;
        self.bad_snapshots += counts.bad_snapshots;
    }
}
