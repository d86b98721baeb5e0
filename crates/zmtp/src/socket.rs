//! Sockets: many connections behind one pattern, on the thread of whoever holds them.
//!
//! A socket lives inside a [`LocalSet`](tokio::task::LocalSet) or a [`LocalRuntime`](tokio::runtime::LocalRuntime),
//! with a task for each of its connections. What a task reads lies in the socket's inbox until it is taken; what is
//! sent lies in the connection's queue until its task has its turn, and then leaves in one write. Both are bounded:
//! an inbox that is full stops the reading, a queue that is full refuses.

mod inbox;
mod options;
mod peer;
mod routing;
mod stream;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use slab::Slab;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use self::inbox::Inbox;
use self::peer::Peer;
use self::routing::Routing;
use crate::{Error, Message, SocketType};

pub use self::options::{Options, Queue};
pub use self::stream::{Listener, Stream};

/// Many connections behind one pattern. Dropping it ends them.
#[derive(Debug)]
pub struct Socket(Rc<Shared>);

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// The queue of every peer that it could go to is full.
    #[error("the queue to the peer is full")]
    Full,
    /// There is no peer that it could go to.
    #[error("there is no peer to send to")]
    NoPeer,
    /// Sockets of this type send nothing, or not now.
    #[error("this socket does not send now")]
    NotNow,
}

/// A message that was not taken, and why.
#[derive(Debug)]
pub struct Unsent {
    /// Why.
    pub why: Refused,
    /// The message, whole.
    pub message: Message,
}

/// Why a connection ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Ended {
    /// The peer closed it.
    #[error("the peer closed the connection")]
    ByPeer,
    /// This side closed it.
    #[error("this side closed the connection")]
    ByUs,
    /// The peer broke the protocol, or was too slow.
    #[error(transparent)]
    Protocol(#[from] Error),
    /// What the system said.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// What happened to the connections of a socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A peer was met.
    Connected {
        /// What a router calls it by.
        identity: Bytes,
    },
    /// A peer that had been met is gone.
    Disconnected {
        /// What a router called it by.
        identity: Bytes,
        /// Why.
        why: Ended,
    },
    /// A stranger was never met.
    HandshakeFailed {
        /// Why.
        why: Ended,
    },
}

/// What a socket has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages that were read.
    pub received: u64,
    /// Messages that were given to a queue.
    pub sent: u64,
    /// Publications that a subscriber's full queue had no room for.
    pub dropped_full: u64,
    /// Messages that a peer sent and the pattern has no use for.
    pub dropped_misfit: u64,
    /// Peers that were met.
    pub connected: u64,
    /// Peers that were lost.
    pub disconnected: u64,
    /// Strangers that were never met.
    pub handshakes_failed: u64,
    /// Connections that were refused, as there were too many.
    pub refused_connections: u64,
}

struct Shared {
    options: Options,
    peers: RefCell<Slab<Rc<Peer>>>,
    routing: RefCell<Routing>,
    inbox: RefCell<Inbox>,
    events: RefCell<Events>,
    counts: Cell<Counts>,
    listeners: RefCell<Vec<AbortHandle>>,
    is_closed: Cell<bool>,
    /// Who waits for the last connection to end.
    on_empty: RefCell<Option<Waker>>,
}

/// The last things that happened, for whoever asks.
#[derive(Debug, Default)]
struct Events {
    recent: std::collections::VecDeque<Event>,
    waker: Option<Waker>,
}

/// How many events are kept that nobody asks for.
const EVENTS_MAX: usize = 256;

/// The pauses after the system had no connection to give, first and last.
const ACCEPT_PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

impl Socket {
    /// A socket without connections.
    pub fn new(options: Options) -> Self {
        let routing = Routing::new(options.connection.socket_type);
        let inbox = Inbox::new(options.receive_messages);
        Self(Rc::new(Shared {
            options,
            peers: RefCell::default(),
            routing: RefCell::new(routing),
            inbox: RefCell::new(inbox),
            events: RefCell::default(),
            counts: Cell::default(),
            listeners: RefCell::default(),
            is_closed: Cell::new(false),
            on_empty: RefCell::default(),
        }))
    }

    /// Takes every connection that comes to `listener`, until the socket is closed or dropped.
    pub fn listen(&self, listener: Listener) {
        let shared = Rc::downgrade(&self.0);
        let task = tokio::task::spawn_local(accept(shared, listener));
        self.0.listeners.borrow_mut().push(task.abort_handle());
    }

