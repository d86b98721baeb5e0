//! What those are sent alone who subscribe to something.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;

use super::peer::Peer;
use super::{Refused, Shared};
use crate::{Message, SocketType};

/// A peer of a socket that publishes which has subscribed to something, and may be sent a message alone.
pub struct Newcomer<'a> {
    topic: &'a [u8],
    peer: &'a Rc<Peer>,
    shared: &'a Shared,
}

/// Sees to a newcomer, in the task of its connection.
pub type Greeting = Rc<dyn Fn(&Newcomer<'_>)>;

impl Newcomer<'_> {
    /// What it has subscribed to.
    pub fn topic(&self) -> &[u8] {
        self.topic
    }

    /// The type of its socket. A proxy is an XSUB, and passes on what it is sent to all those behind it who have subscribed to something that this begins with.
    pub fn socket_type(&self) -> SocketType {
        self.peer.socket_type()
    }

    /// Gives a message to its queue, behind what it was sent before and whatever it has subscribed to; gives how many messages were dropped by that: this one, or older
    /// ones to make room for it. They are counted as those of publications are.
    pub fn send(&self, message: &Message) -> u64 {
        // A message without frames is none.
        if message.is_empty() {
            return 0;
        }
        let sent = self.peer.send(message);
        let dropped = match sent {
            Ok(displaced) => displaced,
            Err(Refused::Full) => 1,
            Err(_) => return 0,
        };
        self.shared.count(|counts| {
            // What makes room was counted as sent.
            counts.sent = (counts.sent + u64::from(sent.is_ok())).saturating_sub(sent.unwrap_or(0));
            counts.dropped_full += dropped;
        });
        dropped
    }
}

impl std::fmt::Debug for Newcomer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Newcomer")
            .field("topic", &self.topic.escape_ascii().to_string())
            .finish_non_exhaustive()
    }
}

/// Greetings that wait for room in the queue of a peer, by what it has subscribed to.
pub(super) type Late = BTreeMap<Bytes, Vec<Greeting>>;

impl Shared {
    /// Shows a peer to those who see to what it has subscribed to, or lets them wait until there is room for what they send.
    pub(super) fn show(&self, peer: &Rc<Peer>, topic: &Bytes, greetings: Vec<Greeting>) {
        for greeting in greetings {
            if peer.is_held_up() {
                peer.late.borrow_mut().entry(topic.clone()).or_default().push(greeting);
            } else {
                greeting(&Newcomer { topic, peer, shared: self });
            }
        }
    }

    /// Shows a peer that has room again to those who wait for that.
    pub(super) fn greet_late(&self, peer: &Rc<Peer>) {
        while !peer.is_held_up() {
            let next = peer.late.borrow_mut().pop_first();
            let Some((topic, greetings)) = next else { return };
            self.show(peer, &topic, greetings);
        }
    }
}

/// Who sees to those who subscribe to something that begins like this.
#[derive(Default)]
pub(super) struct Greetings(RefCell<Vec<(Bytes, Greeting)>>);

impl Greetings {
    pub(super) fn add(&self, prefix: Bytes, greeting: Greeting) {
        self.0.borrow_mut().push((prefix, greeting));
    }

    /// Those for who subscribes to that. They are copies: a greeting may add others.
    pub(super) fn of(&self, topic: &[u8]) -> Vec<Greeting> {
        let greetings = self.0.borrow();
        let fit = greetings.iter().filter(|(prefix, _)| topic.starts_with(prefix));
        fit.map(|(_, greeting)| Rc::clone(greeting)).collect()
    }
}
