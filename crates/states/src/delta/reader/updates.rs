//! What a reader makes of an update that arrives.

use std::time::Instant;

use service_framework_core::value::Uuid;

use super::{Accept, Event, Holding, MAX_OWNERS, Reader};
use crate::copy::Copy;
use crate::message::Update;

impl Reader {
    /// An update has arrived by the link.
    pub fn update(&mut self, update: Update, now: Instant, accept: Accept<'_>) {
        match self.holding.as_ref().map(|holding| holding.owner) {
            None if update.is_snapshot && update.epoch.is_none() => self.begin_with(&update, now, accept),
            // Even if it is the whole state: it may be a stranger's, and the replyer says whose the state is.
            None => self.doubt(update, now),
            Some(owner) if owner != update.epoch => self.doubt(update, now),
            Some(Some(_)) => self.follow(update, now, accept),
            Some(None) => self.follow_python(update, now, accept),
        }
        self.settle(now);
    }

    /// Nothing is there yet, and the whole state of an owner in Python has come, whose replyer could not say that it is its own.
    fn begin_with(&mut self, update: &Update, now: Instant, accept: Accept<'_>) {
        let copy = Copy::of(&update.state);
        // Whether it is taken or not: what came before it is over.
        self.forget_python();
        if !self.is_right(update.digest, copy.digest()) {
            return;
        }
        let Update { number, ref workflow_id, .. } = *update;
        let event = Event::Replace { copy: &copy, number, workflow_id: workflow_id.as_ref() };
        if self.is_accepted(&event, accept) {
            self.is_unsure = !self.link.is_up;
            self.adopt(copy, number, None, 0, now, accept);
        }
    }

    /// An update of the owner that the copy is of, which is one of ours.
    fn follow(&mut self, update: Update, now: Instant, accept: Accept<'_>) {
        let Some(holding) = &mut self.holding else { return };
        (self.heard, self.is_silent) = (now, false);
        let ahead = i128::from(update.number) - i128::from(holding.number);
        if ahead <= 0 {
            self.counts.skipped += 1;
            return;
        }
        let was_behind = holding.is_behind();
        holding.seen = holding.seen.max(update.number);
        if ahead > 1 && !update.is_snapshot {
            self.counts.gaps += u64::from(!was_behind);
            self.hold(update, now);
        } else if self.apply_arrived(&update, accept) {
            self.drain(accept);
        }
    }

    /// Applies an update that has arrived just now.
    fn apply_arrived(&mut self, update: &Update, accept: Accept<'_>) -> bool {
        let is_applied = self.apply(update, accept);
        // Whatever was missed while the link was down would be missing now; what was thrown away would not.
        self.is_unsure &= !(is_applied && self.link.is_up && !self.has_missed);
        is_applied
    }

    /// An update of the owner that the copy is of, which is in Python: only its numbers tell that it has started again.
    fn follow_python(&mut self, update: Update, now: Instant, accept: Accept<'_>) {
        (self.heard, self.is_silent) = (now, false);
        let Some(holding) = &self.holding else { return };
        let is_lost = holding.is_lost;
        let ahead = i128::from(update.number) - i128::from(holding.number);
        if update.is_snapshot {
            self.forget_python();
            self.apply_arrived(&update, accept);
        } else if self.is_unsure || is_lost {
            self.hold(update, now);
        } else if ahead == 1 {
            self.old_number = None;
            self.holding.iter_mut().for_each(|holding| holding.seen = update.number);
            self.apply_arrived(&update, accept);
        } else if ahead <= 0 && !self.has_gone_back(update.number) {
            self.counts.skipped += 1;
        } else {
            self.lose();
            self.counts.gaps += 1;
            self.hold(update, now);
        }
    }

    /// Whether an owner in Python has started again, which only its numbers tell: one old update may have come late or twice, but two in a row go on from
    /// another beginning.
    fn has_gone_back(&mut self, number: i64) -> bool {
        let before = self.old_number.replace(number);
        before.is_some_and(|before| before.checked_add(1) == Some(number))
    }

    /// An update of another owner than the one that the copy is of, if there is a copy: the state's owner has started again, or there are two. Without a copy, it is
    /// of an owner that the replyer has not confirmed yet.
    fn doubt(&mut self, update: Update, now: Instant) {
        if self.strangers.contains(&update.epoch) {
            self.counts.other_owner += 1;
            self.has_missed = true;
            return;
        }
        if !self.doubts.contains(&update.epoch) {
            if self.doubts.len() == MAX_OWNERS {
                self.counts.other_owner += 1;
                self.has_missed = true;
                return;
            }
            self.doubts.push(update.epoch);
        }
        self.hold(update, now);
    }

