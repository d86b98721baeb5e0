//! Keeps account of calls: which wait for a connection, which for a reply, and until when. Does no IO.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::time::Instant;

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::CallError;
use super::budget::Budget;

/// The calls of one requester. `T` is what the caller left to be found again with the outcome.
pub(super) struct Correlation<T> {
    calls: HashMap<u64, Entry<T>, RandomState>,
    /// Of the calls, those not sent yet, in the order in which they were begun.
    waiting: BTreeMap<u64, Bytes>,
    /// Of the calls, those with a deadline, earliest first; and some that have ended, since taking each out would cost
    /// every call what only the late ones need.
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    /// Numbers start at 1 and are never used again, so that no late reply meets another call.
    last_number: u64,
    waiting_max: usize,
    /// For calls that may be sent once more when their connection is lost.
    again: Option<Budget>,
    phase: Phase,
}

/// How many deadlines of calls that have ended are kept beyond one for each call.
const ENDED_MAX: usize = 64;

struct Entry<T> {
    ticket: T,
    deadline: Option<Instant>,
    /// What is sent once more if the connection is lost, if it may be and was not yet.
    again: Option<Bytes>,
    /// Whether it was sent by a connection that is lost.
    was_sent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Disconnected,
    Connected,
    Closed,
}

/// What to do with a call that was begun.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// Send it now.
    Send(u64, Bytes),
    /// It is kept until there is a connection.
    Waits(u64),
}

/// Why a reply belongs to no call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Was {
    /// The call was answered, forgotten or past its deadline.
    Ended,
    /// There was no such call, or it was not sent.
    NeverSent,
}

impl<T> Correlation<T> {
    /// No calls, no connection. At most `waiting_max` calls wait for one. What was sent by a connection that is lost is sent once more by
    /// the next if the calls are `idempotent`, within a budget.
    pub(super) fn new(waiting_max: usize, idempotent: bool) -> Self {
        Self {
            calls: HashMap::default(),
            waiting: BTreeMap::new(),
            deadlines: BinaryHeap::new(),
            last_number: 0,
            waiting_max,
            again: idempotent.then(Budget::default),
            phase: Phase::Disconnected,
        }
    }

    /// Takes a call in.
    ///
    /// # Errors
    ///
    /// [`CallError::Full`] when too many wait, [`CallError::Closed`] when it is too late.
    pub(super) fn begin(
        &mut self,
        payload: Bytes,
        deadline: Option<Instant>,
        ticket: T,
    ) -> Result<Begun, CallError> {
        match self.phase {
            Phase::Closed => return Err(CallError::Closed),
            Phase::Disconnected if self.waiting.len() >= self.waiting_max => return Err(CallError::Full),
            Phase::Disconnected | Phase::Connected => {}
        }
        self.last_number += 1;
        let number = self.last_number;
        let again = self.again.as_mut().map(|budget| {
            budget.earn();
            payload.clone()
        });
        self.calls.insert(number, Entry { ticket, deadline, again, was_sent: false });
        if let Some(deadline) = deadline {
            self.keep_deadline(deadline, number);
        }
        if self.phase == Phase::Connected {
            return Ok(Begun::Send(number, payload));
        }
        self.waiting.insert(number, payload);
        Ok(Begun::Waits(number))
    }

    /// Takes a call back that was to be sent and could not be: the connection turned out to be gone. Gives it
    /// back with the reason if it cannot wait for the next: its payload is lost, or too many wait already.
    pub(super) fn put_back(&mut self, number: u64, payload: Option<Bytes>) -> Option<(T, CallError)> {
        if self.phase == Phase::Connected {
            self.phase = Phase::Disconnected;
        }
        let error = match payload {
            None => CallError::PeerLost,
            Some(_) if self.waiting.len() >= self.waiting_max => CallError::Full,
            Some(payload) => {
                if self.calls.contains_key(&number) {
                    self.waiting.insert(number, payload);
                }
                return None;
            }
        };
        self.forget(number).map(|ticket| (ticket, error))
    }

