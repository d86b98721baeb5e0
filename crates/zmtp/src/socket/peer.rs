//! One connection of a socket, and the task that reads and writes it.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::{Buf as _, Bytes};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep_until};

use super::routing::Filters;
use super::{Ended, Options, Queue, Refused, Shared, Stream, keep};
use crate::{Connection, Error, Event, Message};

/// One connection of a socket.
pub(super) struct Peer {
    key: usize,
    /// What it is called by, once it was met.
    identity: OnceCell<Bytes>,
    io: RefCell<Io>,
    waker: RefCell<Option<Waker>>,
    /// Whether the task will have its turn anyway.
    is_woken: Cell<bool>,
    /// What it has subscribed to.
    filters: RefCell<Filters>,
    course: Cell<Course>,
    /// Who waits for the handshake.
    tell: Cell<Option<oneshot::Sender<Result<(), Ended>>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    Open,
    /// What was sent leaves, and that was it.
    Closing,
    Cut,
}

struct Io {
    stream: Stream,
    connection: Connection,
    queue: Queue,
    /// Where the messages in the output end, counted from the first byte of the connection.
    ends: VecDeque<u64>,
    /// Bytes that were written.
    written: u64,
    /// How much is read at once.
    chunk: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

/// How much is read at once, at first and at most.
const CHUNK: (usize, usize) = (1 << 10, 64 << 10);

/// How often is read before others have their turn.
const READS: usize = 16;

impl Peer {
    pub(super) fn new(
        key: usize,
        stream: Stream,
        options: &Options,
        tell: Option<oneshot::Sender<Result<(), Ended>>>,
    ) -> Self {
        stream.prepare();
        let connection = Connection::new(options.connection.clone(), Instant::now());
        Self {
            key,
            identity: OnceCell::new(),
            io: RefCell::new(Io {
                stream,
                connection,
                queue: options.queue,
                ends: VecDeque::new(),
                written: 0,
                chunk: CHUNK.0,
                timer: None,
            }),
            waker: RefCell::default(),
            is_woken: Cell::new(false),
            filters: RefCell::default(),
            course: Cell::new(Course::Open),
            tell: Cell::new(tell),
        }
    }

    pub(super) fn key(&self) -> usize {
        self.key
    }

    /// What it is called by, once it was met.
    pub(super) fn identity(&self) -> Option<&Bytes> {
        self.identity.get()
    }

    pub(super) fn name(&self, identity: Bytes) {
        // A handshake is done once.
        _ = self.identity.set(identity);
    }

    /// Whoever waits for the handshake, if it was never done.
    pub(super) fn tell_failure(&self) -> Option<oneshot::Sender<Result<(), Ended>>> {
        self.tell.take()
    }

    /// Lets the task have its turn.
    pub(super) fn wake(&self) {
        if !self.is_woken.replace(true)
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    /// Lets what was sent leave, and ends.
    pub(super) fn close(&self) {
        if self.course.get() == Course::Open {
            self.course.set(Course::Closing);
        }
        self.wake();
    }

    /// Ends at once.
    pub(super) fn cut(&self) {
        self.course.set(Course::Cut);
        self.wake();
    }

    /// Gives a message to the queue.
    pub(super) fn send(&self, message: &[Bytes]) -> Result<(), Refused> {
        if self.course.get() != Course::Open {
            return Err(Refused::NoPeer);
        }
        let mut io = self.io.borrow_mut();
        if io.is_full() {
            return Err(Refused::Full);
        }
        io.connection.send(message).map_err(|_| Refused::NoPeer)?;
        let end = io.written + io.connection.output().remaining() as u64;
        io.ends.push_back(end);
        drop(io);
        self.wake();
        Ok(())
    }

    /// Tells a publisher what this side wants.
    pub(super) fn ask(&self, is_wanted: bool, topic: &[u8]) {
        // A peer that is no more needs not be told.
        _ = self.io.borrow_mut().connection.subscribe(is_wanted, topic);
        self.wake();
    }

    /// Notes what a subscriber wants; says whether that is news.
    pub(super) fn subscribe(&self, is_wanted: bool, topic: &Bytes) -> bool {
        self.filters.borrow_mut().change(is_wanted, topic)
    }

    /// Whether it has subscribed to what begins like this.
    pub(super) fn wants(&self, topic: &[u8]) -> bool {
        self.filters.borrow().match_(topic)
    }

    /// Reads and writes until there is nothing to do; ends with the connection.
    pub(super) fn poll(self: &Rc<Self>, context: &mut Context<'_>, shared: &Weak<Shared>) -> Poll<Ended> {
        keep(&mut self.waker.borrow_mut(), context);
        self.is_woken.set(false);
        let Some(shared) = shared.upgrade() else { return Poll::Ready(Ended::ByUs) };
        if self.course.get() == Course::Cut {
            return Poll::Ready(Ended::ByUs);
        }
        let went = self.read(context, &shared);
        // What the peer is told goes out even if it is the last.
        let wrote = self.io.borrow_mut().write(context);
        let ended = went.and_then(|()| {
            wrote?;
            self.io.borrow_mut().pass_time(context)?;
            match self.course.get() == Course::Closing && self.io.borrow_mut().connection.output().is_empty() {
                true => Err(Ended::ByUs),
                false => Ok(()),
            }
        });
        match ended {
            Ok(()) => Poll::Pending,
            Err(why) => Poll::Ready(why),
        }
    }

    fn read(self: &Rc<Self>, context: &mut Context<'_>, shared: &Shared) -> Result<(), Ended> {
        for _ in 0..READS {
            if self.course.get() != Course::Open || !shared.inbox.borrow_mut().has_room_for(self.key) {
                return Ok(());
            }
            match self.io.borrow_mut().read(context) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => return Err(Ended::ByPeer),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Err(error.into()),
            }
            self.take_in(shared)?;
        }
        context.waker().wake_by_ref();
        Ok(())
    }

