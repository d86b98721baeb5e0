//! Keeps a connecting socket connected to its peer, for ever.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use service_framework_core::address::Address;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::counters::Counters;
use crate::engine::{
    Backoff, Engine, Event, Frames, Greeting, LocalFuture, Receiver, Redial, Role, SendError, Socket, Unsent,
    chance,
};
use crate::error::{Error, SocketError, check_connectable};

/// How soon an absent peer is tried again. One that appears is found within little more than the cap, which leaves room below a second.
const REDIAL: Redial =
    Redial { first: Duration::from_millis(100), cap: Duration::from_millis(750), jitter: 0.5 };
/// What a peer at the end of a slow network may need for its handshake. One that takes connections before it speaks is found as soon as it does.
const PATIENCE: Duration = Duration::from_secs(5);
/// A peer absent for longer is worth a line in the log.
const WORTH_A_WARNING: Duration = Duration::from_secs(1);

/// A socket that is connected, or being connected.
pub(crate) struct Link(Rc<State>);

/// What happened to a link.
pub(crate) enum LinkEvent {
    /// The peer was found.
    Up,
    /// The peer was lost; it is being looked for again.
    Down,
    /// A message came.
    Message(Frames),
}

/// Gives a filter for one connection.
pub(crate) type Filter = Box<dyn Fn() -> Bytes>;

struct State {
    engine: Rc<dyn Engine>,
    role: Role,
    connection: String,
    address: Address,
    counters: Arc<Counters>,
    socket: RefCell<Option<Rc<dyn Socket>>>,
    receiver: RefCell<Option<Weak<dyn Receiver>>>,
    greetings: RefCell<Vec<(Bytes, Greeting)>>,
    filters: RefCell<Vec<Filter>>,
    connecting: RefCell<Option<Task>>,
    backoff: RefCell<Backoff>,
    /// Since when there is a connection, if there is one.
    since: Cell<Option<Instant>>,
    /// Whoever polls the link while there is no socket to poll.
    waker: RefCell<Option<Waker>>,
    /// Whoever waits for subscribers while there is no socket to ask.
    on_socket: RefCell<Option<Waker>>,
    /// Connected, and not yet said so.
    is_new: Cell<bool>,
    /// The socket said so when sending.
    is_gone: Cell<bool>,
}

