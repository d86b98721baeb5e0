//! Updates that are held back until it is known what they follow, within bounds.

use std::collections::btree_set::Range;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use service_framework_core::value::Uuid;

use crate::message::Update;

/// What an update that is held says of itself.
pub(super) trait Numbered {
    /// The start of its owner; none if that is in Python.
    fn owner(&self) -> Option<Uuid>;
    fn number(&self) -> i64;
    fn is_whole(&self) -> bool;
    /// About what it takes in memory.
    fn size_bytes(&self) -> usize;
}

/// Updates of any owners.
///
/// Each call costs the logarithm of how many are held, and as much again for each that it takes out: it is made after every update, on the
/// service's thread, and there may be 100,000 of an owner that nobody follows.
#[derive(Debug)]
pub(super) struct Held<U> {
    /// All, in the order that they came in.
    updates: BTreeMap<u64, Kept<U>>,
    /// The same by owner and number.
    places: BTreeSet<Place>,
    /// Those that are the whole state of their owner.
    wholes: BTreeSet<(Option<Uuid>, u64)>,
    arrivals: u64,
    size_bytes: usize,
    max_updates: usize,
    max_bytes: usize,
}

/// Its owner, its number, and as the how manieth it came in: there may be several of one number.
type Place = (Option<Uuid>, i64, u64);

#[derive(Debug)]
struct Kept<U> {
    update: U,
    place: Place,
    size_bytes: usize,
}

impl<U: Numbered> Held<U> {
    pub(super) fn new(max_updates: usize, max_bytes: usize) -> Self {
        let (updates, places, wholes) = Default::default();
        Self { updates, places, wholes, arrivals: 0, size_bytes: 0, max_updates, max_bytes }
    }

    /// Keeps an update; gives how many of the oldest had to go for it.
    pub(super) fn push(&mut self, update: U) -> u64 {
        let arrival = self.arrivals;
        self.arrivals += 1;
        let place = (update.owner(), update.number(), arrival);
        self.places.insert(place);
        if update.is_whole() {
            self.wholes.insert((place.0, arrival));
        }
        let size_bytes = update.size_bytes();
        self.size_bytes += size_bytes;
        self.updates.insert(arrival, Kept { update, place, size_bytes });
        let mut dropped = 0;
        while self.updates.len() > self.max_updates || self.size_bytes > self.max_bytes {
            let Some(oldest) = self.updates.first_key_value().map(|(arrival, _)| *arrival) else { break };
            self.remove(oldest);
            dropped += 1;
        }
        dropped
    }

    /// Takes out what can be applied to a copy of that owner at that number: the next change, or a later snapshot, whichever came first. What such
    /// a copy has in it already goes.
    pub(super) fn take_next(&mut self, owner: Option<Uuid>, number: i64) -> Option<U> {
        self.forget_until(owner, number);
        let next = number.checked_add(1)?;
        let follower = self.places.range((owner, next, 0)..=(owner, next, u64::MAX)).next();
        let whole = self.wholes.range((owner, 0)..=(owner, u64::MAX)).next();
        let arrivals = [follower.map(|(_, _, arrival)| *arrival), whole.map(|(_, arrival)| *arrival)];
        self.remove(arrivals.into_iter().flatten().min()?)
    }

    /// Drops those of an owner; gives how many there were.
    pub(super) fn forget(&mut self, owner: Option<Uuid>) -> u64 {
        self.forget_until(owner, i64::MAX)
    }

    /// Drops those of all owners but these.
    pub(super) fn forget_all_but(&mut self, is_kept: impl Fn(Option<Uuid>) -> bool) {
        let mut next = self.places.first().map(|(owner, ..)| *owner);
        while let Some(owner) = next {
            let after = (Bound::Excluded((owner, i64::MAX, u64::MAX)), Bound::Unbounded);
            next = self.places.range(after).next().map(|(owner, ..)| *owner);
            if !is_kept(owner) {
                self.forget(owner);
            }
        }
    }

    /// The lowest number of an owner.
    pub(super) fn first(&self, owner: Option<Uuid>) -> Option<i64> {
        self.places_of(owner).next().map(|(_, number, _)| *number)
    }

