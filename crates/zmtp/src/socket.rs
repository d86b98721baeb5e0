//! Sockets: many connections behind one pattern, on the thread of whoever holds them.
//!
//! A socket lives inside a [`LocalSet`](tokio::task::LocalSet) or a [`LocalRuntime`](tokio::runtime::LocalRuntime),
//! with a task for each of its connections. What a task reads lies in the socket's inbox until it is taken; what is
//! sent lies in the connection's queue until its task has its turn, and then leaves in one write. Both are bounded:
//! an inbox that is full stops the reading, a queue that is full refuses.
#![expect(
    clippy::result_large_err,
    reason = "a message that is not taken goes back as it came, without an allocation"
)]

mod options;
mod inproc;
mod stream;
mod endpoint;
mod redial;
mod report;

mod listening;
mod dialling;
mod course;
mod peer;
mod pipe;
mod routing;
mod dialogue;
mod subscriptions;
mod trie;
mod inbox;

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use slab::Slab;
use tokio::sync::{Notify, oneshot};

use self::dialling::Dials;
use self::inbox::Inbox;
use self::listening::Listeners;
use self::peer::Peer;
use self::report::Events;
use self::routing::Routing;
use self::subscriptions::Limit;
use crate::{Error, Message, SocketType};

pub use self::dialling::Dial;
pub use self::endpoint::{Endpoint, EndpointError};
pub use self::inproc::InprocListener;
pub use self::options::{Admits, Options, Queue, WhenFull};
pub use self::redial::{Backoff, Redial, chance};
pub use self::report::{Counts, Ended, Event, PeerCounts, Refused, Unsent};
pub use self::stream::{Listener, Stream};

/// Many connections behind one pattern. Dropping it ends them.
#[derive(Debug)]
pub struct Socket(Rc<Shared>);

/// Takes messages where they are read, in the task of the connection that they came by: what it sends by the same connection
/// leaves when all that was read at once has been seen to, in one write.
pub trait Receiver {
    /// Takes a message, as [`Socket::recv`] would give it.
    fn receive(&self, message: Message);
}

struct Shared {
    options: Options,
    peers: RefCell<Slab<Rc<Peer>>>,
    routing: RefCell<Routing>,
    inbox: RefCell<Inbox>,
    receiver: RefCell<Option<Weak<dyn Receiver>>>,
    events: RefCell<Events>,
    counts: Cell<Counts>,
    listeners: RefCell<Listeners>,
    dials: RefCell<Dials>,
    is_closed: Cell<bool>,
    /// Who waits for the last connection to end.
    on_empty: RefCell<Option<Waker>>,
    /// Who waits for subscribers.
    on_subscribed: RefCell<Option<Waker>>,
    /// Who waits for room in a queue.
    on_room: Arc<Notify>,
}

impl Socket {
    /// A socket without connections.
    pub fn new(options: Options) -> Self {
        let routing = Routing::new(&options);
        let inbox = Inbox::new(Queue { messages: options.receive_messages, bytes: options.receive_bytes });
        Self(Rc::new(Shared {
            options,
            peers: RefCell::default(),
            routing: RefCell::new(routing),
            inbox: RefCell::new(inbox),
            receiver: RefCell::default(),
            events: RefCell::default(),
            counts: Cell::default(),
            listeners: RefCell::default(),
            dials: RefCell::default(),
            is_closed: Cell::new(false),
            on_empty: RefCell::default(),
            on_subscribed: RefCell::default(),
            on_room: Arc::default(),
        }))
    }

    /// Takes every connection that comes to `listener`, until the socket is closed or dropped.
    pub fn listen(&self, listener: Listener) {
        if !self.0.is_closed.get() {
            self.0.listeners.borrow_mut().add(Rc::downgrade(&self.0), listener);
        }
    }