    /// There is a connection: what waits is to be sent, by [`next_waiting`](Self::next_waiting).
    pub(super) fn connected(&mut self) {
        if self.phase == Phase::Disconnected {
            self.phase = Phase::Connected;
        }
    }

    /// The next call to be sent after waiting, with its deadline; none while there is no connection.
    pub(super) fn next_waiting(&mut self) -> Option<(u64, Bytes, Option<Instant>)> {
        if self.phase != Phase::Connected {
            return None;
        }
        let (number, payload) = self.waiting.pop_first()?;
        let deadline = self.calls.get(&number).and_then(|entry| entry.deadline);
        Some((number, payload, deadline))
    }

    /// The connection is lost, and with it every call that was sent, but for those that may be sent once more: gives the lost ones back.
    pub(super) fn disconnected(&mut self) -> Vec<T> {
        if self.phase == Phase::Connected {
            self.phase = Phase::Disconnected;
        }
        let mut sent: Vec<u64> =
            self.calls.keys().copied().filter(|number| !self.waiting.contains_key(number)).collect();
        // Who has waited longest is tried again first.
        sent.sort_unstable();
        sent.retain(|number| !self.try_again(*number));
        sent.into_iter().filter_map(|number| self.forget(number)).collect()
    }

    /// Lets a call that was sent wait for the next connection, if it may.
    fn try_again(&mut self, number: u64) -> bool {
        let has_room = self.phase != Phase::Closed && self.waiting.len() < self.waiting_max;
        let Some(entry) = self.calls.get_mut(&number) else { return false };
        let may = has_room && entry.again.is_some() && self.again.as_mut().is_some_and(Budget::spend);
        let Some(payload) = entry.again.take_if(|_| may) else { return false };
        entry.was_sent = true;
        self.waiting.insert(number, payload);
        true
    }

    /// Whether any call was sent and waits for its reply.
    pub(super) fn has_sent(&self) -> bool {
        self.calls.len() > self.waiting.len()
    }

    /// A reply came: gives back the call that it belongs to.
    ///
    /// # Errors
    ///
    /// Why it belongs to none.
    pub(super) fn replied(&mut self, number: u64) -> Result<T, Was> {
        if number == 0 || number > self.last_number || self.waiting.contains_key(&number) {
            return Err(Was::NeverSent);
        }
        self.forget(number).ok_or(Was::Ended)
    }

    fn keep_deadline(&mut self, deadline: Instant, number: u64) {
        if self.deadlines.len() >= 2 * self.calls.len() + ENDED_MAX {
            self.deadlines.retain(|Reverse((_, number))| self.calls.contains_key(number));
        }
        self.deadlines.push(Reverse((deadline, number)));
    }

    /// When the next call runs out of time.
    pub(super) fn earliest_deadline(&mut self) -> Option<Instant> {
        self.earliest().map(|(deadline, _)| deadline)
    }

    fn earliest(&mut self) -> Option<(Instant, u64)> {
        loop {
            let Reverse(earliest) = *self.deadlines.peek()?;
            if self.calls.contains_key(&earliest.1) {
                return Some(earliest);
            }
            self.deadlines.pop();
        }
    }

    /// Gives back one call whose deadline has come, and whether it was sent.
    pub(super) fn expired(&mut self, now: Instant) -> Option<(T, bool)> {
        let (deadline, number) = self.earliest()?;
        if deadline > now {
            return None;
        }
        let was_sent_before = self.calls.get(&number).is_some_and(|entry| entry.was_sent);
        let was_sent = was_sent_before || !self.waiting.contains_key(&number);
        Some((self.forget(number)?, was_sent))
    }

    /// Lets a call go.
    pub(super) fn forget(&mut self, number: u64) -> Option<T> {
        let Entry { ticket, .. } = self.calls.remove(&number)?;
        self.waiting.remove(&number);
        Some(ticket)
    }

    /// Takes no more calls, and gives back all there are.
    pub(super) fn close(&mut self) -> Vec<T> {
        self.phase = Phase::Closed;
        self.waiting.clear();
        self.deadlines.clear();
        self.calls.drain().map(|(_, entry)| entry.ticket).collect()
    }
}

#[cfg(test)]
mod tests;
