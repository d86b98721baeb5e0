//! What a handler can do that may block its thread.

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use super::Context;
use crate::harness::Watch;
use crate::ports::{DeltaUpdateOut, ExternalTarget, Publisher, Requester, StateIn, StateOut, StatePort};
use crate::states::{Lent, StateStatus};
use crate::{Model, Result, State, Update, Value};

/// What a handler can do that may block its thread.
#[derive(Clone, Debug)]
pub struct BlockingContext(Context);

impl BlockingContext {
    pub(crate) fn new(cx: Context) -> Self {
        Self(cx)
    }

    pub(crate) fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        self.0.during(step)
    }

    /// The same context, for work that is spawned.
    pub fn as_async(&self) -> &Context {
        &self.0
    }

    /// As [`Context::workflow_id`].
    pub fn workflow_id(&self) -> Option<&str> {
        self.0.workflow_id()
    }

    /// As [`Context::topic`].
    pub fn topic(&self) -> Option<&str> {
        self.0.topic()
    }

    /// As [`Context::remaining`].
    pub fn remaining(&self) -> Option<Duration> {
        self.0.remaining()
    }

    /// Sends a request and blocks until the reply is there.
    ///
    /// # Errors
    ///
    /// As [`Context::request`].
    pub fn request<A: Model, R: Model>(&self, port: &Requester<A, R>, args: &A) -> Result<R> {
        block_on(self.0.request(port, args))
    }

    /// As [`request`](Self::request), for that long at most.
    ///
    /// # Errors
    ///
    /// As [`Context::request`].
    pub fn request_within<A: Model, R: Model>(
        &self,
        port: &Requester<A, R>,
        args: &A,
        deadline: Duration,
    ) -> Result<R> {
        block_on(self.0.request_within(port, args, deadline))
    }

    /// Calls an external target and blocks until it returns.
    ///
    /// # Errors
    ///
    /// As [`Context::call`].
    pub fn call<A: Model, R: Model>(&self, target: &ExternalTarget<A, R>, args: &A) -> Result<R> {
        block_on(self.0.call(target, args))
    }

    /// As [`Context::publish`], and not told if there is no room: what is to arrive goes by
    /// [`publish_when_ready`](Self::publish_when_ready).
    ///
    /// # Errors
    ///
    /// As [`Context::publish`], without `busy`.
    pub fn publish<A: Model>(&self, port: &Publisher<A>, args: &A) -> Result<()> {
        self.0.publish(port, args)
    }

    /// As [`Context::publish_when_ready`], blocking.
    ///
    /// # Errors
    ///
    /// As [`Context::publish_when_ready`].
    pub fn publish_when_ready<A: Model>(&self, port: &Publisher<A>, args: &A) -> Result<()> {
        block_on(self.0.publish_when_ready(port, args))
    }

    /// As [`Context::publish_to_when_ready`], blocking.
    ///
    /// # Errors
    ///
    /// As [`Context::publish_when_ready`].
    pub fn publish_to_when_ready<A: Model>(&self, port: &Publisher<A>, topic: &str, args: &A) -> Result<()> {
        block_on(self.0.publish_to_when_ready(port, topic, args))
    }

    /// As [`Context::publish_to`].
    ///
    /// # Errors
    ///
    /// As [`Context::publish`].
    pub fn publish_to<A: Model>(&self, port: &Publisher<A>, topic: &str, args: &A) -> Result<()> {
        self.0.publish_to(port, topic, args)
    }

    /// As [`Context::send`], blocking.
    ///
    /// # Errors
    ///
    /// As [`Context::send`].
    pub fn send(&self, connection: &str, args: &Value) -> Result<Value> {
        block_on(self.0.send(connection, args))
    }

    /// As [`Context::state`].
    ///
    /// # Errors
    ///
    /// As [`Context::state`].
    pub fn state<P: StatePort>(&self, port: &P) -> Result<Lent<P::State>> {
        self.0.state(port)
    }

    /// As [`Context::state_status`].
    ///
    /// # Errors
    ///
    /// As [`Context::state_status`].
    pub fn state_status<P: StateIn>(&self, port: &P) -> Result<StateStatus> {
        self.0.state_status(port)
    }

    /// Blocks until a copy is live, for that long at most.
    ///
    /// # Errors
    ///
    /// With the code `deadline` if the time is over first; and as [`Context::live`].
    pub fn live<P: StateIn>(&self, port: &P, at_most: Duration) -> Result<()> {
        block_on(self.0.timeout(at_most, self.0.live(port)))?
    }

    /// As [`Context::update`].
    ///
    /// # Errors
    ///
    /// As [`Context::update`].
    pub fn update<S: State>(&self, port: &DeltaUpdateOut<S>, change: &S::Change) -> Result<()> {
        self.0.update(port, change)
    }

    /// As [`Context::set`].
    ///
    /// # Errors
    ///
    /// As [`Context::set`].
    pub fn set<P: StateOut>(&self, port: &P, value: &P::State) -> Result<()> {
        self.0.set(port, value)
    }

    /// As [`Context::publish_update`].
    ///
    /// # Errors
    ///
    /// As [`Context::publish_update`].
    pub fn publish_update<S: State>(&self, port: &DeltaUpdateOut<S>, update: &Update<S>) -> Result<()> {
        self.0.publish_update(port, update)
    }

    /// Blocks for a time, or until the service is to stop: `false` if it is.
    pub fn sleep(&self, duration: Duration) -> bool {
        let mut stopping = std::pin::pin!(self.0.stopping());
        let mut sleep = std::pin::pin!(self.0.sleep(duration));
        block_on(std::future::poll_fn(|context| {
            if stopping.as_mut().poll(context).is_ready() {
                return Poll::Ready(false);
            }
            sleep.as_mut().poll(context).map(|()| true)
        }))
    }

    /// Whether the service is to stop. A loop in a blocking `main` asks this.
    pub fn is_stopping(&self) -> bool {
        let stopping = std::pin::pin!(self.0.stopping());
        stopping.poll(&mut std::task::Context::from_waker(Waker::noop())).is_ready()
    }

    /// Stops the service, as a signal would.
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// Parks the thread until a future is done.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread, Option<Arc<Watch>>);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            if let Some(watch) = &self.1 {
                watch.wakes();
            }
            self.0.unpark();
        }
    }
    let watch = Watch::current();
    let waker = Waker::from(Arc::new(Unpark(std::thread::current(), watch.clone())));
    let mut future = std::pin::pin!(future);
    loop {
        if let Some(watch) = &watch {
            watch.polls();
        }
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => {
                if let Some(watch) = &watch {
                    watch.sleeps();
                }
                std::thread::park();
            }
        }
    }
}
