//! A copy of a full state on its socket: the last value that came, and whether its owner is still heard.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use service_framework_connections::Subscriber;
use service_framework_connections::subscriber::Arrival;
use service_framework_core::failure::code;
use service_framework_core::value::Uuid;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Failure, Fault, Value};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::asking::Asking;
use crate::delta::reader::{Counts, Status};
use crate::hearing;
use crate::message::{Content, FullUpdate, Origin};
use crate::news::{self, Figures, News, Standing, Take};

/// How a copy behaves.
#[derive(Clone, Debug)]
pub struct FullOptions {
    /// The topic that it takes alone, if there is one.
    pub topic: Option<String>,
    /// Bounds on each message.
    pub limits: Limits,
    /// The longest workflow id that is taken, in bytes.
    pub max_workflow_id_bytes: usize,
    /// After how long without a value or a sign of life the copy is stale; `None` if its owner may be silent for ever, unless it says that it is not.
    pub expect_every: Option<Duration>,
}

/// After how many of its owner's heartbeats without any the copy is stale.
const PATIENCE_HEARTBEATS: u32 = 3;

/// A copy of a full state, on the thread of its socket. Dropping it ends it.
///
/// It asks an owner of ours for the last value, whenever it is connected; see [`FullUpdateOut`](crate::FullUpdateOut) for where that is in vain. A value that it has already
/// makes it live again, and is not taken twice.
pub struct FullUpdateIn {
    inner: Rc<Inner>,
    task: JoinHandle<()>,
}

struct Inner {
    subscriber: Rc<Subscriber>,
    options: FullOptions,
    take: Take,
    figures: Arc<Mutex<Figures>>,
    asking: Asking,
    /// When its owner was heard last.
    heard: Cell<Instant>,
    /// Which value it has, if its owner says that.
    origin: Cell<Option<Origin>>,
    /// The start of the owner before this one.
    former: Cell<Option<Uuid>>,
    /// How often its owner says something at least, if it does.
    heartbeat: Cell<Option<Duration>>,
    alarm: Alarm,
}

impl FullUpdateIn {
    /// Begins to take values, and tells `take` what is new. Must be called inside a `LocalSet` or a `LocalRuntime`.
    pub fn open(subscriber: Rc<Subscriber>, options: FullOptions, take: Take) -> Self {
        let standing = Standing { status: Status::Syncing, since: Instant::now().into_std(), number: None };
        let (counts, in_vain) = (Counts::default(), None);
        let figures = Figures { standing, lag: 0, entries: 0, counts, unreadable: 0, in_vain };
        let asking = Asking::new(options.topic.as_deref());
        let asked = asking.clone();
        subscriber.subscribe(move || asked.marker());
        let inner = Rc::new(Inner {
            subscriber,
            options,
            take,
            figures: Arc::new(Mutex::new(figures)),
            asking,
            heard: Cell::new(Instant::now()),
            origin: Cell::default(),
            former: Cell::default(),
            heartbeat: Cell::default(),
            alarm: Alarm::default(),
        });
        let task = tokio::task::spawn_local(Rc::clone(&inner).go_on());
        Self { inner, task }
    }

    /// What can be read of it from any thread.
    pub fn figures(&self) -> &Arc<Mutex<Figures>> {
        &self.inner.figures
    }

    /// Where values come from.
    pub fn subscriber(&self) -> &Subscriber {
        &self.inner.subscriber
    }

    /// Closes the socket, within `linger`.
    pub async fn close(&self, linger: Duration) {
        self.task.abort();
        self.inner.subscriber.close(linger).await;
    }
}

impl Drop for FullUpdateIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl std::fmt::Debug for FullUpdateIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FullUpdateIn").field("figures", &*self.inner.figures.lock()).finish_non_exhaustive()
    }
}

impl Inner {
    /// Waits for what is not delivered: the link, and silence.
    async fn go_on(self: Rc<Self>) {
        let _delivery = hearing::deliver(&self.subscriber, &self, |this, frame| this.arrived(frame));
        poll_fn(|context| {
            while let Poll::Ready(arrival) = self.subscriber.poll_arrival(context) {
                match arrival {
                    Arrival::Message(frame) => self.arrived(&frame),
                    Arrival::Down => self.lose(),
                    // Whether the value is still the owner's, the next one says.
                    Arrival::Up => {}
                }
            }
            while self.alarm.poll(self.silent_at(), context).is_ready() {
                self.lose();
            }
            Poll::<()>::Pending
        })
        .await;
    }

