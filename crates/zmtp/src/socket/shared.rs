//! What the connections of a socket share, and what becomes of what they bring.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use slab::Slab;
use tokio::sync::Notify;

use super::dialling::Dials;
use super::greetings::{Greeting, Greetings};
use super::inbox::Inbox;
use super::listening::Listeners;
use super::peer::Peer;
use super::report::Events;
use super::routing::Routing;
use super::subscriptions::{Added, Limit, Removed};
use super::{Counts, Ended, Event, Options, Queue, Receiver, Refused, Traffic, Unsent};
use crate::{Error, Message, SocketType};

/// What the connections of a socket share.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) peers: RefCell<Slab<Rc<Peer>>>,
    pub(super) routing: RefCell<Routing>,
    pub(super) inbox: RefCell<Inbox>,
    pub(super) receiver: RefCell<Option<Weak<dyn Receiver>>>,
    pub(super) events: RefCell<Events>,
    pub(super) counts: RefCell<Counts>,
    /// What has gone over the connections that are no more.
    gone: Cell<Traffic>,
    pub(super) listeners: RefCell<Listeners>,
    pub(super) dials: RefCell<Dials>,
    pub(super) is_closed: Cell<bool>,
    greetings: Greetings,
    /// Who waits for the last connection to end.
    pub(super) on_empty: RefCell<Option<Waker>>,
    /// Who waits for subscribers.
    pub(super) on_subscribed: RefCell<Option<Waker>>,
    /// Who waits for room in a queue.
    pub(super) on_room: Arc<Notify>,
}

