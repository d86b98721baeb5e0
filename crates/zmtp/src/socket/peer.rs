//! One connection of a socket, and the task that reads and writes it.

use std::cell::{Cell, OnceCell, RefCell};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::greetings::Late;
use super::pipe::{PARTING, Pipe, Reading, Sending};
use super::subscriptions::Asked;
use super::{Ended, Options, PeerCounts, Refused, Shared, Stream, Traffic, WhenFull, keep};
use crate::{Encoded, Event, Message, SocketType};

/// One connection of a socket.
pub(super) struct Peer {
    key: usize,
    /// What it is called by, once it was met.
    identity: OnceCell<Bytes>,
    /// What it asked to be called, by then.
    asked_identity: OnceCell<Bytes>,
    /// The type of its socket, by then.
    socket_type: OnceCell<SocketType>,
    pipe: RefCell<Pipe>,
    when_full: WhenFull,
    waker: RefCell<Option<Waker>>,
    /// Whether the task will have its turn anyway.
    is_woken: Cell<bool>,
    /// What it has subscribed to.
    asked: RefCell<Asked>,
    /// What it is to be greeted for once there is room.
    pub(super) late: RefCell<Late>,
    received: Cell<u64>,
    /// The last publication that it was found for.
    round: Cell<u64>,
    course: Cell<Course>,
    /// Why it is being parted from.
    why: Cell<Option<Ended>>,
    /// Who waits for the handshake.
    waiting: Cell<Option<Waiting>>,
}

/// Waits for the handshake.
pub(super) type Waiting = oneshot::Sender<Result<(), Ended>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    Open,
    /// What was sent leaves, and that was it.
    Parting,
    Cut,
}

/// How often is read before others have their turn.
const READS: usize = 16;

/// How much of what the peer says is seen to before others have their turn: messages, and all else that may come without end.
const EVENTS: usize = 64;

/// So many frames of a message take as long as another message.
const FRAMES: usize = 16;

impl Peer {
    pub(super) fn new(key: usize, stream: Stream, options: &Options, waiting: Option<Waiting>) -> Self {
        Self {
            key,
            identity: OnceCell::new(),
            asked_identity: OnceCell::new(),
            socket_type: OnceCell::new(),
            pipe: RefCell::new(Pipe::new(stream, options)),
            when_full: options.when_full,
            waker: RefCell::default(),
            is_woken: Cell::new(false),
            asked: RefCell::default(),
            late: RefCell::default(),
            received: Cell::new(0),
            round: Cell::new(0),
            course: Cell::new(Course::Open),
            why: Cell::default(),
            waiting: Cell::new(waiting),
        }
    }

    pub(super) fn key(&self) -> usize {
        self.key
    }

    /// What it is called by, once it was met.
    pub(super) fn identity(&self) -> Option<&Bytes> {
        self.identity.get()
    }

    /// The type of the socket at its end, which was met.
    pub(super) fn socket_type(&self) -> SocketType {
        *self.socket_type.get().expect("who has subscribed to something has shown who it is")
    }

    pub(super) fn name(&self, identity: Bytes, who: &crate::Peer) {
        // A handshake is done once.
        _ = self.identity.set(identity);
        _ = self.asked_identity.set(who.identity.clone());
        _ = self.socket_type.set(who.socket_type);
    }

    /// Whoever waits for the handshake, if it was never done.
    pub(super) fn waiting(&self) -> Option<Waiting> {
        self.waiting.take()
    }