    /// Keeps an update until it is known what it follows.
    pub(super) fn hold(&mut self, update: Update, now: Instant) {
        if update.epoch.is_none() && !self.goes_on(&update, now) {
            self.counts.skipped += 1;
            return;
        }
        self.counts.held += 1;
        let dropped = self.held.push(update);
        self.counts.held_dropped += dropped;
        self.has_missed |= dropped > 0;
    }

    /// Makes sure that what is held of an owner in Python has no gap in it, so that it may be applied to a snapshot without a number.
    fn goes_on(&mut self, update: &Update, now: Instant) -> bool {
        match self.held.last(None).map(|last| i128::from(update.number) - i128::from(last)) {
            Some(0) => return false,
            Some(1) => {}
            Some(_) => self.forget_python(),
            None => {
                if std::mem::take(&mut self.awaits_update) {
                    self.asking.at_once(now);
                }
            }
        }
        true
    }

    /// Applies an update that follows what is held, or replaces it; says whether it did.
    pub(super) fn apply(&mut self, update: &Update, accept: Accept<'_>) -> bool {
        let Some(holding) = &self.holding else { return false };
        let Update { number, ref state, ref workflow_id, .. } = *update;
        let workflow_id = workflow_id.as_ref();
        let whole = update.is_snapshot.then(|| Copy::of(state));
        let digest = whole.as_ref().map_or_else(|| holding.copy.digest_after(state), Copy::digest);
        let event = match &whole {
            Some(copy) => Event::Replace { copy, number, workflow_id },
            None => Event::Apply { change: state, number, workflow_id },
        };
        if !self.is_right(update.digest, digest) || !self.is_accepted(&event, accept) {
            // An owner in Python cannot be followed by its numbers any more.
            self.holding.as_mut().into_iter().for_each(|holding| holding.is_lost |= holding.owner.is_none());
            return false;
        }
        let Some(holding) = &mut self.holding else { return false };
        match whole {
            Some(copy) => {
                holding.copy = copy;
                self.counts.replaced += 1;
            }
            None => {
                holding.copy.apply(state);
                self.counts.applied += 1;
            }
        }
        holding.number = number;
        holding.is_lost = false;
        if holding.owner.is_none() {
            holding.seen = number;
        }
        true
    }

    /// Applies all that is held and follows, and forgets what the copy has in it then.
    pub(super) fn drain(&mut self, accept: Accept<'_>) {
        while let Some(Holding { owner, number, .. }) = self.holding {
            let Some(next) = self.held.take_next(owner, number) else { break };
            if !self.apply(&next, accept) {
                break;
            }
        }
    }

    /// Takes a copy of an owner that may be another one than before, with all that is held and follows. The replyer was found not to belong to
    /// so many of those in doubt.
    pub(super) fn adopt(
        &mut self,
        copy: Copy,
        number: i64,
        owner: Option<Uuid>,
        judged: usize,
        now: Instant,
        accept: Accept<'_>,
    ) {
        let highest = self.held.last(owner);
        let seen = highest.filter(|_| owner.is_some()).map_or(number, |highest| highest.max(number));
        self.holding = Some(Holding { copy, number, owner, seen, is_lost: false });
        self.counts.replaced += 1;
        self.strangers.retain(|stranger| *stranger != owner);
        self.doubts.drain(..judged.min(self.doubts.len()));
        self.doubts.retain(|doubted| *doubted != owner);
        (self.heard, self.is_silent, self.awaits_update) = (now, false, false);
        let doubts = &self.doubts;
        self.held.forget_all_but(|other| other == owner || doubts.contains(&other));
        self.drain(accept);
        if self.has_missed && owner.is_some() {
            self.is_unsure = true;
            self.asking.distrust();
        }
    }

    /// Whether a digest is the one that it should be.
    pub(super) fn is_right(&mut self, told: Option<u64>, found: u64) -> bool {
        let is_right = told.is_none_or(|told| told == found);
        self.counts.bad_digest += u64::from(!is_right);
        is_right
    }

    /// Whether the plugin takes a new value.
    pub(super) fn is_accepted(&mut self, event: &Event<'_>, accept: Accept<'_>) -> bool {
        let is_accepted = accept(event).is_ok();
        self.counts.refused += u64::from(!is_accepted);
        is_accepted
    }
}