    /// Makes a peer of whoever is at the other end of `stream`, for as long as that is open. The future ends when the handshake is done;
    /// dropping it changes nothing. [`dial`](Self::dial) makes the stream as well, and another one when it is lost.
    ///
    /// # Errors
    ///
    /// Why the peer was not met.
    pub fn connect(&self, stream: Stream) -> impl Future<Output = Result<(), Ended>> + 'static {
        let (tell, told) = oneshot::channel();
        if !self.0.is_closed.get() {
            _ = self.0.begin(stream, Some(tell));
        }
        async { told.await.unwrap_or(Err(Ended::ByUs)) }
    }

    /// Gives a message to a queue, at once: that of the one peer, of the next peer, of the peer named by the first frame, of
    /// who asked last, or of all that have subscribed, as the socket's type says.
    ///
    /// # Errors
    ///
    /// The message was not taken, and nothing of it was sent. A REQ that has asked sends nothing until it has taken the
    /// answer, or lost the peer that owes it; a REP sends nothing but one answer to what it has taken last.
    pub fn send(&self, message: Message) -> Result<(), Unsent> {
        self.0.send(message)
    }

    /// Ends when there is room again in a queue that had none for a message, or a peer is gone: the time to try again what was refused as
    /// [`Refused::Full`]. Half of the queue is free then, if nobody else has filled it. Room that is made after this call is not missed, so call it before the
    /// attempt where others may have a turn in between.
    pub fn room(&self) -> impl Future<Output = ()> + 'static {
        Arc::clone(&self.0.on_room).notified_owned()
    }

    /// Gives the next message, or wakes the last caller when there is one.
    pub fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Message> {
        self.0.poll_recv(context)
    }

    /// Waits for the next message.
    pub async fn recv(&self) -> Message {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// Gives what comes to `receiver`, for as long as that is there and nothing waits to be taken by
    /// [`poll_recv`](Self::poll_recv), instead of whom it was given to before.
    pub fn deliver_to(&self, receiver: Weak<dyn Receiver>) {
        self.0.receiver.replace(Some(receiver));
    }

    /// Asks all publishers, also those to come, for what begins with `topic`; for SUB and XSUB. Publishers are told of the first time
    /// that something is asked for, and of the last time that it is not any more.
    pub fn subscribe(&self, topic: impl Into<Bytes>) {
        self.0.subscribe(true, &topic.into());
    }

    /// Asks for it no longer.
    pub fn unsubscribe(&self, topic: impl Into<Bytes>) {
        self.0.subscribe(false, &topic.into());
    }

    /// Gives what happened next to a connection, or wakes the last caller when something does. The oldest of what nobody asks for is forgotten.
    /// That a connection was begun by [`connect`](Self::connect) and came to nothing, whoever waits for that is told instead; of one that was
    /// begun by [`dial`](Self::dial), [`Event::DialFailed`] tells.
    pub fn poll_event(&self, context: &mut Context<'_>) -> Poll<Event> {
        self.0.events.borrow_mut().poll(context)
    }

    /// What it has carried so far.
    pub fn counts(&self) -> Counts {
        self.0.counts.get()
    }

    /// What each of its peers has carried so far, in the order in which they were met.
    pub fn peer_counts(&self) -> Vec<PeerCounts> {
        self.0.routing.borrow().each_peer().map(|peer| peer.counts()).collect()
    }

    /// The same of those who have carried most bytes, most first and no more of them than that; and how many others there are, who are not looked
    /// at any closer.
    pub fn busiest_peers(&self, most: usize) -> (Vec<PeerCounts>, usize) {
        let routing = self.0.routing.borrow();
        let mut peers: Vec<_> = routing.each_peer().map(|peer| (Reverse(peer.bytes()), peer)).collect();
        let others = peers.len().saturating_sub(most);
        if others > 0 && most > 0 {
            peers.select_nth_unstable_by_key(most - 1, |(bytes, _)| *bytes);
        }
        peers.truncate(most);
        peers.sort_by_key(|(bytes, _)| *bytes);
        (peers.into_iter().map(|(_, peer)| peer.counts()).collect(), others)
    }

    /// How many peers it has.
    pub fn peers(&self) -> usize {
        self.0.routing.borrow().peers()
    }

    /// Ready while that many peers at least have subscribed to anything; else wakes the last caller when there may be as many.
    pub fn poll_subscribers(&self, count: usize, context: &mut Context<'_>) -> Poll<()> {
        if self.0.routing.borrow().subscriptions.peers() >= count {
            return Poll::Ready(());
        }
        keep(&mut self.0.on_subscribed.borrow_mut(), context);
        Poll::Pending
    }

    /// Ends it for good: nothing more is taken, in either direction. The future ends when all that was sent has left the
    /// process, and the peers have closed their ends or had a second to; that may take as long as the slowest peer. Dropping both
    /// the future and the socket ends all at once.
    pub fn close(&self) -> impl Future<Output = ()> + 'static {
        self.0.close();
        let shared = Rc::clone(&self.0);
        poll_fn(move |context| {
            if shared.peers.borrow().is_empty() {
                return Poll::Ready(());
            }
            keep(&mut shared.on_empty.borrow_mut(), context);
            Poll::Pending
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !self.0.is_closed.get() {
            self.0.close();
            self.0.peers.borrow().iter().for_each(|(_, peer)| peer.cut());
        }
    }
}

/// Keeps the waker of the last caller.
fn keep(place: &mut Option<Waker>, context: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(context.waker()),
        none => *none = Some(context.waker().clone()),
    }
}

