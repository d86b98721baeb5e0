//! Makes calls, many over one socket: a DEALER that REP and ROUTER peers take for many REQs.

mod breaker;
mod budget;
mod call;
mod correlation;

use std::cell::{Cell, RefCell};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use service_framework_core::address::Address;
use thiserror::Error;
use tokio::time::{Sleep, sleep, timeout};

use self::breaker::Breaker;
use self::call::Slot;
use self::correlation::{Begun, Correlation, Was};
use crate::counters::{Counters, Refusal};
use crate::engine::{Engine, Frames, Receiver, Role, SendError, Unsent};
use crate::error::Error;
use crate::link::{Link, LinkEvent, Task};

pub use self::breaker::BreakerOptions;
pub use self::call::Call;

/// Why a call has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallError {
    /// The request was sent, and no reply came before the deadline.
    #[error("no reply came before the deadline")]
    Deadline,
    /// The deadline came before there was a connection, so nothing was sent.
    #[error("there was no connection to the peer before the deadline; nothing was sent")]
    NotConnected,
    /// The connection was lost after the request was sent.
    #[error("the peer was lost after the request was sent; whether it was handled is unknown")]
    PeerLost,
    /// Too many calls wait already.
    #[error("too many calls wait to be sent")]
    Full,
    /// The peer has failed again and again; it is asked once after each pause, by another call than this one.
    #[error("the peer has failed several times in a row, and is asked but now and then until it answers")]
    Unavailable,
    /// The peer answered with other than one frame.
    #[error("the reply is not one frame")]
    Malformed,
    /// The requester was closed or dropped.
    #[error("the requester was closed")]
    Closed,
}

/// How a requester behaves.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many calls may wait for a connection; more fail with [`CallError::Full`].
    pub waiting_max: usize,
    /// Writes a payload anew that waited for its connection: its caller waits that much longer, and no more.
    /// What is sent at once is sent as it is.
    pub with_time_left: fn(Bytes, Duration) -> Bytes,
    /// Whether what was sent by a connection that is lost is sent once more by the next, while its deadline lasts: the peer may then
    /// have done it twice. Such tries are bounded to ten, and one more for each ten calls.
    pub idempotent: bool,
    /// When a peer that fails is not asked any more: calls fail at once with [`CallError::Unavailable`].
    pub breaker: BreakerOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            waiting_max: 1_000,
            with_time_left: |payload, _| payload,
            idempotent: false,
            breaker: BreakerOptions::default(),
        }
    }
}

/// A connection that makes calls, connects by itself, and connects again when its peer was restarted.
pub struct Requester {
    inner: Rc<Inner>,
    _driver: Task,
}

struct Inner {
    link: Link,
    calls: RefCell<Correlation<Rc<Slot>>>,
    breaker: RefCell<Breaker>,
    counters: Arc<Counters>,
    with_time_left: fn(Bytes, Duration) -> Bytes,
    /// Correlation frames are cut from this, so that one allocation serves hundreds of calls.
    frames: RefCell<BytesMut>,
    /// Slots of calls that have ended, for those to come.
    spare: RefCell<Vec<Rc<Slot>>>,
    driver: RefCell<Option<Waker>>,
    /// When the driver wakes by itself; at or before the earliest deadline.
    alarm: Cell<Option<Instant>>,
}

/// Bytes of a correlation frame: the call's number, which is never 0.
const CORRELATION_LENGTH: usize = size_of::<u64>();
const FRAMES_CAPACITY: usize = 512 * CORRELATION_LENGTH;
const SPARE_MAX: usize = 64;
/// How many replies are taken before other tasks have their turn.
const BATCH: usize = 256;

impl Requester {
    /// Begins to connect to `address`, without waiting for it. Must be called inside a `LocalSet` or a `LocalRuntime`.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`] when the address can never be connected to. An absent peer is waited for instead.
    pub fn connect(
        engine: &Rc<dyn Engine>,
        connection: &str,
        address: &Address,
        options: Options,
    ) -> Result<Self, Error> {
        let counters = Arc::default();
        let link = Link::open(engine, Role::Dealer, connection, address, &counters)?;
        let inner = Rc::new(Inner {
            link,
            calls: RefCell::new(Correlation::new(options.waiting_max, options.idempotent)),
            breaker: RefCell::new(Breaker::new(options.breaker)),
            counters,
            with_time_left: options.with_time_left,
            frames: RefCell::default(),
            spare: RefCell::default(),
            driver: RefCell::default(),
            alarm: Cell::default(),
        });
        let receiver: Rc<dyn Receiver> = Rc::<Inner>::clone(&inner);
        inner.link.deliver_to(Rc::downgrade(&receiver));
        let driver = Rc::clone(&inner);
        let driver = Task::spawn(async move {
            let mut timer = pin!(sleep(Duration::ZERO));
            std::future::poll_fn(|cx| driver.drive(timer.as_mut(), cx)).await;
        });
        Ok(Self { inner, _driver: driver })
    }