    /// The highest number of an owner.
    pub(super) fn last(&self, owner: Option<Uuid>) -> Option<i64> {
        self.places_of(owner).next_back().map(|(_, number, _)| *number)
    }

    /// Those of an owner, by their numbers.
    pub(super) fn of(&self, owner: Option<Uuid>) -> impl Iterator<Item = &U> {
        self.places_of(owner).filter_map(|(.., arrival)| Some(&self.updates.get(arrival)?.update))
    }

    fn places_of(&self, owner: Option<Uuid>) -> Range<'_, Place> {
        self.places.range((owner, i64::MIN, 0)..=(owner, i64::MAX, u64::MAX))
    }

    /// Drops those of an owner up to a number; gives how many there were.
    fn forget_until(&mut self, owner: Option<Uuid>, number: i64) -> u64 {
        let mut dropped = 0;
        while let Some((_, lowest, arrival)) = self.places_of(owner).next().copied()
            && lowest <= number
        {
            self.remove(arrival);
            dropped += 1;
        }
        dropped
    }

    fn remove(&mut self, arrival: u64) -> Option<U> {
        let Kept { update, place, size_bytes } = self.updates.remove(&arrival)?;
        self.places.remove(&place);
        self.wholes.remove(&(place.0, arrival));
        self.size_bytes -= size_bytes;
        Some(update)
    }
}

impl Numbered for Update {
    fn owner(&self) -> Option<Uuid> {
        self.epoch
    }

    fn number(&self) -> i64 {
        self.number
    }

    fn is_whole(&self) -> bool {
        self.is_snapshot
    }

    fn size_bytes(&self) -> usize {
        const PLACE_BYTES: usize = 128;
        size_of::<Self>() + PLACE_BYTES + self.state.memory_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// An update that counts how often it is looked at.
    #[derive(Clone, Debug, Default)]
    struct Simple {
        owner: Option<Uuid>,
        number: i64,
        is_whole: bool,
        size_bytes: usize,
        looks: Rc<Cell<u64>>,
    }

    impl Simple {
        fn looked_at(&self) -> &Self {
            self.looks.set(self.looks.get() + 1);
            self
        }

        /// All that it is, and which one of those that are alike.
        fn told(&self) -> (Option<Uuid>, i64, bool, usize, *const Cell<u64>) {
            (self.owner, self.number, self.is_whole, self.size_bytes, Rc::as_ptr(&self.looks))
        }
    }

    impl Numbered for Simple {
        fn owner(&self) -> Option<Uuid> {
            self.looked_at().owner
        }

        fn number(&self) -> i64 {
            self.looked_at().number
        }

        fn is_whole(&self) -> bool {
            self.looked_at().is_whole
        }

        fn size_bytes(&self) -> usize {
            self.looked_at().size_bytes
        }
    }

    /// The same as simple as can be: a list in the order of arrival, all of which is looked through at each call.
    struct List {
        updates: Vec<Simple>,
        max_updates: usize,
        max_bytes: usize,
    }

    impl List {
        fn new(max_updates: usize, max_bytes: usize) -> Self {
            Self { updates: Vec::new(), max_updates, max_bytes }
        }

        fn size_bytes(&self) -> usize {
            self.updates.iter().map(Simple::size_bytes).sum()
        }

        fn push(&mut self, update: Simple) -> u64 {
            self.updates.push(update);
            let before = self.updates.len();
            while self.updates.len() > self.max_updates || self.size_bytes() > self.max_bytes {
                self.updates.remove(0);
            }
            (before - self.updates.len()) as u64
        }

        fn take_next(&mut self, owner: Option<Uuid>, number: i64) -> Option<Simple> {
            self.retain(|update| update.owner() != owner || update.number() > number);
            let follows = |update: &Simple| {
                update.owner() == owner && (update.number() == number + 1 || update.is_whole())
            };
            Some(self.updates.remove(self.updates.iter().position(follows)?))
        }

        fn retain(&mut self, is_kept: impl Fn(&Simple) -> bool) -> u64 {
            let before = self.updates.len();
            self.updates.retain(is_kept);
            (before - self.updates.len()) as u64
        }

        fn of(&self, owner: Option<Uuid>) -> Vec<&Simple> {
            let mut of: Vec<_> = self.updates.iter().filter(|update| update.owner == owner).collect();
            of.sort_by_key(|update| update.number);
            of
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(Option<Uuid>, i64, bool, usize),
        TakeNext(Option<Uuid>, i64),
        Forget(Option<Uuid>),
        ForgetAllBut(Option<Uuid>),
    }

    fn owners() -> impl Strategy<Value = Option<Uuid>> {
        proptest::option::of((1..3_u128).prop_map(Uuid::from_u128))
    }

    fn steps() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (owners(), -3..9_i64, prop::bool::weighted(0.2), 1..40_usize)
                .prop_map(|(owner, number, is_whole, size)| Step::Push(owner, number, is_whole, size)),
            4 => (owners(), -4..9_i64).prop_map(|(owner, number)| Step::TakeNext(owner, number)),
            1 => owners().prop_map(Step::Forget),
            1 => owners().prop_map(Step::ForgetAllBut),
        ]
    }

