//! The owner of a delta state: it numbers the updates, and holds the state that snapshots are taken of.

use std::time::{Duration, Instant};

use service_framework_core::value::Uuid;
use thiserror::Error;

use super::Snapshot;
use crate::copy::{Change, Copy};
use crate::message::Update;

/// The owner of a delta state, without a socket and without a clock.
///
/// What its methods give is to be sent to all readers, in that order, with the workflow id of the work that it is part of.
#[derive(Clone, Debug)]
pub struct Owner {
    epoch: Uuid,
    number: i64,
    copy: Copy,
    /// Whether the author numbers.
    is_by_hand: bool,
    /// None if heartbeats are off, be it because the author numbers.
    heartbeat: Option<Duration>,
    /// When the last update was sent.
    sent: Instant,
}

/// Why an update is not published. The state is then what it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no number above the last one.
    #[error("the update has no number: the last one was {}, the highest there is", i64::MAX)]
    NoNumberLeft,
    /// The author has given a change a number that readers would pass over.
    #[error("the change has the number {number}, and must have one above {last}, or be a snapshot")]
    NotAbove {
        /// The number given.
        number: i64,
        /// The number of the last update.
        last: i64,
    },
}

/// What an update of the author's own number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Some entries.
    Change,
    /// All of them.
    Snapshot,
}

impl Owner {
    /// An owner that has just started, with an empty state.
    ///
    /// The epoch is of this start alone. So is the first number, if it is the microseconds since 1970: readers that
    /// know nothing of epochs then see a gap. An update that changes nothing is sent whenever none was for `heartbeat`.
    pub fn new(epoch: Uuid, first_number: i64, heartbeat: Option<Duration>, now: Instant) -> Self {
        Self { epoch, number: first_number, copy: Copy::new(), is_by_hand: false, heartbeat, sent: now }
    }

    /// Publishes a change. Nulls for keys that the state does not have are left out of it.
    ///
    /// # Errors
    ///
    /// [`Error::NoNumberLeft`].
    pub fn update(&mut self, change: Change, now: Instant) -> Result<Update, Error> {
        let number = self.next_number()?;
        let change = change.without_idle_nulls(&self.copy);
        self.copy.apply(&change);
        Ok(self.publish(number, Kind::Change, change, now))
    }

    /// Publishes the whole state, in the place of all that was there. Nulls are left out of it.
    ///
    /// # Errors
    ///
    /// [`Error::NoNumberLeft`].
    pub fn set(&mut self, state: Change, now: Instant) -> Result<Update, Error> {
        let number = self.next_number()?;
        Ok(self.publish_whole(number, state, now))
    }

    /// Publishes an update by the author's own number. There are no more heartbeats from now on: each would take one of those numbers.
    ///
    /// A snapshot may have any number, and so may the first update: if it is not above the last number, it begins a new epoch, so that readers do not take it for an
    /// old one; and a change is then published with all that it leads to, since readers in Python take any number of a snapshot alone.
    ///
    /// # Errors
    ///
    /// [`Error::NotAbove`] for a change that is not the first update by hand.
    pub fn update_by_hand(
        &mut self,
        number: i64,
        kind: Kind,
        state: Change,
        now: Instant,
    ) -> Result<Update, Error> {
        let is_above = number > self.number;
        if !is_above {
            if kind == Kind::Change && self.is_by_hand {
                return Err(Error::NotAbove { number, last: self.number });
            }
            self.epoch = Uuid::from_u128(self.epoch.as_u128().wrapping_add(1));
        }
        (self.heartbeat, self.is_by_hand) = (None, true);
        if kind == Kind::Snapshot {
            return Ok(self.publish_whole(number, state, now));
        }
        let change = state.without_idle_nulls(&self.copy);
        self.copy.apply(&change);
        Ok(match is_above {
            true => self.publish(number, kind, change, now),
            false => self.publish(number, Kind::Snapshot, Change::whole(&self.copy), now),
        })
    }

    /// An update that changes nothing, if it is time for one: readers notice by it that the last one was lost, or that the owner is.
    pub fn heartbeat(&mut self, now: Instant) -> Option<Update> {
        self.next_wake().filter(|at| *at <= now)?;
        let number = self.next_number().ok()?;
        (self.number, self.sent) = (number, now);
        Some(self.latest(Kind::Change, Change::none()))
    }

    /// When [`heartbeat`](Self::heartbeat) is to be called next.
    pub fn next_wake(&self) -> Option<Instant> {
        // Without a number there is nothing to send.
        let heartbeat = self.heartbeat.filter(|_| self.number < i64::MAX)?;
        self.sent.checked_add(heartbeat)
    }

    /// The state as it is now, to be encoded anywhere.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            epoch: self.epoch,
            number: self.number,
            heartbeat: self.heartbeat,
            copy: self.copy.clone(),
        }
    }

    /// The state as it is now.
    pub fn copy(&self) -> &Copy {
        &self.copy
    }

    /// The number of the last update.
    pub fn number(&self) -> i64 {
        self.number
    }

    /// The start that its updates are of.
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    fn next_number(&self) -> Result<i64, Error> {
        self.number.checked_add(1).ok_or(Error::NoNumberLeft)
    }

    fn publish_whole(&mut self, number: i64, state: Change, now: Instant) -> Update {
        let state = state.without_idle_nulls(&Copy::new());
        self.copy = Copy::of(&state);
        self.publish(number, Kind::Snapshot, state, now)
    }

    fn publish(&mut self, number: i64, kind: Kind, state: Change, now: Instant) -> Update {
        (self.number, self.sent) = (number, now);
        self.latest(kind, state)
    }

    fn latest(&self, kind: Kind, state: Change) -> Update {
        Update {
            number: self.number,
            is_snapshot: kind == Kind::Snapshot,
            state,
            epoch: Some(self.epoch),
            digest: Some(self.copy.digest()),
            workflow_id: None,
        }
    }
}
