//! A copy of a delta state on its sockets: takes updates as they are read, and asks for the whole when one is missing.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use service_framework_connections::subscriber::Arrival;
use service_framework_connections::{Delivery, Requester, Subscriber};
use service_framework_core::wire::Limits;
use service_framework_core::{Failure, Fault};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::aside::{SMALL_BYTES, aside};
use crate::delta::Reader;
use crate::delta::reader::{Event, Joined, Output, Parts, Settings};
use crate::hearing;
use crate::message::{SnapshotReply, SnapshotRequest, Update};
use crate::news::{Figures, News, Standing, Take};

/// What becomes of a message whose reader panics.
const UNREAD: &str = "it could not be read";

/// How a copy behaves.
#[derive(Clone, Debug)]
pub struct ReaderOptions {
    /// The topic that it takes alone, if there is one.
    pub topic: Option<String>,
    /// Bounds on updates.
    pub limits: Limits,
    /// Bounds on replies.
    pub reply_limits: Limits,
    /// How long a reply may take.
    pub deadline: Duration,
    /// The longest workflow id that is taken, in bytes.
    pub max_workflow_id_bytes: usize,
    /// How the protocol behaves.
    pub protocol: Settings,
}

/// A copy of a delta state, on the thread of its sockets. Dropping it ends it.
pub struct DeltaUpdateIn {
    inner: Rc<Inner>,
    task: JoinHandle<()>,
}

struct Inner {
    machine: RefCell<Reader>,
    subscriber: Rc<Subscriber>,
    requester: Requester,
    options: ReaderOptions,
    take: Take,
    figures: Arc<Mutex<Figures>>,
    unreadable: Cell<u64>,
    /// What it has asked for, or has put together of the parts of that.
    ask: RefCell<Option<Ask>>,
    /// A long update that is read elsewhere; whatever comes meanwhile waits behind it.
    reading: RefCell<Option<Reading>>,
    delivery: RefCell<Option<Delivery>>,
    /// Why what was asked for last did not come, which was said then.
    in_vain: RefCell<Option<Arc<str>>>,
    alarm: Alarm,
}

type Ask = Pin<Box<dyn Future<Output = Result<Answer, String>>>>;

/// What came of it that the copy asked for the whole.
enum Answer {
    Reply(SnapshotReply),
    Joined(Joined),
}

type Reading = Pin<Box<dyn Future<Output = Result<Update, Fault>>>>;

impl DeltaUpdateIn {
    /// Begins to take updates, and tells `take` what is new. Must be called inside a `LocalSet` or a `LocalRuntime`.
    pub fn open(
        subscriber: Rc<Subscriber>,
        requester: Requester,
        options: ReaderOptions,
        take: Take,
    ) -> Self {
        let machine = Reader::new(options.protocol, Instant::now().into_std());
        let figures = Arc::new(Mutex::new(figures(&machine, 0, None)));
        let inner = Rc::new(Inner {
            machine: RefCell::new(machine),
            subscriber,
            requester,
            options,
            take,
            figures,
            unreadable: Cell::new(0),
            ask: RefCell::default(),
            reading: RefCell::default(),
            delivery: RefCell::default(),
            in_vain: RefCell::default(),
            alarm: Alarm::default(),
        });
        let task = tokio::task::spawn_local(Rc::clone(&inner).go_on());
        Self { inner, task }
    }

    /// What can be read of it from any thread.
    pub fn figures(&self) -> &Arc<Mutex<Figures>> {
        &self.inner.figures
    }

    /// Where updates come from.
    pub fn subscriber(&self) -> &Subscriber {
        &self.inner.subscriber
    }

    /// Where the whole is asked for.
    pub fn requester(&self) -> &Requester {
        &self.inner.requester
    }

    /// Closes both sockets, within `linger`.
    pub async fn close(&self, linger: Duration) {
        self.task.abort();
        self.inner.end();
        tokio::join!(self.inner.subscriber.close(linger), self.inner.requester.close(linger));
    }
}

impl Drop for DeltaUpdateIn {
    fn drop(&mut self) {
        self.task.abort();
        self.inner.end();
    }
}

impl std::fmt::Debug for DeltaUpdateIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeltaUpdateIn").field("figures", &*self.inner.figures.lock()).finish_non_exhaustive()
    }
}

impl Inner {
    /// Waits for what is not delivered: the link, replies, and times.
    async fn go_on(self: Rc<Self>) {
        self.listen();
        self.settle();
        poll_fn(|context| {
            while self.step(context) {}
            Poll::<()>::Pending
        })
        .await;
    }

    fn listen(self: &Rc<Self>) {
        let delivery = hearing::deliver(&self.subscriber, self, |this, frame| this.arrived(frame));
        self.delivery.replace(Some(delivery));
    }

    fn end(&self) {
        self.delivery.take();
        self.reading.take();
        // It holds whom it asks for.
        self.ask.take();
    }

    /// Does one thing, if there is any to do.
    fn step(self: &Rc<Self>, context: &mut Context<'_>) -> bool {
        let reading = self.reading.take();
        if let Some(mut reading) = reading {
            let Poll::Ready(update) = reading.as_mut().poll(context) else {
                // Not even a reply overtakes it, nor is its owner silent.
                self.reading.replace(Some(reading));
                return false;
            };
            self.take_in(update);
            self.listen();
            return true;
        }
        if let Poll::Ready(arrival) = self.subscriber.poll_arrival(context) {
            match arrival {
                Arrival::Up => self.with(Reader::connected),
                Arrival::Down => self.with(Reader::disconnected),
                Arrival::Message(frame) => self.arrived(&frame),
            }
            return true;
        }
        let mut ask = self.ask.take();
        if let Some(asking) = &mut ask {
            match asking.as_mut().poll(context) {
                Poll::Ready(answer) => {
                    self.answered(answer);
                    return true;
                }
                Poll::Pending => _ = self.ask.replace(ask),
            }
        }
        let is_time = self.alarm.poll(self.next_wake(), context).is_ready();
        if is_time {
            self.with(Reader::tick);
        }
        is_time
    }