    /// Sees to what the peer has said.
    fn take_in(self: &Rc<Self>, shared: &Shared) -> Result<(), Error> {
        loop {
            let event = self.io.borrow_mut().connection.poll()?;
            match event {
                None => return Ok(()),
                Some(Event::Message(message)) => shared.deliver(self, message),
                Some(Event::Subscribe(topic)) => shared.subscribed(self, true, &topic),
                Some(Event::Cancel(topic)) => shared.subscribed(self, false, &topic),
                Some(Event::Credentials(credentials)) => {
                    let admits = shared.options.admits.as_ref().is_some_and(|admits| admits(&credentials));
                    let connection = &mut self.io.borrow_mut().connection;
                    if admits { connection.admit() } else { connection.refuse("not admitted") }
                }
                Some(Event::Ready(who)) => {
                    if let Err(error) = shared.meet(self, &who) {
                        self.io.borrow_mut().connection.refuse(&error.to_string());
                        return Err(error);
                    }
                    if let Some(tell) = self.tell.take() {
                        _ = tell.send(Ok(()));
                    }
                }
            }
        }
    }
}

impl Io {
    fn is_full(&mut self) -> bool {
        let waiting = self.connection.output().remaining();
        self.ends.len() >= self.queue.messages || waiting >= self.queue.bytes
    }

    fn read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let input = self.connection.input();
        input.reserve(self.chunk);
        let room = input.capacity() - input.len();
        let read = self.stream.poll_read(context, input);
        if let Poll::Ready(Ok(bytes)) = read {
            if bytes == room {
                self.chunk = (2 * self.chunk).min(CHUNK.1);
            }
            if self.connection.deadline().is_some() {
                self.connection.received(Instant::now());
            }
        }
        read
    }

    fn write(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while !self.connection.output().is_empty() {
            match self.stream.poll_write(context, self.connection.output()) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(bytes)) => self.written += bytes as u64,
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
        match self.connection.output().is_empty() {
            true => self.ends.clear(),
            false => {
                while self.ends.front().is_some_and(|end| *end <= self.written) {
                    self.ends.pop_front();
                }
            }
        }
        Ok(())
    }

    /// Sees to what time brings.
    fn pass_time(&mut self, context: &mut Context<'_>) -> Result<(), Ended> {
        loop {
            let Some(due) = self.connection.deadline() else {
                self.timer = None;
                return Ok(());
            };
            // A timer that is too early costs one look; setting it after each message would cost more.
            let timer = match &mut self.timer {
                Some(timer) if timer.deadline().into_std() <= due => timer,
                place => place.insert(Box::pin(sleep_until(due.into()))),
            };
            if timer.as_mut().poll(context).is_pending() {
                return Ok(());
            }
            self.timer = None;
            self.connection.tick(Instant::now())?;
            self.write(context)?;
        }
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
