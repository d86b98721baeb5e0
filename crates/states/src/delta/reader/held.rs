//! Updates that are held back until it is known what they follow, within bounds.

use std::collections::VecDeque;

use service_framework_core::value::Uuid;

use crate::message::Update;

/// Updates of any owners, in the order that they came in.
#[derive(Debug)]
pub(super) struct Held {
    updates: VecDeque<Update>,
    size_bytes: usize,
    max_updates: usize,
    max_bytes: usize,
}

impl Held {
    pub(super) fn new(max_updates: usize, max_bytes: usize) -> Self {
        Self { updates: VecDeque::new(), size_bytes: 0, max_updates, max_bytes }
    }

    /// Keeps an update; gives how many of the oldest had to go for it.
    pub(super) fn push(&mut self, update: Update) -> u64 {
        self.size_bytes += size_of(&update);
        self.updates.push_back(update);
        let mut dropped = 0;
        while self.updates.len() > self.max_updates || self.size_bytes > self.max_bytes {
            let Some(oldest) = self.updates.pop_front() else { break };
            self.size_bytes -= size_of(&oldest);
            dropped += 1;
        }
        dropped
    }

    /// Takes out what can be applied to a copy of that owner at that number: the next change, or a later snapshot.
    pub(super) fn take_next(&mut self, owner: Option<Uuid>, number: i64) -> Option<Update> {
        let follows = |update: &Update| {
            let ahead = i128::from(update.number) - i128::from(number);
            update.epoch == owner && (ahead == 1 || ahead > 1 && update.is_snapshot)
        };
        let place = self.updates.iter().position(follows)?;
        let update = self.updates.remove(place)?;
        self.size_bytes -= size_of(&update);
        Some(update)
    }

    /// Keeps those alone for which `is_kept`; gives how many went.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&Update) -> bool) -> u64 {
        let before = self.updates.len();
        self.updates.retain(is_kept);
        self.size_bytes = self.updates.iter().map(size_of).sum();
        (before - self.updates.len()) as u64
    }

    /// Those of one owner, in the order that they came in.
    pub(super) fn of(&self, owner: Option<Uuid>) -> impl DoubleEndedIterator<Item = &Update> {
        self.updates.iter().filter(move |update| update.epoch == owner)
    }
}

/// About what an update takes in memory.
fn size_of(update: &Update) -> usize {
    const ENTRY_BYTES: usize = 48;
    std::mem::size_of::<Update>() + update.state.size_bytes() + ENTRY_BYTES * update.state.len()
}