    /// When the copy is stale if nothing more is heard; `None` if it is already, or never.
    fn silent_at(&self) -> Option<Instant> {
        if self.figures.lock().standing.status != Status::Live {
            return None;
        }
        let heartbeats = self.heartbeat.get().map(|every| every.saturating_mul(PATIENCE_HEARTBEATS));
        let patience = heartbeats.into_iter().chain(self.options.expect_every).min()?;
        self.heard.get().checked_add(patience)
    }

    fn arrived(&self, frame: &[u8]) {
        match self.payload(frame) {
            Ok(None) => {}
            Ok(Some(payload)) => {
                if let Err(failure) = self.receive(payload) {
                    self.count(&failure);
                    // Whatever is wrong with it: its owner may have another value now.
                    self.lose();
                }
            }
            Err(fault) => self.count(&Failure::new(code::BAD_MESSAGE, fault.to_string())),
        }
        self.alarm.bring_forward(self.silent_at());
    }

    fn count(&self, failure: &Failure) {
        tracing::warn!(address = %self.subscriber.address(), "no value of a state: {failure}");
        let mut figures = self.figures.lock();
        match failure.code() {
            code::BAD_ARGS => figures.counts.refused += 1,
            _ => figures.unreadable += 1,
        }
    }

    /// What stands behind the topic; `None` if it was sent to a copy of another state.
    fn payload<'f>(&self, frame: &'f [u8]) -> Result<Option<&'f [u8]>, Fault> {
        let Some(frame) = self.asking.strip(frame) else { return Ok(None) };
        hearing::payload(frame, self.options.topic.as_deref()).map(Some)
    }

    fn receive(&self, payload: &[u8]) -> Result<(), Failure> {
        let FullOptions { limits, max_workflow_id_bytes, .. } = &self.options;
        let update = FullUpdate::read(payload, limits, *max_workflow_id_bytes)?;
        let has_it = match (self.origin.get(), update.origin) {
            (Some(ours), Some(theirs)) => ours.epoch == theirs.epoch && ours.number >= theirs.number,
            _ => false,
        };
        self.heartbeat.set(update.heartbeat);
        match update.content {
            Content::Value if !has_it => self.replace(&update)?,
            // A value was lost on the way; the next one comes whole.
            Content::Heartbeat if !has_it => {
                self.lose();
                return Ok(());
            }
            _ => {}
        }
        self.heard.set(Instant::now());
        self.stand(Status::Live);
        Ok(())
    }

    fn replace(&self, update: &FullUpdate<'_>) -> Result<(), Failure> {
        let bad = |fault: Fault| Failure::new(code::BAD_MESSAGE, fault.to_string());
        let transcoded;
        let args = match update.encoding {
            Encoding::MessagePack => update.args,
            Encoding::Json => {
                let value: Value =
                    wire::decode(update.args, Encoding::Json, &self.options.limits).map_err(bad)?;
                transcoded = wire::encode(&value, Encoding::MessagePack).map_err(bad)?;
                &transcoded
            }
        };
        let value = news::Value::Full(args);
        (self.take)(&News::Value { value, number: None, workflow_id: update.workflow_id.as_ref() })?;
        let epoch = |origin: Option<Origin>| origin.map(|origin| origin.epoch);
        let (before, now) = (epoch(self.origin.replace(update.origin)), epoch(update.origin));
        if before != now {
            let former = self.former.replace(before);
            // One that was followed by another does not come back, unless both are there.
            if now.is_some() && former == now {
                self.figures.lock().counts.other_owner += 1;
                tracing::warn!(address = %self.subscriber.address(), "two services publish a state in turns");
            }
        }
        self.figures.lock().counts.replaced += 1;
        Ok(())
    }

    /// The value that there is may not be the owner's any more.
    fn lose(&self) {
        if self.figures.lock().standing.status == Status::Live {
            self.stand(Status::Stale);
        }
    }

    fn stand(&self, status: Status) {
        let standing = Standing { status, since: Instant::now().into_std(), number: None };
        let before = std::mem::replace(&mut self.figures.lock().standing.status, status);
        if before == status {
            return;
        }
        self.figures.lock().standing = standing;
        // There is nothing in a status to refuse.
        _ = (self.take)(&News::Status(standing));
    }
}
