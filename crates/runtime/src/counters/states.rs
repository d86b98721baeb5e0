//! What is told of a state: how its copy stands, what has come and what was missed.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use service_framework_connections::{Counters as SocketCounters, Told};
use service_framework_core::declaration::StateKind;
use service_framework_states::delta::reader::{Counts, Status};
use service_framework_states::news::Figures;

use super::ConnectionCounters;
use crate::states::Owned;

/// The counters of one state at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateCounters {
    /// Its type.
    pub kind: StateKind,
    /// How its copy stands, and for how long it has; `None` for what the service owns.
    pub status: Option<(Status, Duration)>,
    /// The number of the value; `None` if there is none, and for full states.
    pub number: Option<i64>,
    /// By how many updates its owner is known to be ahead.
    pub lag: u64,
    /// How many entries the value has; 0 for full states.
    pub entries: usize,
    /// What has become of updates, by the copy.
    pub counts: Counts,
    /// Messages that were no updates.
    pub unreadable: u64,
    /// Why the whole was asked for in vain the last time; `None` since it was answered.
    pub in_vain: Option<Arc<str>>,
    /// The socket by which its updates go, and its handler.
    pub updates: ConnectionCounters,
    /// Requests for the whole: those sent by a copy, or those that came to the owner.
    pub snapshots: u64,
    /// The socket by which these go; `None` for full states, which have none.
    pub snapshot_socket: Option<ConnectionCounters>,
}

/// Where the figures of a state come from.
pub(crate) struct StateSource {
    pub(crate) owned: Option<Owned>,
    pub(crate) figures: Option<Arc<Mutex<Figures>>>,
    pub(crate) updates: Arc<SocketCounters>,
    pub(crate) snapshots: Option<Arc<SocketCounters>>,
}

/// The counters of one state.
pub(crate) struct StateEntry {
    kind: StateKind,
    source: Mutex<Option<StateSource>>,
}

impl std::fmt::Debug for StateEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StateEntry").field(&self.kind).finish()
    }
}

impl StateEntry {
    pub(super) fn new(kind: StateKind) -> Self {
        Self { kind, source: Mutex::default() }
    }

    pub(super) fn watch(&self, source: StateSource) {
        *self.source.lock() = Some(source);
    }

    /// What counts of the socket by which the whole is asked for.
    pub(super) fn snapshots(&self) -> Option<Arc<SocketCounters>> {
        self.source.lock().as_ref().and_then(|source| source.snapshots.clone())
    }

    pub(super) fn read(&self, updates: ConnectionCounters, told: Told) -> StateCounters {
        let mut counters = StateCounters {
            kind: self.kind,
            status: None,
            number: None,
            lag: 0,
            entries: 0,
            counts: Counts::default(),
            unreadable: 0,
            in_vain: None,
            updates,
            snapshots: 0,
            snapshot_socket: None,
        };
        let source = self.source.lock();
        let Some(StateSource { owned, figures, snapshots, .. }) = &*source else { return counters };
        if let Some(figures) = figures {
            let figures = figures.lock().clone();
            counters.status = Some((figures.standing.status, figures.standing.since.elapsed()));
            counters.number = figures.standing.number;
            (counters.lag, counters.entries) = (figures.lag, figures.entries);
            (counters.counts, counters.unreadable) = (figures.counts, figures.unreadable);
            counters.in_vain = figures.in_vain;
        }
        if let Some(Owned::Delta(owner)) = owned {
            let snapshot = owner.snapshot();
            (counters.number, counters.entries) = (Some(snapshot.number), snapshot.copy.len());
        }
        if let Some(snapshots) = snapshots {
            let counts = snapshots.counts();
            counters.snapshots = if self.kind.is_in() { counts.messages_out } else { counts.messages_in };
            counters.snapshot_socket = Some(ConnectionCounters::of(&counts, told));
        }
        counters
    }
}

impl StateCounters {
    /// As JSON, with that of its sockets, as `socket` gives it. Times are in milliseconds.
    pub(super) fn to_json(
        &self,
        socket: impl Fn(&ConnectionCounters) -> serde_json::Value,
    ) -> serde_json::Value {
        let mut json = serde_json::json!({
            "type": self.kind.name(),
            "number": self.number,
            "entries": self.entries,
            "snapshots": self.snapshots,
            "updates": socket(&self.updates),
        });
        if let Some(snapshots) = &self.snapshot_socket {
            json["snapshot_socket"] = socket(snapshots);
        }
        if let Some((status, since)) = self.status {
            let counts = &self.counts;
            json["status"] = format!("{status:?}").to_lowercase().into();
            json["status_since_ms"] = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).into();
            json["lag"] = self.lag.into();
            json["applied"] = counts.applied.into();
            json["replaced"] = counts.replaced.into();
            json["skipped"] = counts.skipped.into();
            json["gaps"] = counts.gaps.into();
            json["resyncs"] = counts.asks.into();
            json["failed_resyncs"] = counts.failed_asks.into();
            json["held_dropped"] = counts.held_dropped.into();
            json["bad_digest"] = counts.bad_digest.into();
            json["bad_snapshots"] = counts.bad_snapshots.into();
            json["other_owner"] = counts.other_owner.into();
            json["refused"] = counts.refused.into();
            json["unreadable"] = self.unreadable.into();
            if let Some(why) = &self.in_vain {
                json["resync_failure"] = (**why).into();
            }
        }
        json
    }
}
