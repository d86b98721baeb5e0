//! A copy of a full state on its socket: the last value that came, and whether its owner is still heard.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use service_framework_connections::subscriber::Arrival;
use service_framework_connections::{Delivery, Subscriber};
use service_framework_core::envelope::Request;
use service_framework_core::failure::code;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Failure, Fault, Value, topic};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::delta::reader::{Counts, Status};
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
    /// After how long without a value the copy is stale; `None` if its owner may be silent for ever.
    pub expect_every: Option<Duration>,
}

/// A copy of a full state, on the thread of its socket. Dropping it ends it.
pub struct FullUpdateIn {
    inner: Rc<Inner>,
    task: JoinHandle<()>,
}

struct Inner {
    subscriber: Rc<Subscriber>,
    options: FullOptions,
    take: Take,
    figures: Arc<Mutex<Figures>>,
    heard: RefCell<Instant>,
}

impl FullUpdateIn {
    /// Begins to take values, and tells `take` what is new. Must be called inside a `LocalSet` or a `LocalRuntime`.
    pub fn open(subscriber: Rc<Subscriber>, options: FullOptions, take: Take) -> Self {
        let standing = Standing { status: Status::Syncing, since: Instant::now().into_std(), number: None };
        let figures = Figures { standing, lag: 0, entries: 0, counts: Counts::default(), unreadable: 0 };
        let inner = Rc::new(Inner {
            subscriber,
            options,
            take,
            figures: Arc::new(Mutex::new(figures)),
            heard: RefCell::new(Instant::now()),
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
        let this = Rc::downgrade(&self);
        let _delivery: Delivery = self.subscriber.deliver_to(move |frame| {
            if let Some(this) = this.upgrade() {
                this.arrived(&frame);
            }
        });
        let mut silence = pin!(sleep(self.options.expect_every.unwrap_or_default()));
        poll_fn(|context| {
            while let Poll::Ready(arrival) = self.subscriber.poll_arrival(context) {
                match arrival {
                    Arrival::Message(frame) => self.arrived(&frame),
                    Arrival::Down => self.lose(),
                    // Whether the value is still the owner's, the next one says.
                    Arrival::Up => {}
                }
            }
            let Some(every) = self.options.expect_every else { return Poll::Pending };
            while silence.as_mut().poll(context).is_ready() {
                let due = *self.heard.borrow() + every;
                if Instant::now() >= due {
                    self.lose();
                    silence.as_mut().reset(Instant::now() + every);
                } else {
                    silence.as_mut().reset(due);
                }
            }
            Poll::<()>::Pending
        })
        .await;
    }

    fn arrived(&self, frame: &[u8]) {
        if let Err(failure) = self.receive(frame) {
            tracing::warn!(address = %self.subscriber.address(), "no value of a state: {failure}");
            let mut figures = self.figures.lock();
            match failure.code() == code::BAD_ARGS {
                true => figures.counts.refused += 1,
                false => figures.unreadable += 1,
            }
        }
    }

    fn receive(&self, frame: &[u8]) -> Result<(), Failure> {
        let FullOptions { topic: wanted, limits, max_workflow_id_bytes, .. } = &self.options;
        let bad = |fault: Fault| Failure::new(code::BAD_MESSAGE, fault.to_string());
        let (topic, payload) = topic::split(frame).map_err(bad)?;
        if wanted.is_some() && topic != wanted.as_deref() {
            return Err(bad(Fault::malformed("it does not have the topic that was subscribed to")));
        }
        let request =
            Request::read(payload, limits, *max_workflow_id_bytes).map_err(|refusal| refusal.failure)?;
        let transcoded;
        let args = match request.encoding {
            Encoding::MessagePack => request.args,
            Encoding::Json => {
                let value: Value = wire::decode(request.args, Encoding::Json, limits).map_err(bad)?;
                transcoded = wire::encode(&value, Encoding::MessagePack).map_err(bad)?;
                &transcoded
            }
        };
        let value = news::Value::Full(args);
        (self.take)(&News::Value { value, number: None, workflow_id: request.workflow_id.as_ref() })?;
        self.heard.replace(Instant::now());
        self.figures.lock().counts.replaced += 1;
        self.stand(Status::Live);
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
