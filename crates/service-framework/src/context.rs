//! What a handler can do besides answering: send, wait, run work beside itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use service_framework_core::declaration::{ConnectionKind, Declaration};
use service_framework_core::failure::code;
use service_framework_core::plugin::guest::{Guest, Host};
use service_framework_core::plugin::{Call, Outgoing};
use service_framework_core::wire::{self, Encoding, Writer};
use service_framework_core::workflow::WorkflowId;

use crate::harness::Watch;
use crate::logs::{self, Logs};
use crate::ports::{ExternalTarget, Publisher, Requester};
use crate::running::HOST_HAS_BOUNDED;
use crate::{Error, Map, Model, Result, Value};

/// What all calls of one service have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    host: Host,
    pub(crate) logs: Logs,
    service: String,
    /// Name and type of the connections, by their numbers.
    connections: Vec<(String, ConnectionKind)>,
    spawn: fn(&Host, Background),
}

/// Work beside a handler.
type Background = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Shared {
    pub(crate) fn new<G: Guest>(host: Host, logs: Logs, declaration: &Declaration) -> Self {
        let connections = declaration.connections.iter().map(|model| (model.name.clone(), model.kind));
        let spawn = |host: &Host, work: Background| host.spawn::<G>(work);
        Self { host, logs, service: declaration.name.clone(), connections: connections.collect(), spawn }
    }

    fn number(&self, name: &str) -> Result<(u32, ConnectionKind)> {
        let found = self.connections.iter().position(|(known, _)| known == name);
        let number = found.ok_or_else(|| {
            let known =
                self.connections.iter().filter(|(_, kind)| !kind.is_in()).map(|(name, _)| name.as_str());
            let near = service_framework_core::near::nearest(name, known);
            let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
            Error::msg(format!(
                "service `{}` declares no connection `{name}`: name its port in `#[service(uses(..))]`{near}",
                self.service
            ))
        })?;
        Ok((number as u32, self.connections[number].1))
    }
}

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
            until: call.deadline.and_then(|left| shared.host.now().checked_add(left)),
            shared,
            workflow_id: call.workflow_id.clone().map(WorkflowId::into_owned),
            sent: AtomicU32::new(0),
            topic: call.topic.map(str::to_owned),
        }))
    }

    pub(crate) fn enter<T>(&self, step: impl FnOnce() -> T) -> T {
        logs::enter(self, step)
    }

    fn logs(&self) -> &Logs {
        &self.0.shared.logs
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
    /// If the message cannot be written, or there is no room for it.
    pub fn publish<A: Model>(&self, port: &Publisher<A>, args: &A) -> Result<()> {
        self.publish_under(port.name(), None, args)
    }

    /// Publishes under a topic of this message's own.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub fn publish_to<A: Model>(&self, port: &Publisher<A>, topic: &str, args: &A) -> Result<()> {
        self.publish_under(port.name(), Some(topic), args)
    }

    /// Sends by name, for services whose ports are known only at run time: a request, a call of an external target, or a publication, which is answered with an empty map.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request) and [`publish`](Self::publish); and if there is no such connection.
    pub async fn send(&self, connection: &str, args: &Value) -> Result<Value> {
        let (_, kind) = self.0.shared.number(connection)?;
        if kind == ConnectionKind::Publisher {
            self.publish_under(connection, None, args)?;
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
        let Inner { shared, workflow_id, sent, .. } = &*self.0;
        let (connection, _) = shared.number(name)?;
        let (encoding, peer) = shared.host.encoding(connection);
        let mut writer = Writer::new(encoding, peer);
        args.encode(&mut writer);
        let args = writer
            .finish()
            .map_err(|fault| Error::msg(format!("cannot send by `{name}`: {}", fault.within("args"))))?;
        let id = workflow_id.as_ref().map(|id| id.sent(sent.fetch_add(1, Ordering::Relaxed)));
        let message = Outgoing {
            connection,
            encoding,
            args: &args,
            topic,
            workflow_id: id,
            deadline,
            remaining: self.remaining(),
        };
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
    pub fn spawn<F>(&self, work: impl FnOnce(Self) -> F + Send + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let cx = self.clone();
        let shared = &self.0.shared;
        (shared.spawn)(
            &shared.host,
            Box::pin(async move {
                let work = work(cx.clone());
                if let Err(failure) = cx.logs().of(&cx, work).await {
                    cx.logs().during(|| cx.enter(|| tracing::error!("background work ended: {failure}")));
                }
            }),
        );
    }

    /// Waits until the service is to stop. Work that goes on for ever ends with it.
    pub async fn stopping(&self) {
        _ = self.0.shared.host.stopping().await;
    }

    /// Stops the service, as a signal would.
    pub fn stop(&self) {
        self.0.shared.host.stop();
    }
}

/// What a handler can do that may block its thread.
#[derive(Clone, Debug)]
pub struct BlockingContext(Context);

impl BlockingContext {
    pub(crate) fn new(cx: Context) -> Self {
        Self(cx)
    }

    pub(crate) fn enter<T>(&self, step: impl FnOnce() -> T) -> T {
        self.0.enter(step)
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

    /// As [`Context::publish`].
    ///
    /// # Errors
    ///
    /// As [`Context::publish`].
    pub fn publish<A: Model>(&self, port: &Publisher<A>, args: &A) -> Result<()> {
        self.0.publish(port, args)
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
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
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
