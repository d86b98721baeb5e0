//! Tells of a socket that listens whether anybody is there.

use std::cell::{Cell, RefCell};
use std::task::{Context, Waker};

use super::zmtp;
use crate::engine::Event;

/// Whether a socket has peers, and what of that was told.
#[derive(Debug, Default)]
pub(super) struct Presence {
    peers: Cell<usize>,
    /// Whether somebody has been told that there are some.
    is_told: Cell<bool>,
    /// Whether there was a time without any since then.
    was_alone: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Presence {
    /// Takes note of what happened to a peer.
    pub(super) fn note(&self, event: &zmtp::Event) {
        match event {
            zmtp::Event::Connected { .. } => self.peers.set(self.peers.get() + 1),
            zmtp::Event::Disconnected { .. } => self.set(self.peers.get().saturating_sub(1)),
            _ => {}
        }
    }

    /// Ends a turn of such notes, with so many peers: some of what happened may have been forgotten, if it was much.
    pub(super) fn settle(&self, peers: usize) {
        self.set(peers);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Gives what there is to tell before what came from peers: all of it, while there are any.
    pub(super) fn before_messages(&self) -> Option<Event> {
        if self.peers.get() == 0 {
            return None;
        }
        match (self.is_told.get(), self.was_alone.get()) {
            (true, false) => None,
            (true, true) => Some(self.tell_alone()),
            (false, _) => {
                self.was_alone.set(false);
                self.is_told.set(true);
                Some(Event::Met)
            }
        }
    }

    /// Gives what there is to tell behind that, or wakes the last caller when there is something.
    pub(super) fn after_messages(&self, cx: &Context<'_>) -> Option<Event> {
        if self.is_told.get() && self.was_alone.get() {
            return Some(self.tell_alone());
        }
        match &mut *self.waker.borrow_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        None
    }

    fn set(&self, peers: usize) {
        self.peers.set(peers);
        self.was_alone.set(self.was_alone.get() || peers == 0);
    }

    fn tell_alone(&self) -> Event {
        self.is_told.set(false);
        self.was_alone.set(false);
        Event::Alone
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn told(presence: &Presence) -> Vec<Event> {
        let cx = Context::from_waker(Waker::noop());
        std::iter::from_fn(|| presence.before_messages().or_else(|| presence.after_messages(&cx))).collect()
    }

    fn met() -> zmtp::Event {
        zmtp::Event::Connected { identity: Bytes::new(), endpoint: None }
    }

    fn lost() -> zmtp::Event {
        zmtp::Event::Disconnected { identity: Bytes::new(), endpoint: None, why: zmtp::Ended::ByPeer }
    }

    #[test]
    fn the_first_and_the_last_are_told_of() {
        let presence = Presence::default();
        for (event, peers) in [(met(), 1), (met(), 2), (lost(), 1), (lost(), 0), (met(), 1)] {
            let was = presence.peers.get();
            presence.note(&event);
            presence.settle(peers);
            match (was, peers) {
                (0, 1) => assert!(matches!(told(&presence)[..], [Event::Met])),
                (1, 0) => assert!(matches!(told(&presence)[..], [Event::Alone])),
                _ => assert!(told(&presence).is_empty()),
            }
        }
    }

    #[test]
    fn one_that_came_in_the_same_turn_as_the_last_went_is_another() {
        let presence = Presence::default();
        presence.note(&met());
        presence.settle(1);
        assert!(matches!(told(&presence)[..], [Event::Met]));
        presence.note(&lost());
        presence.note(&met());
        presence.settle(1);
        assert!(matches!(told(&presence)[..], [Event::Alone, Event::Met]));
        assert!(told(&presence).is_empty());
    }

    #[test]
    fn what_was_forgotten_is_made_good() {
        let presence = Presence::default();
        presence.settle(3);
        assert!(matches!(told(&presence)[..], [Event::Met]));
        presence.note(&met());
        presence.settle(0);
        assert!(matches!(told(&presence)[..], [Event::Alone]));
    }
}