impl Shared {
    fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    fn tell(&self, event: Event) {
        let waker = self.events.borrow_mut().push(event);
        waker.into_iter().for_each(Waker::wake);
    }

    /// A peer has shown who it is.
    fn meet(&self, peer: &Rc<Peer>, who: &crate::Peer) -> Result<(), Error> {
        let identity = self.routing.borrow_mut().meet(peer, who.identity.clone())?;
        self.count(|counts| counts.connected += 1);
        let endpoint = self.dials.borrow().meet(peer.key());
        self.tell(Event::Connected { identity, endpoint });
        Ok(())
    }

    fn end(&self, peer: &Rc<Peer>, why: Ended) {
        self.peers.borrow_mut().try_remove(peer.key());
        self.inbox.borrow_mut().forget(peer.key());
        self.next_turn();
        let unsubscribed = self.routing.borrow_mut().subscriptions.lose(peer);
        unsubscribed.iter().for_each(|topic| self.tell_of_subscription(false, topic));
        let lost = self.routing.borrow_mut().lose(peer);
        self.on_room.notify_waiters();
        let endpoint = self.dials.borrow_mut().lose(peer.key());
        match lost {
            Some(identity) => {
                self.count(|counts| counts.lose(&why));
                self.tell(Event::Disconnected { identity, endpoint, why });
            }
            None => {
                self.count(|counts| counts.miss(&why));
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

    /// A peer has sent a message.
    fn deliver(&self, peer: &Rc<Peer>, message: Message) {
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
    fn subscribed(&self, peer: &Rc<Peer>, topic: &Bytes) -> Result<(), Error> {
        let Options { subscriptions, subscription_bytes, .. } = self.options;
        let limit = Limit { prefixes: subscriptions, bytes: subscription_bytes };
        if self.routing.borrow_mut().subscriptions.add(peer, topic, limit)? {
            self.tell_of_subscription(true, topic);
        }
        if let Some(waker) = self.on_subscribed.take() {
            waker.wake();
        }
        Ok(())
    }

    /// A subscriber has said what it does not want any more.
    fn cancelled(&self, peer: &Peer, topic: &Bytes) {
        // Nobody waits any more for room that it has none of.
        self.on_room.notify_waiters();
        if self.routing.borrow_mut().subscriptions.cancel(peer, topic) {
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

    fn subscribe(&self, is_wanted: bool, topic: &Bytes) {
        self.routing.borrow_mut().subscribe(is_wanted, topic);
    }

    fn send(&self, message: Message) -> Result<(), Unsent> {
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

    fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Message> {
        let taken = self.inbox.borrow_mut().take(context);
        self.next_turn();
        taken.map(|message| self.routing.borrow_mut().taken(message))
    }

    /// Lets the peer be read that waits for it and is the next, if any.
    fn next_turn(&self) {
        if let Some(key) = self.inbox.borrow_mut().next_turn()
            && let Some(peer) = self.peers.borrow().get(key)
        {
            peer.wake();
        }
    }

    fn close(&self) {
        self.is_closed.set(true);
        drop(self.listeners.take());
        self.dials.borrow_mut().stop_all();
        self.peers.borrow().iter().for_each(|(_, peer)| peer.close());
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