    /// Whom it connects to.
    pub fn address(&self) -> &Address {
        self.inner.link.address()
    }

    /// What it carried and refused so far.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.inner.counters
    }

    /// Sends `payload` and waits for its reply, at most until `deadline`.
    ///
    /// It is sent when the future is first polled, or as soon as there is a connection; at most once, ever, unless
    /// [idempotent](Options::idempotent).
    /// Dropping the future forgets the call: a reply that comes later is dropped and counted.
    ///
    /// # Errors
    ///
    /// The future's [`CallError`].
    pub fn call(&self, payload: Bytes, deadline: Option<Instant>) -> Call {
        Call::new(Rc::clone(&self.inner), payload, deadline)
    }

    /// Fails all calls, and waits until what was sent has left the process, but for no longer than `linger`.
    pub async fn close(&self, linger: Duration) {
        self.inner.fail_all();
        let _ = timeout(linger, self.inner.link.close()).await;
    }
}

impl Drop for Requester {
    fn drop(&mut self) {
        self.inner.fail_all();
    }
}

impl std::fmt::Debug for Requester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Requester").field("address", self.address()).finish_non_exhaustive()
    }
}

impl Inner {
    /// Registers a call, and sends it if there is a connection.
    fn begin(&self, payload: Bytes, deadline: Option<Instant>, slot: &Rc<Slot>) -> Result<u64, CallError> {
        if !self.breaker.borrow_mut().admits(Instant::now) {
            return Err(CallError::Unavailable);
        }
        let begun = self.calls.borrow_mut().begin(payload, deadline, Rc::clone(slot))?;
        let number = match begun {
            Begun::Waits(number) => number,
            Begun::Send(number, payload) => {
                self.send(number, payload);
                number
            }
        };
        if let Some(deadline) = deadline
            && self.alarm.get().is_none_or(|alarm| deadline < alarm)
        {
            self.wake_driver();
        }
        Ok(number)
    }

    fn send(&self, number: u64, payload: Bytes) {
        let bytes = payload.len();
        let frames = Frames::from([self.correlation_frame(number), Bytes::new(), payload]);
        let failed = match self.link.send(frames) {
            Ok(()) => return self.counters.count_out(bytes),
            // The loss is noticed here first. Nothing was sent, so the call may wait for the next connection.
            Err(Unsent { why: SendError::Gone, mut frames }) => {
                let payload = frames.pop();
                self.calls.borrow_mut().put_back(number, payload)
            }
            Err(Unsent { why: SendError::Full, .. }) => {
                self.counters.count_refused(Refusal::QueueFull);
                self.calls.borrow_mut().forget(number).map(|slot| (slot, CallError::Full))
            }
        };
        if let Some((slot, error)) = failed {
            slot.end(Err(error));
        }
    }

    fn correlation_frame(&self, number: u64) -> Bytes {
        let mut frames = self.frames.borrow_mut();
        if frames.capacity() < CORRELATION_LENGTH {
            frames.reserve(FRAMES_CAPACITY);
        }
        frames.put_u64(number);
        frames.split().freeze()
    }

