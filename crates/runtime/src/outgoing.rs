//! Sends what a service sends: requests, publications, calls of external targets.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::publisher::NoRoom;
use service_framework_connections::{CallError, Publisher, requester};
use service_framework_core::declaration::{ConnectionKind, Declaration};
use service_framework_core::envelope::{Reply, Request};
use service_framework_core::failure::code;
use service_framework_core::model::Shape;
use service_framework_core::plugin::host::time_of;
use service_framework_core::plugin::{Call, Outgoing, Target};
use service_framework_core::settings::{ConnectionSettings, SlowSubscriber};
use service_framework_core::topic;
use service_framework_core::value::Value;
use service_framework_core::wire::{self, Encoding, Peer};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, Fault};

use crate::connection::Connection;
use crate::job::{self, Progress, Role};
use crate::local::Local;
use crate::log::workflow;

/// A message that goes by another thread, or waits.
#[derive(Debug)]
pub(crate) struct OwnedOutgoing {
    connection: usize,
    encoding: Encoding,
    args: Bytes,
    topic: Option<String>,
    workflow_id: WorkflowId<'static>,
    deadline: Option<Duration>,
    until: Option<Duration>,
    since: Instant,
}

impl OwnedOutgoing {
    pub(crate) fn new(message: Outgoing<'_>) -> Self {
        Self {
            connection: message.connection as usize,
            encoding: message.encoding,
            args: Bytes::copy_from_slice(message.args),
            topic: message.topic.map(str::to_owned),
            workflow_id: message.workflow_id.map_or_else(WorkflowId::new, WorkflowId::into_owned),
            deadline: message.deadline,
            until: message.until,
            since: Instant::now(),
        }
    }

    /// How long ago it was asked for.
    pub(crate) fn waited(&self) -> Duration {
        self.since.elapsed()
    }

    pub(crate) fn lend(&self) -> Outgoing<'_> {
        Outgoing {
            connection: self.connection as u32,
            encoding: self.encoding,
            args: &self.args,
            topic: self.topic.as_deref(),
            workflow_id: Some(self.workflow_id.lend()),
            deadline: self.deadline,
            until: self.until,
        }
    }
}

/// A request, a call of an external target, or a publication that may have to wait, until it ends with encoded return arguments.
pub(crate) enum Exchange {
    Sent {
        local: Rc<Local>,
        number: usize,
        call: requester::Call,
    },
    /// What takes its time otherwise.
    Going(Pin<Box<dyn Future<Output = Result<Bytes, Failure>>>>),
    /// Until it is polled.
    Over(Option<Result<Bytes, Failure>>),
}

impl Future for Exchange {
    type Output = Result<Bytes, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Sent { local, number, call } => Poll::Ready(match ready!(Pin::new(call).poll(context)) {
                Ok(reply) => receive(local, *number, &reply),
                Err(error) => Err(failure_of(local, *number, error)),
            }),
            Self::Going(going) => going.as_mut().poll(context),
            Self::Over(outcome) => Poll::Ready(outcome.take().unwrap_or_else(|| Err(over()))),
        }
    }
}

fn over() -> Failure {
    Failure::msg("the request has ended already")
}

/// Starts a request, a call of an external target, or a publication that may have to wait; it was asked for a while ago if another thread did.
pub(crate) fn request(local: &Rc<Local>, message: Outgoing<'_>, waited: Duration) -> Exchange {
    begin(local, message, waited).unwrap_or_else(|failure| Exchange::Over(Some(Err(failure))))
}

