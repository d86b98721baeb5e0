//! Sockets: many connections behind one pattern, on the thread of whoever holds them.
//!
//! A socket lives inside a [`LocalSet`](tokio::task::LocalSet) or a [`LocalRuntime`](tokio::runtime::LocalRuntime),
//! with a task for each of its connections. What a task reads lies in the socket's inbox until it is taken; what is
//! sent lies in the connection's queue until its task has its turn, and then leaves in one write. Both are bounded:
//! an inbox that is full stops the reading, a queue that is full refuses.

mod options;
mod inproc;
mod stream;
mod listener;
mod endpoint;
mod redial;
mod report;
mod cause;
mod counts;

mod shared;
mod listening;
mod dialling;
mod course;
mod peer;
mod pipe;
mod routing;
mod dialogue;
mod subscriptions;
mod greetings;
mod trie;
mod inbox;

use std::cmp::Reverse;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use self::shared::Shared;
use crate::Message;

pub use self::cause::{ByCause, Cause};
pub use self::counts::{Counts, PeerCounts, Traffic};
pub use self::dialling::Dial;
pub use self::endpoint::{Endpoint, EndpointError};
pub use self::greetings::{Greeting, Newcomer};
pub use self::inproc::InprocListener;
pub use self::listener::Listener;
pub use self::options::{Admits, Options, Queue, WhenFull};
pub use self::redial::{Backoff, Redial, chance};
pub use self::report::{Ended, Event, Refused, Unsent};
pub use self::stream::Stream;

/// Many connections behind one pattern. Dropping it ends them.
#[derive(Debug)]
pub struct Socket(Rc<Shared>);

/// Takes messages where they are read, in the task of the connection that they came by: what it sends by the same connection
/// leaves when all that was read at once has been seen to, in one write.
pub trait Receiver {
    /// Takes a message, as [`Socket::recv`] would give it.
    fn receive(&self, message: Message);
}

impl Socket {
    /// A socket without connections.
    pub fn new(options: Options) -> Self {
        Self(Rc::new(Shared::new(options)))
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
    /// that something is asked for, and of the last time that it is not any more; those to come of everything first, if it is asked for, and of the rest in the
    /// order in which it was asked for, if none of it was cancelled.
    pub fn subscribe(&self, topic: impl Into<Bytes>) {
        self.0.subscribe(true, &topic.into());
    }

    /// Asks for it no longer.
    pub fn unsubscribe(&self, topic: impl Into<Bytes>) {
        self.0.subscribe(false, &topic.into());
    }

    /// Shows `greeting` each peer that subscribes to something that begins with `prefix`, and those who have already, for each such thing once; for PUB and XPUB. It may
    /// send that peer alone what the others have had before. There may be several, also for the same prefix; they stay as long as the socket. While the queue of the peer has no
    /// room, it is not shown, unless the socket makes room ([`WhenFull::DropOldest`]) or disconnects it.
    pub fn greet(&self, prefix: impl Into<Bytes>, greeting: &Greeting) {
        self.0.greet(prefix.into(), greeting);
    }

    /// Gives what happened next to a connection, or wakes the last caller when something does. The oldest of what nobody asks for is forgotten.
    /// That a connection was begun by [`connect`](Self::connect) and came to nothing, whoever waits for that is told instead; of one that was
    /// begun by [`dial`](Self::dial), [`Event::DialFailed`] tells.
    pub fn poll_event(&self, context: &mut Context<'_>) -> Poll<Event> {
        self.0.events.borrow_mut().poll(context)
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        *self.0.counts.borrow()
    }

    /// [`Counts::dropped_full`] alone, for those who ask with each message.
    pub fn dropped_full(&self) -> u64 {
        self.0.counts.borrow().dropped_full
    }

    /// What has gone over its connections, and what waits. Nobody counts that before it is asked for: each connection is looked at.
    pub fn traffic(&self) -> Traffic {
        self.0.traffic()
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
    /// process, and the peers have closed their ends or had a second to. A peer that takes nothing holds it up for ever, unless it does so
    /// [within](Self::close_within) a time. Dropping both the future and the socket ends all at once.
    pub fn close(&self) -> impl Future<Output = ()> + 'static {
        self.end(None)
    }

    /// The same, but what has not left by then is lost.
    pub fn close_within(&self, linger: Duration) -> impl Future<Output = ()> + 'static {
        self.end(Some(linger))
    }

    fn end(&self, linger: Option<Duration>) -> impl Future<Output = ()> + 'static {
        self.0.close(linger);
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
            self.0.close(None);
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
