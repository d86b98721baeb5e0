//! What a handler can do besides answering: send, wait, run work beside itself.

mod blocking;
mod shared;
mod states;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use service_framework_core::Fault;
use service_framework_core::declaration::ConnectionKind;
use service_framework_core::failure::code;
use service_framework_core::plugin::guest::Host;
use service_framework_core::plugin::{Call, Outgoing};
use service_framework_core::wire::{self, Encoding, Writer};
use service_framework_core::workflow::WorkflowId;

use crate::logs;
use crate::ports::{ExternalTarget, Publisher, Requester};
use crate::running::HOST_HAS_BOUNDED;
use crate::{Error, Map, Model, Result, Value};

pub use blocking::BlockingContext;
pub(crate) use shared::Shared;

/// What a handler can do besides answering. It may be cloned and kept, for work that outlives the handler.
#[derive(Clone, Debug)]
pub struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    workflow_id: Option<WorkflowId<'static>>,
    /// Messages sent so far.
    sent: AtomicU32,
    topic: Option<String>,
    /// By the host's clock.
    until: Option<Duration>,
}

impl Context {
    pub(crate) fn of_call(shared: Arc<Shared>, call: &Call<'_>) -> Self {
        Self(Arc::new(Inner {
            until: call.until,
            shared,
            workflow_id: call.workflow_id.clone().map(WorkflowId::into_owned),
            sent: AtomicU32::new(0),
            topic: call.topic.map(str::to_owned),
        }))
    }