    proptest! {
        #[test]
        fn it_holds_gives_and_drops_what_a_list_would(steps in vec(steps(), 0..60), max_updates in 0..20_usize, max_bytes in 0..300_usize) {
            let (mut held, mut list) = (Held::new(max_updates, max_bytes), List::new(max_updates, max_bytes));
            for step in steps {
                match step {
                    Step::Push(owner, number, is_whole, size_bytes) => {
                        let update = Simple { owner, number, is_whole, size_bytes, looks: Rc::default() };
                        prop_assert_eq!(held.push(update.clone()), list.push(update));
                    }
                    Step::TakeNext(owner, number) => {
                        let (next, expected) = (held.take_next(owner, number), list.take_next(owner, number));
                        prop_assert_eq!(next.map(|next| next.told()), expected.map(|next| next.told()));
                    }
                    Step::Forget(owner) => {
                        prop_assert_eq!(held.forget(owner), list.retain(|update| update.owner() != owner));
                    }
                    Step::ForgetAllBut(owner) => {
                        held.forget_all_but(|of| of == owner);
                        list.retain(|update| update.owner() == owner);
                    }
                }
                prop_assert_eq!((held.updates.len(), held.size_bytes), (list.updates.len(), list.size_bytes()));
                prop_assert_eq!(held.places.len(), held.updates.len());
                prop_assert_eq!(held.wholes.len(), list.updates.iter().filter(|update| update.is_whole()).count());
                for owner in [None, Some(Uuid::from_u128(1)), Some(Uuid::from_u128(2))] {
                    let of: Vec<_> = list.of(owner).into_iter().map(Simple::told).collect();
                    prop_assert_eq!(held.of(owner).map(Simple::told).collect::<Vec<_>>(), of.clone());
                    prop_assert_eq!(held.first(owner), of.first().map(|update| update.1));
                    prop_assert_eq!(held.last(owner), of.last().map(|update| update.1));
                }
            }
        }
    }

    #[test]
    fn the_own_updates_do_not_cost_what_is_held_of_another_owner() {
        let (ours, other) = (Some(Uuid::from_u128(1)), Some(Uuid::from_u128(2)));
        let looks = Rc::<Cell<u64>>::default();
        let mut held = Held::new(10_000, usize::MAX);
        for number in 0..10_000 {
            held.push(Simple { owner: other, number, looks: Rc::clone(&looks), ..Simple::default() });
        }
        looks.set(0);
        for number in 0..1_000 {
            assert!(held.take_next(ours, number).is_none());
        }
        assert_eq!(looks.get(), 0);
    }

    #[test]
    fn what_came_in_reverse_order_is_looked_at_a_few_times_each() {
        let looks = Rc::<Cell<u64>>::default();
        let mut held = Held::new(10_000, usize::MAX);
        for number in (1..=10_000).rev() {
            held.push(Simple { number, looks: Rc::clone(&looks), ..Simple::default() });
        }
        for number in 0..10_000 {
            assert_eq!(held.take_next(None, number).map(|update| update.number), Some(number + 1));
        }
        assert!(looks.get() <= 10 * 10_000, "{}", looks.get());
    }
}