    /// Lets the task have its turn.
    pub(super) fn wake(&self) {
        if !self.is_woken.replace(true)
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    /// Lets what was sent leave, within so long if that is said, and ends; a stranger was sent nothing.
    pub(super) fn close(&self, linger: Option<Duration>) {
        if self.course.get() == Course::Open {
            match self.identity.get() {
                Some(_) => {
                    self.pipe.borrow_mut().part_within(linger);
                    self.course.set(Course::Parting);
                }
                None => self.course.set(Course::Cut),
            }
        }
        self.wake();
    }

    fn cut_for(&self, why: Ended) {
        self.why.set(Some(why));
        self.cut();
    }

    /// Ends at once.
    pub(super) fn cut(&self) {
        self.course.set(Course::Cut);
        self.wake();
    }

    /// Whether a message would find room in the queue, or its peer is no more.
    pub(super) fn has_room(&self) -> bool {
        self.course.get() != Course::Open || !self.pipe.borrow_mut().is_full()
    }

    /// Whether a message would be dropped now and find room later.
    pub(super) fn is_held_up(&self) -> bool {
        matches!(self.when_full, WhenFull::DropNewest | WhenFull::Wait) && !self.has_room()
    }

    /// Gives a message to the queue; gives how many were dropped there to make room.
    pub(super) fn send(&self, message: &[Bytes]) -> Result<u64, Refused> {
        self.queue(&Sending::Own(message))
    }

    /// Gives a message to the queue that goes to others, too.
    pub(super) fn send_encoded(&self, message: &Encoded) -> Result<u64, Refused> {
        self.queue(&Sending::Shared(message))
    }

    fn queue(&self, message: &Sending<'_>) -> Result<u64, Refused> {
        if self.course.get() != Course::Open {
            return Err(Refused::NoPeer);
        }
        let queued = self.pipe.borrow_mut().send(message);
        match queued {
            Ok(_) => self.wake(),
            Err(_) if self.when_full == WhenFull::Disconnect => self.cut_for(Ended::QueueFull),
            Err(_) => {}
        }
        queued
    }

    /// Tells a publisher what this side wants.
    ///
    /// One that takes so little that its queue is full is parted from: it would not know any more what is wanted, and is told all of it
    /// when it comes again.
    pub(super) fn ask(&self, is_wanted: bool, topic: &[u8]) {
        if self.pipe.borrow_mut().is_full() {
            return self.cut_for(Ended::QueueFull);
        }
        self.tell(is_wanted, topic);
    }

    /// Tells a publisher that was just met, whatever waits: it is told each of our subscriptions once.
    pub(super) fn tell(&self, is_wanted: bool, topic: &[u8]) {
        // A peer that is no more needs not be told.
        _ = self.pipe.borrow_mut().connection.subscribe(is_wanted, topic);
        self.wake();
    }

    /// How many bytes it has carried.
    pub(super) fn bytes(&self) -> u64 {
        self.pipe.borrow().bytes()
    }

    /// What has gone over it, and what waits to be sent.
    pub(super) fn traffic(&self) -> Traffic {
        self.pipe.borrow_mut().traffic()
    }

    /// What it has carried.
    pub(super) fn counts(&self) -> PeerCounts {
        PeerCounts {
            identity: self.identity.get().cloned().unwrap_or_default(),
            asked_identity: self.asked_identity.get().cloned().unwrap_or_default(),
            received: self.received.get(),
            ..self.pipe.borrow_mut().counts()
        }
    }

    /// What it has subscribed to.
    pub(super) fn asked(&self) -> &RefCell<Asked> {
        &self.asked
    }

    /// Whether it was not found for that publication before.
    pub(super) fn is_new_in(&self, round: u64) -> bool {
        self.round.replace(round) != round
    }

    /// Reads and writes until there is nothing to do; ends with the connection.
    pub(super) fn poll(self: &Rc<Self>, context: &mut Context<'_>, shared: &Weak<Shared>) -> Poll<Ended> {
        keep(&mut self.waker.borrow_mut(), context);
        self.is_woken.set(false);
        let Some(shared) = shared.upgrade() else { return Poll::Ready(Ended::ByUs) };
        if self.course.get() == Course::Open
            && let Err(why) = self.carry(context, &shared)
        {
            return Poll::Ready(why);
        }
        match self.course.get() {
            Course::Open => Poll::Pending,
            Course::Cut => Poll::Ready(self.why()),
            Course::Parting => self.pipe.borrow_mut().part(context).map(|()| self.why()),
        }
    }

    fn why(&self) -> Ended {
        self.why.take().unwrap_or(Ended::ByUs)
    }

    fn carry(self: &Rc<Self>, context: &mut Context<'_>, shared: &Shared) -> Result<(), Ended> {
        // What is sent meanwhile is written below.
        self.is_woken.set(true);
        let reading = self.read(context, shared)?;
        self.is_woken.set(false);
        shared.inbox.borrow_mut().pass(self.key);
        shared.next_turn();
        if self.course.get() == Course::Open {
            let mut pipe = self.pipe.borrow_mut();
            pipe.write(context)?;
            pipe.pass_time(context, reading)?;
            if pipe.has_made_room() {
                drop(pipe);
                shared.on_room.notify_waiters();
                shared.greet_late(self);
            }
        }
        Ok(())
    }

    fn read(self: &Rc<Self>, context: &mut Context<'_>, shared: &Shared) -> Result<Reading, Ended> {
        let mut left = EVENTS;
        for _ in 0..READS {
            // What was read before, and had to wait, comes first.
            if self.take_in(shared, &mut left)? == Reading::Paused {
                return Ok(Reading::Paused);
            }
            if self.course.get() != Course::Open {
                return Ok(Reading::Active);
            }
            if left == 0 {
                break;
            }
            let mut pipe = self.pipe.borrow_mut();
            pipe.write(context)?;
            match pipe.read(context) {
                Poll::Pending => return Ok(Reading::Active),
                Poll::Ready(Ok(0)) => return Err(Ended::ByPeer),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(error.into()),
            }
        }
        // Comes back when the others have had their turn; to be woken at once would go before what other threads have woken.
        _ = pin!(yield_now()).poll(context);
        Ok(Reading::Active)
    }

    /// Sees to what the peer has said, as long as there is room for it, and to no more than that.
    fn take_in(self: &Rc<Self>, shared: &Shared, left: &mut usize) -> Result<Reading, Ended> {
        while *left > 0 && self.course.get() == Course::Open && self.pipe.borrow().connection.has_news() {
            // The handshake takes no room.
            if self.identity.get().is_some() && !shared.inbox.borrow_mut().has_room_for(self.key) {
                return Ok(Reading::Paused);
            }
            let Some(event) = self.pipe.borrow_mut().connection.poll()? else { break };
            *left -= 1;
            match event {
                Event::Message(message) => {
                    *left = left.saturating_sub(message.len() / FRAMES);
                    self.received.set(self.received.get() + 1);
                    shared.deliver(self, message);
                }
                Event::Subscribe(topic) => shared.subscribed(self, &topic)?,
                Event::Cancel(topic) => shared.cancelled(self, &topic),
                Event::Control => {}
                Event::Credentials(credentials) => {
                    let admits = shared.options.admits.as_ref().is_some_and(|admits| admits(&credentials));
                    if !admits {
                        self.refuse("not admitted", Ended::NotAdmitted);
                        return Ok(Reading::Active);
                    }
                    self.pipe.borrow_mut().connection.admit();
                }
                Event::Ready(who) => {
                    if let Err(error) = shared.meet(self, &who) {
                        self.refuse(&error.to_string(), error.into());
                        return Ok(Reading::Active);
                    }
                    if let Some(waiting) = self.waiting.take() {
                        // Nobody needs to wait.
                        _ = waiting.send(Ok(()));
                    }
                }
            }
        }
        Ok(Reading::Active)
    }

    /// Tells a stranger why it is not let in, and parts from it.
    #[cold]
    fn refuse(&self, reason: &str, why: Ended) {
        let mut pipe = self.pipe.borrow_mut();
        pipe.connection.refuse(reason);
        pipe.part_within(Some(PARTING));
        self.why.set(Some(why));
        self.course.set(Course::Parting);
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What a message is to a publisher: that which its subscribers' filters are held against.
pub(super) fn topic(message: &Message) -> &[u8] {
    message.first().map_or(&[], |frame| frame)
}