    fn next_wake(&self) -> Option<Instant> {
        self.machine.borrow().next_wake().map(Instant::from_std)
    }

    fn with(&self, step: impl FnOnce(&mut Reader, std::time::Instant)) {
        step(&mut self.machine.borrow_mut(), Instant::now().into_std());
        self.settle();
    }

    fn arrived(&self, frame: &Bytes) {
        let payload = match hearing::payload(frame, self.options.topic.as_deref()) {
            Ok(payload) => payload,
            Err(fault) => {
                self.count(&fault);
                return self.settle();
            }
        };
        let ReaderOptions { limits, max_workflow_id_bytes, .. } = self.options;
        if payload.len() < SMALL_BYTES {
            return self.take_in(Update::read(payload, &limits, max_workflow_id_bytes));
        }
        // What comes behind it waits in the socket, which bounds that.
        self.delivery.take();
        let (bytes, payload) = (payload.len(), frame.slice_ref(payload));
        self.reading.replace(Some(Box::pin(async move {
            let read = aside(bytes, move || Update::read(&payload, &limits, max_workflow_id_bytes)).await;
            read.unwrap_or_else(|| Err(Fault::malformed(UNREAD)))
        })));
        self.alarm.wake();
    }

    fn take_in(&self, update: Result<Update, Fault>) {
        match update {
            Ok(update) => {
                self.with(|machine, now| machine.update(update, now, &mut |event| self.accept(event)))
            }
            Err(fault) => {
                self.count(&fault);
                self.with(Reader::missed);
            }
        }
    }

    fn count(&self, fault: &Fault) {
        tracing::warn!(address = %self.subscriber.address(), "no update of a state: {fault}");
        self.unreadable.set(self.unreadable.get() + 1);
    }

    fn answered(&self, answer: Result<Answer, String>) {
        let address = self.requester.address();
        let in_vain = answer.as_ref().err().map(|why| Arc::from(&**why));
        let before = self.in_vain.replace(in_vain);
        match &answer {
            Ok(_) => {}
            // Once for each time that nothing comes, as it is asked for again and again.
            Err(why) if before.is_none() => {
                tracing::warn!(%address, "the whole of a state was asked for in vain, and is asked for again: {why}");
            }
            Err(why) => tracing::debug!(%address, "the whole of a state was asked for in vain: {why}"),
        }
        let accept = &mut |event: &Event<'_>| self.accept(event);
        self.with(|machine, now| match answer {
            Ok(Answer::Reply(reply)) => machine.reply(&reply, now, accept),
            Ok(Answer::Joined(joined)) => machine.joined(joined, now, accept),
            Err(_) => machine.ask_failed(now),
        });
    }

    fn accept(&self, event: &Event<'_>) -> Result<(), Failure> {
        (self.take)(&event.into()).inspect_err(|failure| {
            tracing::warn!(address = %self.subscriber.address(), "an update of a state was refused: {failure}");
        })
    }

    /// Does what the machine wants, and tells how the copy stands.
    fn settle(&self) {
        let next = || self.machine.borrow_mut().poll();
        while let Some(output) = next() {
            match output {
                Output::Ask(request) => {
                    self.ask.replace(Some(self.ask_for(&request)));
                    self.alarm.wake();
                }
                Output::Join(parts) => {
                    self.ask.replace(Some(Box::pin(join(parts))));
                    self.alarm.wake();
                }
                Output::Status { status, since, number } => {
                    // There is nothing in a status to refuse.
                    _ = (self.take)(&News::Status(Standing { status, since, number }));
                }
            }
        }
        *self.figures.lock() =
            figures(&self.machine.borrow(), self.unreadable.get(), self.in_vain.borrow().clone());
        self.alarm.bring_forward(self.next_wake());
    }

    /// Asks the owner, and reads its reply.
    fn ask_for(&self, request: &SnapshotRequest) -> Ask {
        let until = Instant::now() + self.options.deadline;
        let call = self.requester.call(request.write().into(), Some(until.into_std()));
        let limits = self.options.reply_limits;
        Box::pin(async move {
            match call.await {
                Ok(reply) => read(reply, limits).await,
                Err(error) => Err(error.to_string()),
            }
        })
    }
}

async fn read(reply: Bytes, limits: Limits) -> Result<Answer, String> {
    let bytes = reply.len();
    let read = aside(bytes, move || SnapshotReply::read(&reply, &limits)).await;
    let reply = read.ok_or_else(|| UNREAD.to_owned())?;
    reply.map(Answer::Reply).map_err(|failure| failure.to_string())
}

async fn join(parts: Parts) -> Result<Answer, String> {
    let joined = aside(parts.memory_bytes(), || parts.join()).await;
    joined.map(Answer::Joined).ok_or_else(|| "its parts could not be put together".to_owned())
}

fn figures(machine: &Reader, unreadable: u64, in_vain: Option<Arc<str>>) -> Figures {
    let standing = Standing { status: machine.status(), since: machine.since(), number: machine.number() };
    let entries = machine.copy().map_or(0, crate::Copy::len);
    Figures { standing, lag: machine.lag(), entries, counts: machine.counts(), unreadable, in_vain }
}
