//! The value of a state, which is lent without waiting, and changed by one at a time.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Status;

/// The value of a state, and how far it is.
pub(crate) struct Cell<S> {
    /// Held while a value is published and changed, so that both happen in one order; never by those who look at it.
    turn: Mutex<()>,
    inside: Mutex<Inside<S>>,
}

struct Inside<S> {
    value: Option<Arc<S>>,
    mark: Mark,
    waiting: BTreeMap<u64, Waker>,
    next: u64,
}

/// How far a value is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) status: Status,
    /// By the host's clock.
    pub(crate) since: Option<Duration>,
    pub(crate) number: Option<i64>,
}

/// The right to change a value.
pub(crate) struct Turn<'c, S> {
    cell: &'c Cell<S>,
    _turn: MutexGuard<'c, ()>,
}

impl<S> Cell<S> {
    pub(super) fn new() -> Self {
        let mark = Mark { status: Status::Syncing, since: None, number: None };
        let inside = Inside { value: None, mark, waiting: BTreeMap::new(), next: 0 };
        Self { turn: Mutex::new(()), inside: Mutex::new(inside) }
    }

    /// The value, if there is one.
    pub(crate) fn value(&self) -> Option<Arc<S>> {
        self.look().value.clone()
    }

    pub(crate) fn mark(&self) -> Mark {
        self.look().mark
    }

    /// Waits until the value is live.
    pub(crate) fn live(&self) -> Live<'_, S> {
        Live { cell: self, id: None }
    }

    pub(super) fn turn(&self) -> Turn<'_, S> {
        // A change that panicked left the value as it was, or as far as the author's own `apply` had come.
        Turn { cell: self, _turn: self.turn.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    fn look(&self) -> MutexGuard<'_, Inside<S>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Turn<'_, S> {
    pub(super) fn has_value(&self) -> bool {
        self.cell.look().value.is_some()
    }

    /// Gives it a new value, or leaves it the one that it has.
    pub(super) fn replace(&self, value: Option<S>, mark: impl FnOnce(Mark) -> Mark) {
        let value = value.map(Arc::new);
        let mut inside = self.cell.look();
        let old = value.and_then(|value| inside.value.replace(value));
        self.end(inside, mark);
        // Whatever it is to let go of a large value, nobody waits for it.
        drop(old);
    }

    /// Changes the value where it is, or a copy of it if it is lent; nobody who only looks waits for the copy.
    pub(super) fn change(&self, change: impl FnOnce(&mut S), mark: impl FnOnce(Mark) -> Mark)
    where
        S: Clone,
    {
        let mut inside = self.cell.look();
        let Some(value) = &mut inside.value else { return };
        if let Some(value) = Arc::get_mut(value) {
            change(value);
            return self.end(inside, mark);
        }
        let lent = Arc::clone(value);
        drop(inside);
        let mut value = S::clone(&lent);
        change(&mut value);
        drop(lent);
        self.replace(Some(value), mark);
    }

    fn end(&self, mut inside: MutexGuard<'_, Inside<S>>, mark: impl FnOnce(Mark) -> Mark) {
        inside.mark = mark(inside.mark);
        let is_live = inside.mark.status == Status::Live;
        let woken = if is_live { std::mem::take(&mut inside.waiting) } else { BTreeMap::new() };
        drop(inside);
        woken.into_values().for_each(Waker::wake);
    }
}

/// Waits until a value is live.
pub(crate) struct Live<'c, S> {
    cell: &'c Cell<S>,
    /// Its place among those who wait.
    id: Option<u64>,
}

impl<S> Future for Live<'_, S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut inside = self.cell.look();
        if inside.mark.status == Status::Live {
            return Poll::Ready(());
        }
        let id = self.id.unwrap_or(inside.next);
        inside.next = inside.next.max(id + 1);
        let old = inside.waiting.insert(id, waker);
        drop(inside);
        self.id = Some(id);
        drop(old);
        Poll::Pending
    }
}

impl<S> Drop for Live<'_, S> {
    fn drop(&mut self) {
        let waker = self.id.and_then(|id| self.cell.look().waiting.remove(&id));
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    /// Counts how often it was copied, and may be slow at it.
    struct Counted {
        copies: u32,
        gate: Option<Arc<Barrier>>,
    }

    impl Clone for Counted {
        fn clone(&self) -> Self {
            // Once to say that it is being copied, once to be let go on.
            if let Some(gate) = &self.gate {
                gate.wait();
                gate.wait();
            }
            Self { copies: self.copies + 1, gate: None }
        }
    }

    fn cell(gate: Option<Arc<Barrier>>) -> Cell<Counted> {
        let cell = Cell::new();
        cell.turn().replace(Some(Counted { copies: 0, gate }), |mark| mark);
        cell
    }

    fn copies(cell: &Cell<Counted>) -> u32 {
        cell.value().map_or(u32::MAX, |value| value.copies)
    }

    #[test]
    fn a_value_that_nobody_holds_is_changed_where_it_is() {
        let cell = cell(None);
        cell.turn().change(|_| (), |mark| mark);
        assert_eq!(copies(&cell), 0);
        let lent = cell.value();
        cell.turn().change(|_| (), |mark| mark);
        cell.turn().change(|_| (), |mark| mark);
        drop(lent);
        assert_eq!(copies(&cell), 1, "it is copied once for as long as it is held");
    }

    #[test]
    fn whoever_looks_does_not_wait_for_the_copy() {
        let gate = Arc::new(Barrier::new(2));
        let cell = cell(Some(Arc::clone(&gate)));
        let lent = cell.value();
        std::thread::scope(|scope| {
            scope.spawn(|| cell.turn().change(|value| value.copies += 10, |mark| mark));
            gate.wait();
            assert_eq!(copies(&cell), 0);
            gate.wait();
        });
        drop(lent);
        assert_eq!(copies(&cell), 11);
    }

    #[test]
    fn who_gives_up_to_wait_leaves_nothing_behind() {
        let cell = cell(None);
        let poll = |live: Pin<&mut Live<'_, Counted>>| live.poll(&mut Context::from_waker(Waker::noop()));
        let mut first = Box::pin(cell.live());
        let mut second = Box::pin(cell.live());
        for _ in 0..3 {
            assert!(poll(first.as_mut()).is_pending());
            assert!(poll(second.as_mut()).is_pending());
        }
        assert_eq!(cell.look().waiting.len(), 2);
        drop(first);
        assert_eq!(cell.look().waiting.len(), 1);
        cell.turn().replace(None, |mark| Mark { status: Status::Live, ..mark });
        assert!(cell.look().waiting.is_empty());
        assert!(poll(second.as_mut()).is_ready());
    }
}
