//! The owner's side: what it publishes, what its state was at each number, and how it answers.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Instant;

use service_framework_core::value::Uuid;
use service_framework_core::wire::Limits;
use service_framework_states::delta::Owner;
use service_framework_states::delta::owner::Kind as Update_;
use service_framework_states::{Copy, SnapshotReply, SnapshotRequest, Update};

use crate::dice::Dice;
use crate::model::{Edit, Model, change_of, edit, whole};
use crate::rules::{Kind, Rules};

/// An owner, and the whole truth about it.
pub(crate) struct Owning {
    /// None if it is in Python.
    pub(crate) ours: Option<Owner>,
    pub(crate) number: i64,
    pub(crate) model: Model,
    /// What the state was, by epoch and number.
    history: HashMap<(Option<Uuid>, i64), Rc<Model>>,
    /// Snapshots that were answered in parts.
    parts: VecDeque<(Uuid, i64, Vec<Vec<u8>>)>,
}

impl Owning {
    pub(crate) fn new(rules: &Rules, dice: &mut Dice, now: Instant) -> Self {
        let is_python = rules.kind == Kind::Python;
        let number = if is_python { 0 } else { dice.pick(&[-3, 1_000, 1 << 50]) };
        let epoch = Uuid::from_u128((u128::from(dice.roll()) << 64) | u128::from(dice.roll()));
        let ours = if is_python { None } else { Some(Owner::new(epoch, number, rules.heartbeat, now)) };
        let (model, history, parts) = Default::default();
        let mut owning = Self { ours, number, model, history, parts };
        owning.remember();
        owning
    }

    /// It has stopped and started again: it knows nothing any more, but what its state once was stays true.
    pub(crate) fn restart(&mut self, rules: &Rules, dice: &mut Dice, now: Instant) {
        let mut next = Self::new(rules, dice, now);
        if let (Some(ours), Some(next_owner)) = (&self.ours, &mut next.ours) {
            // Time goes on: later starts have higher first numbers.
            let number = ours.number().saturating_add(1 + dice.below(1_000) as i64);
            *next_owner = Owner::new(next_owner.epoch(), number, rules.heartbeat, now);
            next.number = number;
            next.history = std::mem::take(&mut self.history);
            next.remember();
        }
        *self = next;
    }

    /// What the state was at that number; none if it never had it.
    pub(crate) fn at(&self, epoch: Option<Uuid>, number: i64) -> Option<&Model> {
        self.history.get(&(epoch, number)).map(|model| &**model)
    }

    fn remember(&mut self) {
        let epoch = self.ours.as_ref().map(Owner::epoch);
        self.history.insert((epoch, self.number), Rc::new(self.model.clone()));
    }

    /// Publishes something.
    pub(crate) fn act(&mut self, rules: &Rules, dice: &mut Dice, now: Instant) -> Update {
        let mut change: Edit = (0..dice.below(4)).map(|_| any_entry(dice)).collect();
        let is_snapshot = dice.once_in(8);
        if is_snapshot {
            self.model = (0..dice.below(20)).map(|_| (letter(dice), dice.roll() as u32)).collect();
        } else {
            if self.ours.is_none() {
                // A reader in Python dies of the others.
                change.retain(|key, value| value.is_some() || self.model.contains_key(key));
            }
            edit(&mut self.model, &change);
        }
        let state = change_of(&if is_snapshot { whole(&self.model) } else { change });
        let update = match &mut self.ours {
            None => {
                let number = self.number + 1;
                Update { number, is_snapshot, state, epoch: None, digest: None, workflow_id: None }
            }
            Some(owner) if rules.is_by_hand => {
                let kind = if is_snapshot { Update_::Snapshot } else { Update_::Change };
                let step = match is_snapshot {
                    true => dice.pick(&[-5, 0, 1, 1, 7]),
                    false => dice.pick(&[1, 1, 1, 1, 1, 3]),
                };
                owner.update_by_hand(self.number + step, kind, state, now).unwrap()
            }
            Some(owner) if is_snapshot => owner.set(state, now).unwrap(),
            Some(owner) => owner.update(state, now).unwrap(),
        };
        self.number = update.number;
        self.remember();
        update
    }

    /// The heartbeat that is due, if one is.
    pub(crate) fn heartbeat(&mut self, now: Instant) -> Option<Update> {
        let update = self.ours.as_mut()?.heartbeat(now)?;
        self.number = update.number;
        self.remember();
        Some(update)
    }

    /// The reply to a request.
    pub(crate) fn answer(&mut self, request: &[u8], rules: &Rules) -> Vec<u8> {
        let request = SnapshotRequest::read(request, &Limits::default()).unwrap();
        let Some(owner) = &self.ours else {
            let state = Copy::of(&change_of(&whole(&self.model)));
            let reply =
                SnapshotReply { state, number: 0, epoch: None, digest: None, heartbeat: None, part: None };
            return reply.write();
        };
        if let Some(wanted) = request.part
            && let Some((_, _, parts)) =
                self.parts.iter().find(|kept| (kept.0, kept.1) == (owner.epoch(), wanted.number))
            && let Some(part) = parts.get(wanted.index as usize)
        {
            return part.clone();
        }
        let snapshot = owner.snapshot();
        let max_bytes = request.since.map_or(usize::MAX, |since| since.max_bytes as usize);
        let parts = snapshot.encode_parts(max_bytes);
        assert!(parts.iter().all(|part| part.len() <= max_bytes), "no part is longer than is taken");
        let first = parts[0].clone();
        self.parts.push_back((snapshot.epoch, snapshot.number, parts));
        if self.parts.len() > rules.snapshots_kept {
            self.parts.pop_front();
        }
        first
    }
}

fn letter(dice: &mut Dice) -> u8 {
    b'a' + dice.below(20) as u8
}

fn any_entry(dice: &mut Dice) -> (u8, Option<u32>) {
    (letter(dice), if dice.once_in(3) { None } else { Some(dice.roll() as u32) })
}