    /// Runs a step of this call.
    pub(crate) fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        self.0.shared.around.during(|| logs::enter(self, step))
    }

    /// Polls a future of this call, and drops it, as steps of the call.
    pub(crate) async fn within<F: Future>(&self, future: F) -> F::Output {
        /// The future in its place, until it is done.
        struct Step<'c, F>(&'c Context, Pin<&'c mut Option<F>>);
        impl<F> Drop for Step<'_, F> {
            fn drop(&mut self) {
                if self.1.is_some() {
                    self.0.during(|| self.1.set(None));
                }
            }
        }
        let mut future = std::pin::pin!(Some(future));
        let mut step = Step(self, future.as_mut());
        std::future::poll_fn(|context| {
            self.during(|| {
                let future = step.1.as_mut().as_pin_mut().expect("it is polled until it is done");
                let polled = future.poll(context);
                if polled.is_ready() {
                    step.1.set(None);
                }
                polled
            })
        })
        .await
    }

    /// The id of the work that this call is part of; `None` in `main`, `init` and hooks, each of whose messages starts a new one.
    pub fn workflow_id(&self) -> Option<&str> {
        self.0.workflow_id.as_ref().map(WorkflowId::as_str)
    }

    /// The topic that the message came with.
    pub fn topic(&self) -> Option<&str> {
        self.0.topic.as_deref()
    }

    /// The time left for the answer; `None` if it may take any time.
    pub fn remaining(&self) -> Option<Duration> {
        self.0.until.map(|until| until.saturating_sub(self.0.shared.host.now()))
    }

    /// Sends a request and waits for the reply.
    ///
    /// # Errors
    ///
    /// With code `deadline` if no reply came in time, `disconnected` if the peer went away (it may have done the work or not), `bad_return` if the reply is not what the model
    /// allows, and with the peer's own code if it refused or failed.
    pub async fn request<A: Model, R: Model>(&self, port: &Requester<A, R>, args: &A) -> Result<R> {
        self.exchange(port.name(), args, None).await
    }

    /// Sends a request and waits for the reply, that long at most.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request).
    pub async fn request_within<A: Model, R: Model>(
        &self,
        port: &Requester<A, R>,
        args: &A,
        deadline: Duration,
    ) -> Result<R> {
        self.exchange(port.name(), args, Some(deadline)).await
    }

    /// Calls an external target.
    ///
    /// # Errors
    ///
    /// What its function says, with the code `panicked` if it panics and `deadline` if it takes too long.
    pub async fn call<A: Model, R: Model>(&self, target: &ExternalTarget<A, R>, args: &A) -> Result<R> {
        self.exchange(target.name(), args, None).await
    }

    /// Publishes; never waits.
    ///
    /// # Errors
    ///
    /// If the message cannot be written; with code `busy` if a subscriber has no room and the address book has `slow_subscriber` wait: nobody was
    /// sent it then, and [`publish_when_ready`](Self::publish_when_ready) would wait. Another thread than the service's is not told of that: what
    /// has no room then is dropped, and counted as `queue_full`.
    pub fn publish<A: Model>(&self, port: &Publisher<A>, args: &A) -> Result<()> {
        self.publish_under(port.name(), None, args)
    }

    /// Publishes, once all subscribers have room where the address book has `slow_subscriber` wait: then no subscriber that is there and stays misses
    /// it, and the slowest sets the pace, for `main` without bound. Where the book has anything else, as [`publish`](Self::publish). Dropping the future may
    /// leave the message unpublished.
    ///
    /// # Errors
    ///
    /// If the message cannot be written, or the service has stopped; with code `deadline` if there was no room in the time of the handler.
    pub async fn publish_when_ready<A: Model>(&self, port: &Publisher<A>, args: &A) -> Result<()> {
        self.publish_in_turn(port.name(), None, args).await
    }

    /// Publishes under a topic of this message's own, as [`publish_when_ready`](Self::publish_when_ready) does.
    ///
    /// # Errors
    ///
    /// As [`publish_when_ready`](Self::publish_when_ready).
    pub async fn publish_to_when_ready<A: Model>(
        &self,
        port: &Publisher<A>,
        topic: &str,
        args: &A,
    ) -> Result<()> {
        self.publish_in_turn(port.name(), Some(topic), args).await
    }

    /// Publishes under a topic of this message's own.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub fn publish_to<A: Model>(&self, port: &Publisher<A>, topic: &str, args: &A) -> Result<()> {
        self.publish_under(port.name(), Some(topic), args)
    }

    /// Sends by name, for services whose ports are known only at run time: a request, a call of an external target, or a publication, which waits as
    /// [`publish_when_ready`](Self::publish_when_ready) and is answered with an empty map.
    ///
    /// By the name of a state that the service owns it is given that: a full one its value, one of deltas `{"state": .., "is_snapshot": ..}`, where a `state` that
    /// is no snapshot has null for the keys to remove, and `current_num` may be given, too. That is answered with an empty map.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request), [`publish`](Self::publish) and [`update`](Self::update); and if there is no such connection or state.
    pub async fn send(&self, connection: &str, args: &Value) -> Result<Value> {
        if self.0.shared.is_state(connection) {
            self.send_state(connection, args)?;
            return Ok(Value::Map(Map::new()));
        }
        let (_, kind) = self.0.shared.number(connection)?;
        if kind == ConnectionKind::Publisher {
            self.publish_in_turn(connection, None, args).await?;
            return Ok(Value::Map(Map::new()));
        }
        self.exchange(connection, args, None).await
    }

    async fn exchange<A: Model, R: Model>(
        &self,
        name: &str,
        args: &A,
        deadline: Option<Duration>,
    ) -> Result<R> {
        let operation =
            self.outgoing(name, None, deadline, args, |host, message| Ok(host.request(&message)))?;
        let returned = operation.await?;
        // A model that is data is checked by the host, too.
        wire::decode(&returned, Encoding::of(&returned), &HOST_HAS_BOUNDED).map_err(|fault| {
            let fault = fault.within("return_args");
            Error::new(
                code::BAD_RETURN,
                format!("the reply of `{name}` is not what its model allows: {fault}"),
            )
        })
    }

    async fn publish_in_turn<A: Model>(&self, name: &str, topic: Option<&str>, args: &A) -> Result<()> {
        let operation = self.outgoing(name, topic, None, args, |host, message| Ok(host.request(&message)))?;
        operation.await.map(drop)
    }

    fn publish_under<A: Model>(&self, name: &str, topic: Option<&str>, args: &A) -> Result<()> {
        self.outgoing(name, topic, None, args, |host, message| host.publish(&message))
    }

    /// Encodes arguments as the connection wants them, and sends them with the next workflow id of this call.
    fn outgoing<A: Model, T>(
        &self,
        name: &str,
        topic: Option<&str>,
        deadline: Option<Duration>,
        args: &A,
        send: impl FnOnce(&Host, Outgoing<'_>) -> Result<T>,
    ) -> Result<T> {
        let (connection, _) = self.0.shared.number(name)?;
        self.outgoing_by(connection, name, topic, deadline, &|writer| args.encode(writer), send)
    }

    /// As [`outgoing`](Self::outgoing), for what has that number.
    fn outgoing_by<T>(
        &self,
        connection: u32,
        name: &str,
        topic: Option<&str>,
        deadline: Option<Duration>,
        write: &dyn Fn(&mut Writer),
        send: impl FnOnce(&Host, Outgoing<'_>) -> Result<T>,
    ) -> Result<T> {
        let Inner { shared, workflow_id, sent, until, .. } = &*self.0;
        let (encoding, peer) = shared.host.encoding(connection);
        let mut writer = Writer::new(encoding, peer);
        write(&mut writer);
        let args = writer.finish().map_err(|fault| unwritten(name, fault))?;
        let id = workflow_id.as_ref().map(|id| id.sent(sent.fetch_add(1, Ordering::Relaxed)));
        let message =
            Outgoing { connection, encoding, args: &args, topic, workflow_id: id, deadline, until: *until };
        send(&shared.host, message)
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        // Waiting cannot fail; a host that is gone has nobody left to wake.
        _ = self.0.shared.host.sleep(duration).await;
    }

    /// Waits for a future, that long at most.
    ///
    /// # Errors
    ///
    /// With the code `deadline` if the time is over first; the future is then dropped.
    pub async fn timeout<T>(&self, duration: Duration, future: impl Future<Output = T>) -> Result<T> {
        let mut future = std::pin::pin!(future);
        let mut sleep = std::pin::pin!(self.sleep(duration));
        std::future::poll_fn(|context| {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(value));
            }
            let late = || Err(Error::new(code::DEADLINE, format!("not done within {duration:?}")));
            sleep.as_mut().poll(context).map(|()| late())
        })
        .await
    }

    /// Runs work beside the handlers, on the service's thread, until it ends or the service does. Its failure is logged.
    ///
    /// Work that has asked for the stop, by [`stopping`](Self::stopping), is waited for when the service stops, as handlers are. Other work is
    /// dropped when they have ended.
    pub fn spawn<F>(&self, work: impl FnOnce(Self) -> F + Send + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let cx = self.clone();
        let shared = &self.0.shared;
        (shared.spawn)(
            &shared.host,
            Box::pin(async move {
                let work = async {
                    if let Err(failure) = work(cx.clone()).await {
                        tracing::error!("background work ended: {failure}");
                    }
                };
                cx.within(work).await;
            }),
        );
    }

    /// Waits until the service is to stop.
    ///
    /// A `main`, or work of [`spawn`](Self::spawn), that has called this is given the time to drain to end by itself; one that never has is
    /// dropped.
    pub async fn stopping(&self) {
        _ = self.0.shared.host.stopping().await;
    }

    /// Stops the service, as a signal would.
    pub fn stop(&self) {
        self.0.shared.host.stop();
    }
}

/// What has no form on the wire.
fn unwritten(name: &str, fault: Fault) -> Error {
    Error::msg(format!("cannot send by `{name}`: {}", fault.within("args")))
}