fn begin(local: &Rc<Local>, message: Outgoing<'_>, waited: Duration) -> Result<Exchange, Failure> {
    let number = number(local, &message)?;
    let settings = local.settings(number);
    let own = message.deadline.or(settings.deadline).map(|left| left.saturating_sub(waited));
    let of_call = message.until.map(|until| until.saturating_sub(time_of(Instant::now())));
    let left = own.into_iter().chain(of_call).min();
    match local.connection(number) {
        Connection::Requester(requester) => {
            let id = message.workflow_id.unwrap_or_default();
            // Python ignores the key; leaving it out keeps the bytes those it knows.
            let told = left.filter(|_| settings.peer != Peer::Python);
            let (args, encoding) = (message.args, message.encoding);
            let payload = Request::write(encoding, args, Some(&id), told);
            let model = local.model(number);
            check_size("request by", &model.name, settings, payload.len())
                .and_then(|()| {
                    check_args(&model.name, unchecked(&local.declaration, number), settings, args, encoding)
                })
                .inspect_err(|failure| local.counters(number).refuse_for(failure.code()))?;
            let until = left.and_then(|left| Instant::now().checked_add(left));
            let call = requester.call(payload.into(), until);
            Ok(Exchange::Sent { local: Rc::clone(local), number, call })
        }
        Connection::Target => {
            let (local, message) = (Rc::clone(local), OwnedOutgoing::new(message));
            Ok(Exchange::Going(Box::pin(async move { target(&local, message, left).await })))
        }
        Connection::Publisher(publisher) => {
            let frame = written(local, number, message)?;
            Ok(match attempt(publisher, local.settings(number), frame) {
                Ok(()) if local.is_due_to_give_way() => Exchange::Going(Box::pin(async {
                    tokio::task::yield_now().await;
                    Ok(Bytes::new())
                })),
                Ok(()) => Exchange::Over(Some(Ok(Bytes::new()))),
                Err(NoRoom(frame)) => {
                    let turn = in_turn(Rc::clone(publisher), frame);
                    Exchange::Going(Box::pin(within(left, local.model(number).name.clone(), turn)))
                }
            })
        }
        _ => {
            let model = local.model(number);
            Err(misuse(&model.name, model.kind, "cannot be requested from"))
        }
    }
}

fn number(local: &Local, message: &Outgoing<'_>) -> Result<usize, Failure> {
    let number = message.connection as usize;
    if number < local.connections() { Ok(number) } else { Err(unknown(number)) }
}

pub(crate) fn unknown(number: usize) -> Failure {
    Failure::msg(format!("there is no connection {number}"))
}

fn misuse(name: &str, kind: ConnectionKind, what: &str) -> Failure {
    Failure::msg(format!("`{name}` is of type {kind} and {what}"))
}

/// Refuses what is larger than its connection may carry; the topic is no part of a message.
pub(crate) fn check_size(
    what: &str,
    name: &str,
    settings: &ConnectionSettings,
    bytes: usize,
) -> Result<(), Failure> {
    let most = settings.limits.max_message_bytes;
    if bytes <= most {
        return Ok(());
    }
    let text = format!("{what} `{name}`: {bytes} bytes, and its `max_message_bytes` is {most}");
    Err(Failure::new(code::TOO_LARGE, text))
}

/// The model of what is sent by a connection, if the service does not hold its messages against it.
pub(crate) fn unchecked(declaration: &Declaration, number: usize) -> Option<&Shape> {
    let model = declaration.connections.get(number).filter(|_| !declaration.checks_messages);
    model.map(|model| &model.args)
}

/// Checks what is sent against its model, if there is one to check it against.
fn check_args(
    name: &str,
    model: Option<&Shape>,
    settings: &ConnectionSettings,
    args: &[u8],
    encoding: Encoding,
) -> Result<(), Failure> {
    let Some(model) = model else { return Ok(()) };
    let refused = |fault: Fault| Failure::msg(format!("cannot send by `{name}`: {}", fault.within("args")));
    let value: Value = wire::decode(args, encoding, &settings.limits).map_err(refused)?;
    model.faults(&value).into_iter().next().map_or(Ok(()), |fault| Err(refused(fault)))
}

fn failure_of(local: &Local, number: usize, error: CallError) -> Failure {
    let name = &local.model(number).name;
    let code = match error {
        CallError::Deadline | CallError::NotConnected => code::DEADLINE,
        CallError::PeerLost => code::DISCONNECTED,
        CallError::Unavailable => code::UNAVAILABLE,
        CallError::Full => code::BUSY,
        CallError::Closed => code::STOPPING,
        _ => code::BAD_MESSAGE,
    };
    local.counters(number).refuse(code);
    Failure::new(code, format!("request by `{name}`: {error}"))
}

/// Reads a reply, and checks it for services that do not do so themselves.
fn receive(local: &Local, number: usize, payload: &Bytes) -> Result<Bytes, Failure> {
    let (limits, model) = (&local.settings(number).limits, local.model(number));
    let reply = Reply::read(payload, limits)
        .inspect_err(|failure| local.counters(number).refuse_for(failure.code()))?;
    let returned = reply.outcome.inspect_err(|failure| {
        local.counters(number).refuse_for(failure.code());
    })?;
    if !local.declaration.checks_messages {
        let refused = |fault: Fault| {
            local.counters(number).refuse(code::BAD_RETURN);
            Failure::new(code::BAD_RETURN, fault.within("return_args").to_string())
        };
        let value: Value = wire::decode(returned, reply.encoding, limits).map_err(refused)?;
        if let Some(fault) = model.returns.faults(&value).into_iter().next() {
            return Err(refused(fault));
        }
    }
    Ok(payload.slice_ref(returned))
}