    /// Takes replies, connections, losses and deadlines as they come; never ends.
    fn drive(&self, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self.driver.borrow_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        let mut taken = 0;
        while let Poll::Ready(event) = self.link.poll(cx) {
            match event {
                LinkEvent::Message(frames) => self.receive(frames),
                LinkEvent::Up => {
                    self.breaker.borrow_mut().connected(Instant::now());
                    self.calls.borrow_mut().connected();
                    self.send_waiting(Instant::now());
                }
                LinkEvent::Down => {
                    // However many calls it had, the peer was lost once.
                    if self.calls.borrow().has_sent() {
                        self.fail(Instant::now());
                    }
                    let lost = self.calls.borrow_mut().disconnected();
                    lost.iter().for_each(|slot| slot.end(Err(CallError::PeerLost)));
                }
            }
            taken += 1;
            if taken == BATCH {
                cx.waker().wake_by_ref();
                break;
            }
        }
        loop {
            let earliest = self.calls.borrow_mut().earliest_deadline();
            match (earliest, self.alarm.get()) {
                (None, None) => return Poll::Pending,
                // An alarm that is too early costs one look; setting it for each call, or taking it back, would cost more.
                (Some(earliest), alarm) if alarm.is_none_or(|alarm| earliest < alarm) => {
                    timer.as_mut().reset(earliest.into());
                    self.alarm.set(Some(earliest));
                }
                // It was polled when it was set, and wakes by itself.
                _ if !timer.is_elapsed() => return Poll::Pending,
                _ => {}
            }
            std::task::ready!(timer.as_mut().poll(cx));
            self.alarm.set(None);
            self.expire(Instant::now());
        }
    }

    /// Sends what waited for a connection, but for what nobody waits for any more.
    fn send_waiting(&self, now: Instant) {
        self.expire(now);
        let next = || self.calls.borrow_mut().next_waiting();
        while let Some((number, payload, deadline)) = next() {
            let payload = match deadline {
                Some(deadline) => (self.with_time_left)(payload, deadline.saturating_duration_since(now)),
                None => payload,
            };
            self.send(number, payload);
        }
    }

    /// The peer gave a sign of life.
    fn live(&self) {
        if self.breaker.borrow_mut().live() {
            tracing::info!(address = %self.link.address(), "the peer is there again, and asked as before");
        }
    }

    /// The peer failed to answer.
    fn fail(&self, now: Instant) {
        if self.breaker.borrow_mut().fail(now) {
            tracing::warn!(address = %self.link.address(), "the peer fails again and again, and is asked but now and then");
        }
    }

    fn refuse(&self, reason: Refusal) {
        tracing::debug!(address = %self.link.address(), reason = reason.name(), "dropped a reply");
        self.counters.count_refused(reason);
    }

    fn expire(&self, now: Instant) {
        let next = || self.calls.borrow_mut().expired(now);
        let mut has_failed = false;
        while let Some((slot, was_sent)) = next() {
            // However many calls end at once, it is one failure.
            if !std::mem::replace(&mut has_failed, true) {
                self.fail(now);
            }
            slot.end(Err(if was_sent { CallError::Deadline } else { CallError::NotConnected }));
        }
    }

    fn forget(&self, number: u64) {
        let forgotten = self.calls.borrow_mut().forget(number);
        drop(forgotten);
    }

    /// Keeps the slot of a call that has its outcome.
    fn keep_spare(&self, slot: Rc<Slot>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE_MAX && Rc::strong_count(&slot) == 1 {
            slot.clear();
            spare.push(slot);
        }
    }

    fn fail_all(&self) {
        let open = self.calls.borrow_mut().close();
        open.iter().for_each(|slot| slot.end(Err(CallError::Closed)));
    }

    fn wake_driver(&self) {
        if let Some(waker) = &*self.driver.borrow() {
            waker.wake_by_ref();
        }
    }
}

impl Receiver for Inner {
    fn receive(&self, mut frames: Frames) {
        self.live();
        let number = match frames.first() {
            Some(frame) if frame.len() == CORRELATION_LENGTH => (&frame[..]).get_u64(),
            _ => return self.refuse(Refusal::UnknownReply),
        };
        if frames.get(1).is_none_or(|frame| !frame.is_empty()) {
            return self.refuse(Refusal::NoDelimiter);
        }
        let is_one_frame = frames.len() == 3;
        let payload = frames.pop().unwrap_or_default();
        let call = self.calls.borrow_mut().replied(number);
        match call {
            Ok(slot) if is_one_frame => {
                self.counters.count_in(payload.len());
                slot.end(Ok(payload));
            }
            Ok(slot) => {
                self.refuse(Refusal::FrameCount);
                slot.end(Err(CallError::Malformed));
            }
            Err(Was::Ended) => self.refuse(Refusal::LateReply),
            Err(Was::NeverSent) => self.refuse(Refusal::UnknownReply),
        }
    }
}
