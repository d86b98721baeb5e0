//! What may happen in a schedule.

use std::time::Duration;

use crate::dice::Dice;

/// Who owns the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An owner of ours.
    Ours,
    /// Two owners of ours that publish on one link, one of which has the replyer.
    Two,
    /// One that knows neither epochs nor digests, and says 0 for the number of its snapshots.
    Python,
}

/// How often what happens: once in so many times, and never for 0.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) kind: Kind,
    pub(crate) readers: usize,
    pub(crate) acts: usize,
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    pub(crate) is_reordered: bool,
    pub(crate) corrupted: usize,
    pub(crate) unreadable: usize,
    pub(crate) replies_lost: usize,
    pub(crate) refused: usize,
    pub(crate) cut: usize,
    pub(crate) readers_restarted: usize,
    pub(crate) owner_restarted: usize,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) is_by_hand: bool,
    pub(crate) max_held: usize,
    pub(crate) max_reply_bytes: usize,
    /// Snapshots whose parts the owner still knows.
    pub(crate) snapshots_kept: usize,
}

impl Rules {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let kind = dice.pick(&[Kind::Ours, Kind::Ours, Kind::Ours, Kind::Two, Kind::Python]);
        let is_python = kind == Kind::Python;
        // A gentle network keeps the order, and the owner always answers: then each request has a reason.
        let is_gentle = dice.once_in(3);
        let mut some = |of: &[usize]| dice.pick(of);
        let mut rules = Self {
            kind,
            readers: some(&[1, 1, 2, 3]),
            acts: some(&[10, 20, 40]),
            lost: some(&[0, 3, 10, 30]),
            duplicated: some(&[0, 2, 10]),
            is_reordered: some(&[0, 1]) == 1,
            corrupted: some(&[0, 0, 10]),
            unreadable: some(&[0, 0, 2, 10]),
            replies_lost: some(&[0, 2, 5]),
            refused: some(&[0, 0, 5]),
            cut: some(&[0, 10, 30]),
            readers_restarted: some(&[0, 20]),
            owner_restarted: some(&[0, 10, 40]),
            heartbeat: [None, Some(Duration::from_millis(300))][some(&[0, 1])],
            is_by_hand: some(&[0, 0, 0, 1]) == 1,
            max_held: some(&[1, 2, 5, 1000]),
            max_reply_bytes: some(&[1 << 20, 1 << 20, 262]),
            snapshots_kept: some(&[1, 2, 1000]),
        };
        if rules.is_by_hand {
            // Such an owner sends none, whatever its readers believe.
            rules.heartbeat = None;
        }
        if is_gentle || is_python {
            (rules.is_reordered, rules.corrupted) = (false, 0);
        }
        if is_python {
            // What its numbers cannot tell cannot be found out.
            (rules.duplicated, rules.heartbeat, rules.is_by_hand) = (0, None, false);
        }
        if is_gentle {
            (rules.replies_lost, rules.refused, rules.max_held, rules.snapshots_kept) = (0, 0, 1000, 1000);
        }
        rules
    }

    /// Whether no request is without a loss, a cut or a start that it is for.
    pub(crate) fn is_gentle(&self) -> bool {
        let is_reliable = self.replies_lost == 0 && self.refused == 0 && self.corrupted == 0;
        let has_room = self.max_held >= 1000 && self.snapshots_kept >= 1000;
        self.kind == Kind::Ours && is_reliable && has_room && !self.is_reordered && !self.is_by_hand
    }

    /// Whether the copy is exact at every number. The snapshots of an owner in Python have none, so that a lost update may be in them already.
    pub(crate) fn is_exact(&self) -> bool {
        self.kind != Kind::Python || self.lost == 0
    }
}