impl Shared {
    /// Of a socket without connections.
    pub(super) fn new(options: Options) -> Self {
        let routing = Routing::new(&options);
        let inbox = Inbox::new(Queue { messages: options.receive_messages, bytes: options.receive_bytes });
        Self {
            options,
            peers: RefCell::default(),
            routing: RefCell::new(routing),
            inbox: RefCell::new(inbox),
            receiver: RefCell::default(),
            events: RefCell::default(),
            counts: RefCell::default(),
            gone: Cell::default(),
            listeners: RefCell::default(),
            dials: RefCell::default(),
            is_closed: Cell::new(false),
            greetings: Greetings::default(),
            on_empty: RefCell::default(),
            on_subscribed: RefCell::default(),
            on_room: Arc::default(),
        }
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.borrow_mut());
    }

    pub(super) fn tell(&self, event: Event) {
        let waker = self.events.borrow_mut().push(event);
        waker.into_iter().for_each(Waker::wake);
    }

    /// A peer has shown who it is.
    pub(super) fn meet(&self, peer: &Rc<Peer>, who: &crate::Peer) -> Result<(), Error> {
        let identity = self.routing.borrow_mut().meet(peer, who)?;
        self.count(|counts| counts.connected += 1);
        let endpoint = self.dials.borrow().meet(peer.key());
        self.tell(Event::Connected { identity, endpoint });
        Ok(())
    }

    pub(super) fn end(&self, peer: &Rc<Peer>, why: Ended) {
        if self.peers.borrow_mut().try_remove(peer.key()).is_some() {
            self.gone.set(self.gone.get().and(peer.traffic().gone()));
        }
        self.inbox.borrow_mut().forget(peer.key());
        self.next_turn();
        let unsubscribed = self.routing.borrow_mut().subscriptions.lose(peer);
        unsubscribed.iter().for_each(|topic| self.tell_of_subscription(false, topic));
        let lost = self.routing.borrow_mut().lose(peer);
        self.on_room.notify_waiters();
        let endpoint = self.dials.borrow_mut().lose(peer.key());
        match lost {
            Some(identity) => {
                self.count(|counts| counts.disconnected.add(why.cause(), 1));
                self.tell(Event::Disconnected { identity, endpoint, why });
            }
            None => {
                self.count(|counts| counts.handshakes_failed.add(why.cause(), 1));
                let why = match peer.waiting() {
                    Some(tell) => tell.send(Err(why)).err().and_then(Result::err),
                    None => Some(why),
                };
                why.into_iter().for_each(|why| self.tell(Event::HandshakeFailed { why }));
            }
        }
        if self.peers.borrow().is_empty()
            && let Some(waker) = self.on_empty.take()
        {
            waker.wake();
        }
    }

    /// What has gone over its connections, and what waits.
    pub(super) fn traffic(&self) -> Traffic {
        let peers = self.peers.borrow();
        let connections = peers.iter().map(|(_, peer)| peer.traffic());
        connections.fold(self.gone.get().and(self.inbox.borrow().traffic()), Traffic::and)
    }

    /// A peer has sent a message.
    pub(super) fn deliver(&self, peer: &Rc<Peer>, message: Message) {
        self.count(|counts| counts.received += 1);
        let message = self.routing.borrow_mut().received(peer, message);
        match message {
            Some(message) => self.pass_on(message),
            None => {
                self.count(|counts| counts.dropped_misfit += 1);
                self.tell(Event::Misfit { identity: peer.identity().cloned().unwrap_or_default() });
            }
        }
    }

    /// Gives a message to whoever is to have it.
    fn pass_on(&self, message: Message) {
        let receiver = self.receiver.borrow().as_ref().and_then(Weak::upgrade);
        match receiver.filter(|_| self.inbox.borrow().is_empty()) {
            Some(receiver) => {
                let message = self.routing.borrow_mut().taken(message);
                receiver.receive(message);
            }
            None => self.inbox.borrow_mut().push(message),
        }
    }

    /// A subscriber has said what it wants.
    pub(super) fn subscribed(&self, peer: &Rc<Peer>, topic: &Bytes) -> Result<(), Error> {
        let Options { subscriptions, subscription_bytes, .. } = self.options;
        let limit = Limit { prefixes: subscriptions, bytes: subscription_bytes };
        let added = self.routing.borrow_mut().subscriptions.add(peer, topic, limit)?;
        if added == Added::First {
            self.tell_of_subscription(true, topic);
        }
        if added != Added::Again {
            self.show(peer, topic, self.greetings.of(topic));
        }
        if let Some(waker) = self.on_subscribed.take() {
            waker.wake();
        }
        Ok(())
    }

    pub(super) fn greet(&self, prefix: Bytes, greeting: &Greeting) {
        let early = self.routing.borrow().subscriptions.under(&prefix);
        self.greetings.add(prefix, Rc::clone(greeting));
        early
            .into_iter()
            .for_each(|(topic, peer)| self.show(&peer, &topic.into(), vec![Rc::clone(greeting)]));
    }

    /// A subscriber has said what it does not want any more.
    pub(super) fn cancelled(&self, peer: &Peer, topic: &Bytes) {
        let removed = self.routing.borrow_mut().subscriptions.cancel(peer, topic);
        if removed != Removed::Nothing {
            peer.late.borrow_mut().remove(topic);
            // Nobody waits any more for room that it has none of.
            self.on_room.notify_waiters();
        }
        if removed == Removed::Last {
            self.tell_of_subscription(false, topic);
        }
    }

    /// Tells those who want to know, by a message.
    fn tell_of_subscription(&self, is_wanted: bool, topic: &Bytes) {
        if self.options.connection.socket_type == SocketType::XPub {
            let mut frame = Vec::with_capacity(1 + topic.len());
            frame.push(is_wanted.into());
            frame.extend_from_slice(topic);
            self.pass_on(Message::from([frame]));
        }
    }

    pub(super) fn subscribe(&self, is_wanted: bool, topic: &Bytes) {
        self.routing.borrow_mut().subscribe(is_wanted, topic);
    }

    pub(super) fn send(&self, message: Message) -> Result<(), Unsent> {
        if self.is_closed.get() {
            return Err(Unsent { why: Refused::NoPeer, message });
        }
        let address_frames = usize::from(self.options.connection.socket_type == SocketType::Router);
        if message.len() <= address_frames {
            return Err(Unsent { why: Refused::Empty, message });
        }
        let sent = self.routing.borrow_mut().send(message)?;
        self.count(|counts| {
            counts.sent += sent.sent;
            // They were counted as sent when they were given to their queues.
            counts.sent -= sent.displaced;
            counts.dropped_full += sent.dropped + sent.displaced;
        });
        Ok(())
    }

    pub(super) fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Message> {
        let taken = self.inbox.borrow_mut().take(context);
        self.next_turn();
        taken.map(|message| self.routing.borrow_mut().taken(message))
    }

    /// Lets the peer be read that waits for it and is the next, if any.
    pub(super) fn next_turn(&self) {
        if let Some(key) = self.inbox.borrow_mut().next_turn()
            && let Some(peer) = self.peers.borrow().get(key)
        {
            peer.wake();
        }
    }

    pub(super) fn close(&self, linger: Option<Duration>) {
        self.is_closed.set(true);
        drop(self.listeners.take());
        self.dials.borrow_mut().stop_all();
        self.peers.borrow().iter().for_each(|(_, peer)| peer.close(linger));
    }
}

impl Drop for Shared {
    /// Nobody waits any more for what is still to leave.
    fn drop(&mut self) {
        self.peers.borrow().iter().for_each(|(_, peer)| peer.cut());
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("peers", &self.peers.borrow().len()).finish_non_exhaustive()
    }
}