/// A task of the local set that ends with its owner.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) -> Self {
        Self(tokio::task::spawn_local(future))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    /// Begins to connect. Must be called inside a `LocalSet` or a `LocalRuntime`.
    ///
    /// # Errors
    ///
    /// When the address can never be connected to.
    pub(crate) fn open(
        engine: &Rc<dyn Engine>,
        role: Role,
        connection: &str,
        address: &Address,
        counters: &Arc<Counters>,
    ) -> Result<Self, Error> {
        check_connectable(address).and_then(|()| engine.check(address)).map_err(|cause| Error::Connect {
            connection: connection.to_owned(),
            address: address.clone(),
            cause,
        })?;
        let link = Self(Rc::new(State {
            engine: Rc::clone(engine),
            role,
            connection: connection.to_owned(),
            address: address.clone(),
            counters: Arc::clone(counters),
            socket: RefCell::default(),
            receiver: RefCell::default(),
            greetings: RefCell::default(),
            filters: RefCell::default(),
            connecting: RefCell::default(),
            backoff: RefCell::new(Backoff::new(REDIAL)),
            since: Cell::default(),
            waker: RefCell::default(),
            on_socket: RefCell::default(),
            is_new: Cell::new(false),
            is_gone: Cell::new(false),
        }));
        link.connect_in(Duration::ZERO);
        Ok(link)
    }

    /// As [`Socket::deliver_to`], of the socket that there is and all that there will be.
    pub(crate) fn deliver_to(&self, receiver: Weak<dyn Receiver>) {
        if let Some(socket) = &*self.0.socket.borrow() {
            socket.deliver_to(Weak::clone(&receiver));
        }
        self.0.receiver.replace(Some(receiver));
    }

    /// As [`Socket::greet`], of the socket that there is and all that there will be.
    pub(crate) fn greet(&self, prefix: Bytes, greeting: Greeting) {
        let socket = self.0.socket.borrow().clone();
        if let Some(socket) = socket {
            socket.greet(&prefix, &greeting);
        }
        self.0.greetings.borrow_mut().push((prefix, greeting));
    }

    /// As [`Socket::subscribe`], of the socket that there is and all that there will be, by what `filter` gives for each of them.
    pub(crate) fn subscribe(&self, filter: Filter) {
        if let Some(socket) = &*self.0.socket.borrow() {
            socket.subscribe(filter());
        }
        self.0.filters.borrow_mut().push(filter);
    }

    /// Whom the link connects to.
    pub(crate) fn address(&self) -> &Address {
        &self.0.address
    }

    /// Sends, if there is a peer.
    pub(crate) fn send(&self, frames: Frames) -> Result<(), Unsent> {
        let sent = match &*self.0.socket.borrow() {
            Some(socket) => socket.send(frames),
            None => return Err(Unsent { why: SendError::Gone, frames }),
        };
        if matches!(sent, Err(Unsent { why: SendError::Gone, .. })) {
            self.0.is_gone.set(true);
            self.0.wake();
        }
        sent
    }

    /// As [`Socket::poll_subscribers`], of the socket that there is or will be.
    pub(crate) fn poll_subscribers(&self, count: usize, cx: &mut Context<'_>) -> Poll<()> {
        // Also while there is one: it may be lost meanwhile.
        self.0.on_socket.replace(Some(cx.waker().clone()));
        match &*self.0.socket.borrow() {
            Some(socket) => socket.poll_subscribers(count, cx),
            None => Poll::Pending,
        }
    }

    /// As [`Socket::room`], of the socket that there is.
    pub(crate) fn room(&self) -> LocalFuture<'static, ()> {
        let room = self.0.socket.borrow().as_ref().map(|socket| socket.room());
        room.unwrap_or_else(|| Box::pin(std::future::ready(())))
    }

    /// As [`Socket::dropped`], of the socket that there is.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.socket.borrow().as_ref().map_or(0, |socket| socket.dropped())
    }

    /// Gives the next event, or wakes the last caller when there is one.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<LinkEvent> {
        let state = &self.0;
        if state.is_new.take() {
            return Poll::Ready(LinkEvent::Up);
        }
        // Kept even while there is a socket: a failed send wakes it.
        match &mut *state.waker.borrow_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        let event = match &*state.socket.borrow() {
            Some(socket) => socket.poll_recv(cx),
            None => return Poll::Pending,
        };
        match event {
            Poll::Ready(Event::Message(frames)) => return Poll::Ready(LinkEvent::Message(frames)),
            Poll::Pending if !state.is_gone.take() => return Poll::Pending,
            // Nothing else is told of a socket that connects.
            Poll::Pending | Poll::Ready(Event::Lost | Event::Met | Event::Alone) => {}
        }
        tracing::info!(connection = state.connection, address = %state.address, "lost the peer");
        state.is_gone.set(false);
        state.socket.take();
        let held = state.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        let pause = state.backoff.borrow_mut().lost(held, chance());
        self.connect_in(pause);
        Poll::Ready(LinkEvent::Down)
    }

    /// Ends the link for good, once all that was sent has left.
    pub(crate) async fn close(&self) {
        self.0.connecting.take();
        let socket = self.0.socket.take();
        if let Some(socket) = socket {
            socket.close().await;
        }
    }

    fn connect_in(&self, pause: Duration) {
        let state = Rc::clone(&self.0);
        let task = Task::spawn(async move {
            sleep(pause).await;
            let socket = connect(&state).await;
            state.since.set(Some(Instant::now()));
            if let Some(receiver) = &*state.receiver.borrow() {
                socket.deliver_to(Weak::clone(receiver));
            }
            Rc::clone(&socket).watch(&state.connection, &state.counters);
            state.filters.borrow().iter().for_each(|filter| socket.subscribe(filter()));
            state.socket.replace(Some(Rc::clone(&socket)));
            state.is_new.set(true);
            state.counters.count_connected(1);
            state.wake();
            if let Some(waker) = state.on_socket.take() {
                waker.wake();
            }
            // Last, as a greeting may do as it likes.
            let greetings = state.greetings.borrow().clone();
            greetings.iter().for_each(|(prefix, greeting)| socket.greet(prefix, greeting));
        });
        self.0.connecting.replace(Some(task));
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The task holds the state, so the state must not hold the task.
        self.0.connecting.take();
    }
}

impl State {
    /// The pause after an attempt that comes to nothing.
    fn pause(&self) -> Duration {
        self.backoff.borrow_mut().failed(chance())
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// Tries until it succeeds, by one attempt at a time: a peer that takes long for its handshake has to do with one connection.
async fn connect(state: &State) -> Rc<dyn Socket> {
    let since = Instant::now();
    let has_warned = Cell::new(false);
    let warn_once = |cause: &SocketError| {
        if !has_warned.replace(true) {
            warn(state, cause);
        }
    };
    loop {
        let mut attempt = pin!(state.engine.connect(state.role.clone(), &state.address, PATIENCE));
        let connected = match timeout(WORTH_A_WARNING, &mut attempt).await {
            Ok(connected) => connected,
            Err(_) => {
                warn_once(&SocketError::Silence { after: since.elapsed() });
                attempt.await
            }
        };
        let refused = match connected {
            Ok(socket) => return socket,
            Err(refused) => refused,
        };
        state.counters.count_dial_failed(refused.cause());
        if since.elapsed() >= WORTH_A_WARNING {
            warn_once(&refused);
        }
        sleep(state.pause()).await;
    }
}

fn warn(state: &State, cause: &SocketError) {
    let (connection, address) = (&state.connection, &state.address);
    tracing::warn!(connection, %address, cause = cause as &dyn std::error::Error, "waiting for the peer");
}

#[cfg(test)]
mod tests;
