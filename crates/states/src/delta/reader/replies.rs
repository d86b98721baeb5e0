//! What a reader makes of a reply to its request for a snapshot.

use std::time::Instant;

use super::asking::Asked;
use super::parts::{Joined, Next, Parts, Whole};
use super::{Accept, Event, MAX_OWNERS, Output, Reader, Status};
use crate::message::SnapshotReply;

impl Reader {
    /// The owner's replyer has answered. Without a request in flight it is passed over.
    pub fn reply(&mut self, reply: &SnapshotReply, now: Instant, accept: Accept<'_>) {
        let Some(asked) = self.asking.end(now) else { return };
        if let Some(whole) = self.collect(reply, asked) {
            self.take_whole(whole, asked, now, accept);
        }
        self.settle(now);
    }

    /// The parts of a snapshot are put together, as was [wanted](super::Output::Join).
    pub fn joined(&mut self, joined: Joined, now: Instant, accept: Accept<'_>) {
        let Some(asked) = self.asking.end(now) else { return };
        match joined {
            Joined(Some(whole)) => self.take_whole(whole, asked, now, accept),
            Joined(None) => self.counts.bad_snapshots += 1,
        }
        self.settle(now);
    }

    /// The whole snapshot, if this is one. Asks for the next part if not, or has all of them put together.
    fn collect(&mut self, reply: &SnapshotReply, asked: Asked) -> Option<Whole> {
        let max_bytes = self.settings.max_snapshot_bytes;
        let Some(part) = reply.part.filter(|part| part.count > 1) else {
            self.parts = None;
            let fits = reply.state.memory_bytes() <= max_bytes;
            self.counts.bad_snapshots += u64::from(!fits);
            return fits.then(|| Whole::of(reply));
        };
        match Parts::add(&mut self.parts, reply, part, max_bytes) {
            Next::Ask(part) => {
                self.asking.go_on(asked);
                self.ask(Some(part));
            }
            Next::Join(parts) => {
                self.asking.go_on(asked);
                self.outputs.push_back(Output::Join(parts));
            }
            Next::Again => self.counts.bad_snapshots += 1,
        }
        None
    }

    /// A snapshot has arrived whole.
    fn take_whole(&mut self, whole: Whole, asked: Asked, now: Instant, accept: Accept<'_>) {
        if !self.is_right(whole.digest, whole.copy.digest()) {
            return;
        }
        if whole.epoch.is_some() {
            self.heartbeat = whole.heartbeat;
            // One that has said that it may be silent is none.
            self.is_silent &= whole.heartbeat.is_some() || self.settings.patience.is_some();
        }
        let is_other = self.holding.as_ref().is_some_and(|holding| holding.owner != whole.epoch);
        self.judge(whole, asked, now, accept);
        let is_live = self.assess() == Status::Live;
        let had_unread = is_live && std::mem::take(&mut self.has_unread);
        // Two owners that answer in turns would otherwise be followed at full speed, as would one whose updates cannot be read.
        if is_live && !is_other && !had_unread {
            self.asking.succeeded(now);
        }
    }

    /// Makes use of a snapshot.
    fn judge(&mut self, whole: Whole, asked: Asked, now: Instant, accept: Accept<'_>) {
        // What was answered before the link was up says nothing of updates that were published in between.
        let is_sure = asked.link.is_some() && asked.link == self.link.life();
        let owner = self.holding.as_ref().map(|holding| holding.owner);
        match whole.epoch {
            None => self.judge_python(whole, asked, now, accept),
            Some(_) if owner == Some(whole.epoch) => {
                self.refuse_others(if asked.owner == owner { asked.doubts } else { 0 });
                self.catch_up(whole, asked, accept);
                self.is_unsure &= !is_sure;
            }
            // Meanwhile an owner in Python has published its whole state; whether it is newer, the next reply says.
            Some(_) if asked.owner != owner => {
                if !self.doubts.contains(&whole.epoch) {
                    self.doubts.push(whole.epoch);
                }
            }
            Some(_) => {
                let Whole { copy, number, epoch, .. } = whole;
                let event = Event::Replace { copy: &copy, number, workflow_id: None };
                if self.is_accepted(&event, accept) {
                    self.is_unsure = !is_sure;
                    self.adopt(copy, number, epoch, asked.doubts, now, accept);
                } else {
                    self.lose();
                }
            }
        }
    }

    /// A snapshot of the owner that the copy is of.
    fn catch_up(&mut self, whole: Whole, asked: Asked, accept: Accept<'_>) {
        let Some(holding) = &mut self.holding else { return };
        if asked.owner == Some(holding.owner) && asked.seen.is_some_and(|seen| seen > whole.number) {
            // A snapshot has all in it that was published before it was asked for: what claimed a higher number was not the owner's.
            holding.seen = holding.number.max(whole.number);
            let owner = holding.owner;
            self.held.forget(owner);
        }
        let is_same = whole.number == holding.number && whole.copy.digest() == holding.copy.digest();
        if whole.number < holding.number || is_same {
            holding.is_lost &= !is_same;
            return;
        }
        holding.seen = holding.seen.max(whole.number);
        let Whole { copy, number, .. } = whole;
        if !self.is_accepted(&Event::Replace { copy: &copy, number, workflow_id: None }, accept) {
            return;
        }
        if let Some(holding) = &mut self.holding {
            (holding.copy, holding.number, holding.is_lost) = (copy, number, false);
            self.counts.replaced += 1;
        }
        self.drain(accept);
    }

    /// A snapshot of an owner in Python, which does not say what number it has. It is of use only with updates that were held since before the request:
    /// it has the first of those in it, so that they may be applied all, one over the other.
    fn judge_python(&mut self, whole: Whole, asked: Asked, now: Instant, accept: Accept<'_>) {
        let first = self.held.first(None).map(i128::from);
        let is_based =
            asked.base.is_some_and(|base| first.is_some_and(|first| first <= i128::from(base) + 1));
        if !is_based {
            self.awaits_update = self.held.first(None).is_none();
            // If the copy is of another owner, that one is gone.
            if self.epoch().is_some() {
                self.lose();
            }
            return;
        }
        let mut copy = whole.copy;
        let mut number = 0;
        for update in self.held.of(None) {
            copy.apply(&update.state);
            number = update.number;
        }
        if self.is_accepted(&Event::Replace { copy: &copy, number, workflow_id: None }, accept) {
            self.is_unsure = !self.link.is_up;
            self.held.forget(None);
            self.adopt(copy, number, None, asked.doubts, now, accept);
        } else {
            self.lose();
        }
    }

    /// The copy is of no owner any more.
    pub(super) fn lose(&mut self) {
        if let Some(holding) = &mut self.holding {
            holding.is_lost = true;
        }
    }

    /// The replyer belongs to the owner that the copy is of, and not to those that were doubted when it was asked.
    fn refuse_others(&mut self, doubts: usize) {
        for stranger in self.doubts.drain(..doubts.min(self.doubts.len())) {
            self.counts.other_owner += self.held.forget(stranger);
            if self.strangers.len() == MAX_OWNERS {
                self.strangers.pop_front();
            }
            self.strangers.push_back(stranger);
        }
    }
}