    /// Makes a peer of whoever is at the other end of `stream`. The future ends when the handshake is done; dropping it changes nothing.
    ///
    /// # Errors
    ///
    /// Why the peer was not met.
    pub fn connect(&self, stream: Stream) -> impl Future<Output = Result<(), Ended>> + 'static {
        let (tell, told) = oneshot::channel();
        self.0.begin(stream, Some(tell));
        async { told.await.unwrap_or(Err(Ended::ByUs)) }
    }

    /// Gives a message to a queue, at once: that of the one peer, of the next peer, of the peer named by the first frame, or of
    /// all that have subscribed, as the socket's type says.
    ///
    /// # Errors
    ///
    /// The message was not taken, and nothing of it was sent.
    pub fn send(&self, message: Message) -> Result<(), Unsent> {
        self.0.send(message)
    }

    /// Gives the next message, or wakes the last caller when there is one.
    pub fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Message> {
        self.0.poll_recv(context)
    }

    /// Waits for the next message.
    pub async fn recv(&self) -> Message {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// Asks all publishers, also those to come, for what begins with `topic`; for SUB alone.
    pub fn subscribe(&self, topic: impl Into<Bytes>) {
        self.0.subscribe(true, topic.into());
    }

    /// Asks for it no longer.
    pub fn unsubscribe(&self, topic: impl Into<Bytes>) {
        self.0.subscribe(false, topic.into());
    }

    /// Gives what happened next to a connection, or wakes the last caller when something does. The oldest of what nobody asks for is forgotten.
    pub fn poll_event(&self, context: &mut Context<'_>) -> Poll<Event> {
        let mut events = self.0.events.borrow_mut();
        match events.recent.pop_front() {
            Some(event) => Poll::Ready(event),
            None => {
                keep(&mut events.waker, context);
                Poll::Pending
            }
        }
    }

    /// What it has carried so far.
    pub fn counts(&self) -> Counts {
        self.0.counts.get()
    }

    /// How many peers it has.
    pub fn peers(&self) -> usize {
        self.0.routing.borrow().peers()
    }

    /// Ends it for good: nothing more is taken, in either direction. The future ends when all that was sent has left the
    /// process; that may take as long as the slowest peer.
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

async fn accept(shared: Weak<Shared>, listener: Listener) {
    let mut pause = ACCEPT_PAUSE.0;
    loop {
        let accepted = listener.accept().await;
        let Some(shared) = shared.upgrade() else { return };
        match accepted {
            Ok(stream) => {
                pause = ACCEPT_PAUSE.0;
                if shared.peers.borrow().len() < shared.options.connections {
                    shared.begin(stream, None);
                } else {
                    shared.count(|counts| counts.refused_connections += 1);
                }
            }
            Err(_) => {
                drop(shared);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE.1);
            }
        }
    }
}

impl Shared {
    fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    fn tell(&self, event: Event) {
        let mut events = self.events.borrow_mut();
        if events.recent.len() >= EVENTS_MAX {
            events.recent.pop_front();
        }
        events.recent.push_back(event);
        let waker = events.waker.take();
        drop(events);
        waker.into_iter().for_each(Waker::wake);
    }

    fn begin(self: &Rc<Self>, stream: Stream, tell: Option<oneshot::Sender<Result<(), Ended>>>) {
        let mut peers = self.peers.borrow_mut();
        let entry = peers.vacant_entry();
        let peer = Rc::new(Peer::new(entry.key(), stream, &self.options, tell));
        entry.insert(Rc::clone(&peer));
        drop(peers);
        let shared = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            let why = poll_fn(|context| peer.poll(context, &shared)).await;
            if let Some(shared) = shared.upgrade() {
                shared.end(&peer, why);
            }
        });
    }

    /// A peer has shown who it is.
    fn meet(&self, peer: &Rc<Peer>, who: &crate::Peer) -> Result<(), Error> {
        let identity = self.routing.borrow_mut().meet(peer, who.identity.clone())?;
        self.count(|counts| counts.connected += 1);
        self.tell(Event::Connected { identity });
        Ok(())
    }

    fn end(&self, peer: &Rc<Peer>, why: Ended) {
        self.peers.borrow_mut().try_remove(peer.key());
        match self.routing.borrow_mut().lose(peer) {
            Some(identity) => {
                self.count(|counts| counts.disconnected += 1);
                self.tell(Event::Disconnected { identity, why });
            }
            None => {
                self.count(|counts| counts.handshakes_failed += 1);
                match peer.tell_failure() {
                    Some(tell) => _ = tell.send(Err(why)),
                    None => self.tell(Event::HandshakeFailed { why }),
                }
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
        match self.routing.borrow().received(peer, message) {
            Some(message) => self.inbox.borrow_mut().push(message),
            None => self.count(|counts| counts.dropped_misfit += 1),
        }
    }

    /// A subscriber has said what it wants. Those who want to know are told, by a message.
    fn subscribed(&self, peer: &Rc<Peer>, is_wanted: bool, topic: &Bytes) {
        let is_news = peer.subscribe(is_wanted, topic);
        if is_news && self.options.connection.socket_type == SocketType::XPub {
            let mut frame = Vec::with_capacity(1 + topic.len());
            frame.push(is_wanted.into());
            frame.extend_from_slice(topic);
            self.inbox.borrow_mut().push(Message::from([frame]));
        }
    }

    fn subscribe(&self, is_wanted: bool, topic: Bytes) {
        self.routing.borrow_mut().subscribe(is_wanted, topic);
    }

    fn send(&self, message: Message) -> Result<(), Unsent> {
        if self.is_closed.get() {
            return Err(Unsent { why: Refused::NoPeer, message });
        }
        let sent = self.routing.borrow_mut().send(message)?;
        self.count(|counts| {
            counts.sent += sent.sent;
            counts.dropped_full += sent.dropped;
        });
        Ok(())
    }

    fn poll_recv(&self, context: &mut Context<'_>) -> Poll<Message> {
        let mut inbox = self.inbox.borrow_mut();
        let taken = inbox.take(context);
        let paused = inbox.room_again();
        drop(inbox);
        if !paused.is_empty() {
            let peers = self.peers.borrow();
            paused.iter().filter_map(|key| peers.get(*key)).for_each(|peer| peer.wake());
        }
        taken
    }

    fn close(&self) {
        self.is_closed.set(true);
        self.listeners.take().iter().for_each(AbortHandle::abort);
        self.peers.borrow().iter().for_each(|(_, peer)| peer.close());
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("peers", &self.peers.borrow().len()).finish_non_exhaustive()
    }
}