/// Calls an external target: a handler of the service's own.
async fn target(local: &Rc<Local>, message: OwnedOutgoing, left: Option<Duration>) -> Result<Bytes, Failure> {
    let number = message.connection;
    let model = local.model(number);
    let counters = local.counters(number);
    counters.call();
    let until = left.and_then(|left| Instant::now().checked_add(left));
    let call = Call {
        target: Target::Connection(number as u32),
        encoding: message.encoding,
        peer: Peer::Any,
        args: &message.args,
        workflow_id: message.lend().workflow_id.map(WorkflowId::into_owned),
        topic: None,
        until: until.map(time_of),
    };
    let done = match job::start(local, number, &call, Vec::new(), (Instant::now(), until), Role::Target) {
        Progress::Done(done) => done,
        Progress::Going(going) => going.await,
    };
    let _workflow = workflow::enter(message.workflow_id.as_str());
    tracing::debug!(target: crate::LOG, "external target `{}`: {}",
        model.name,
        if done.result.is_ok() { "done" } else { "failed" }
    );
    done.result.inspect_err(|failure| counters.refuse_for(failure.code()))?;
    Ok(done.out.into())
}

/// Publishes; never waits.
pub(crate) fn publish(local: &Rc<Local>, message: Outgoing<'_>) -> Result<(), Failure> {
    let number = number(local, &message)?;
    let frame = written(local, number, message)?;
    let Connection::Publisher(publisher) = local.connection(number) else { return Ok(()) };
    attempt(publisher, local.settings(number), frame).map_err(|NoRoom(_)| {
        let text = format!(
            "a subscriber of `{}` has no room, and `slow_subscriber` is wait",
            local.model(number).name
        );
        Failure::new(code::BUSY, text)
    })
}

fn written(local: &Local, number: usize, message: Outgoing<'_>) -> Result<Bytes, Failure> {
    let (model, settings) = (local.model(number), local.settings(number));
    publication(&model.name, model.kind, settings, unchecked(&local.declaration, number), message)
        .inspect_err(|failure| local.counters(number).refuse_for(failure.code()))
}

/// Publishes, unless that has to wait.
fn attempt(publisher: &Publisher, settings: &ConnectionSettings, frame: Bytes) -> Result<(), NoRoom> {
    if settings.slow_subscriber == SlowSubscriber::Wait {
        return publisher.try_publish(frame);
    }
    publisher.publish(frame);
    Ok(())
}

/// Gives up when the time of the handler is over that publishes.
async fn within(
    left: Option<Duration>,
    name: String,
    turn: impl Future<Output = Result<Bytes, Failure>>,
) -> Result<Bytes, Failure> {
    let Some(left) = left else { return turn.await };
    tokio::time::timeout(left, turn).await.unwrap_or_else(|_| {
        let text = format!("publication by `{name}`: no room in time, as a subscriber is too slow");
        Err(Failure::new(code::DEADLINE, text))
    })
}

/// Publishes when all subscribers have room.
async fn in_turn(publisher: Rc<Publisher>, mut frame: Bytes) -> Result<Bytes, Failure> {
    loop {
        // Before the attempt: there may have been room since the last one, and nobody would say so again.
        let room = publisher.room();
        match publisher.try_publish(frame) {
            Ok(()) => return Ok(Bytes::new()),
            Err(NoRoom(back)) => frame = back,
        }
        room.await;
    }
}

/// Writes a publication as its connection sends it.
pub(crate) fn publication(
    name: &str,
    kind: ConnectionKind,
    settings: &ConnectionSettings,
    model: Option<&Shape>,
    message: Outgoing<'_>,
) -> Result<Bytes, Failure> {
    if kind != ConnectionKind::Publisher {
        return Err(misuse(name, kind, "cannot publish"));
    }
    let id = message.workflow_id.unwrap_or_default();
    let topic = message.topic.or(settings.topic.as_deref());
    let head = topic.map(topic::encode).unwrap_or_default();
    let topic_bytes = head.len();
    let frame = Request::append(head, message.encoding, message.args, Some(&id), None);
    check_size("publication by", name, settings, frame.len() - topic_bytes)?;
    check_args(name, model, settings, message.args, message.encoding)?;
    Ok(frame.into())
}

/// Publishes what was written before.
pub(crate) fn publish_frame(local: &Rc<Local>, number: usize, frame: Bytes) {
    if let Connection::Publisher(publisher) = local.connection(number) {
        publisher.publish(frame);
    }
}
