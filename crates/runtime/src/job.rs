//! Runs one handler for one message: inline, waiting, or on another thread, with a deadline and a watch.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use service_framework_core::declaration::Run;
use service_framework_core::failure::code;
use service_framework_core::model::Shape;
use service_framework_core::plugin::host::{Pending, Started};
use service_framework_core::plugin::{Call, Target};
use service_framework_core::value::Value;
use service_framework_core::wire::{self, Encoding, Peer};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, Fault};
use tokio::sync::Semaphore;

use crate::host;
use crate::local::{Local, Pass};
use crate::log::workflow;

/// How a handler ended: its return arguments are in `out`, behind what stood there before.
pub(crate) struct Done {
    pub(crate) out: Vec<u8>,
    pub(crate) result: Result<(), Failure>,
    /// Of a handler: kept until it is answered, so that a service which drains waits for the answer, too.
    pub(crate) pass: Option<Pass>,
}

/// What starting a handler led to.
pub(crate) enum Progress {
    Done(Done),
    Going(Pin<Box<dyn Future<Output = Done>>>),
}

/// What is run for a connection.
pub(crate) enum Role {
    /// The handler of what comes in, with its place at the gate, which it keeps for as long as it runs.
    Handler(Pass),
    /// The function of an external target, which needs none: whoever calls it is in work already.
    Target,
}

impl Role {
    /// The threads that it may take if it blocks. A blocking handler may call a blocking target, which must find one when handlers have taken
    /// all of theirs.
    fn threads(&self, local: &Local) -> Arc<Semaphore> {
        Arc::clone(match self {
            Self::Handler(_) => &local.handler_threads,
            Self::Target => &local.target_threads,
        })
    }

    fn into_pass(self) -> Option<Pass> {
        match self {
            Self::Handler(pass) => Some(pass),
            Self::Target => None,
        }
    }
}

/// Starts what a connection runs. `began` is now, `until` when its caller stops waiting.
pub(crate) fn start(
    local: &Rc<Local>,
    number: usize,
    call: &Call<'_>,
    out: Vec<u8>,
    (began, until): (Instant, Option<Instant>),
    role: Role,
) -> Progress {
    let model = local.model(number);
    let checks = local.declaration.checks_messages;
    if !checks
        && let Err(failure) =
            check(&model.args, call.args, call.encoding, code::BAD_ARGS, "args", local, number)
    {
        return Progress::Done(Done { out, result: Err(failure), pass: role.into_pass() });
    }
    let head = out.len();
    let encoding = call.encoding;
    let finish = move |local: &Local, mut done: Done| {
        local.counters(number).handled(began.elapsed());
        let returns = &local.model(number).returns;
        if !checks
            && done.result.is_ok()
            && local.model(number).kind.has_answer()
            && let Err(failure) =
                check(returns, &done.out[head..], encoding, code::BAD_RETURN, "return_args", local, number)
        {
            done.out.truncate(head);
            done.result = Err(failure);
        }
        done
    };
    let progress = match model.run {
        Run::Blocking => {
            Progress::Going(Box::pin(on_pool(Rc::clone(local), OwnedCall::new(call), out, until, role)))
        }
        Run::Inline | Run::Async => {
            let pass = role.into_pass();
            match start_inline(local, call, out, until) {
                Progress::Done(done) => return Progress::Done(finish(local, Done { pass, ..done })),
                Progress::Going(going) => {
                    Progress::Going(Box::pin(async move { Done { pass, ..going.await } }))
                }
            }
        }
    };
    let local = Rc::clone(local);
    match progress {
        Progress::Done(done) => Progress::Done(finish(&local, done)),
        Progress::Going(going) => Progress::Going(Box::pin(async move { finish(&local, going.await) })),
    }
}

/// Checks a message against its model, for services that do not do so themselves.
fn check(
    shape: &Shape,
    bytes: &[u8],
    encoding: Encoding,
    code: &'static str,
    root: &str,
    local: &Local,
    number: usize,
) -> Result<(), Failure> {
    let refused = |fault: Fault| Failure::new(code, fault.within(root).to_string());
    let value: Value = wire::decode(bytes, encoding, &local.settings(number).limits).map_err(refused)?;
    shape.faults(&value).into_iter().next().map_or(Ok(()), |fault| Err(refused(fault)))
}

/// Starts a handler on this thread, and goes on with it until its deadline.
pub(crate) fn start_inline(
    local: &Rc<Local>,
    call: &Call<'_>,
    mut out: Vec<u8>,
    until: Option<Instant>,
) -> Progress {
    let started = local.watched().during(call.target, || local.instance.start(call, &mut out));
    let pending = match started {
        Started::Ready(result) => return Progress::Done(Done { out, result, pass: None }),
        Started::Pending(pending) => pending,
    };
    let mut waiting = Waiting { local: Rc::clone(local), target: call.target, pending: Some(pending) };
    Progress::Going(Box::pin(async move {
        let result = within(until, poll_fn(|context| waiting.poll(context, &mut out))).await;
        drop(waiting);
        Done { out, result, pass: None }
    }))
}

/// A handler that waits. Its thread is watched when it goes on, and when it is dropped.
struct Waiting {
    local: Rc<Local>,
    target: Target,
    pending: Option<Pending>,
}

impl Waiting {
    fn poll(&mut self, context: &Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Failure>> {
        let pending = self.pending.as_mut().expect("it is there until it is dropped");
        self.local.watched().during(self.target, || pending.poll(context, out))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.local.watched().during(self.target, || drop(self.pending.take()));
    }
}

/// Ends a future at a deadline.
async fn within<T>(
    until: Option<Instant>,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(until) = until else { return future.await };
    match tokio::time::timeout_at(until.into(), future).await {
        Ok(result) => result,
        Err(_) => Err(Failure::new(code::DEADLINE, "the handler was not done in time")),
    }
}

/// A call that goes to another thread.
struct OwnedCall {
    target: Target,
    encoding: Encoding,
    peer: Peer,
    args: Bytes,
    workflow_id: Option<WorkflowId<'static>>,
    topic: Option<String>,
    until: Option<std::time::Duration>,
}

impl OwnedCall {
    fn new(call: &Call<'_>) -> Self {
        Self {
            target: call.target,
            encoding: call.encoding,
            peer: call.peer,
            args: Bytes::copy_from_slice(call.args),
            workflow_id: call.workflow_id.clone().map(WorkflowId::into_owned),
            topic: call.topic.map(str::to_owned),
            until: call.until,
        }
    }

    fn lend(&self) -> Call<'_> {
        Call {
            target: self.target,
            encoding: self.encoding,
            peer: self.peer,
            args: &self.args,
            workflow_id: self.workflow_id.as_ref().map(WorkflowId::lend),
            topic: self.topic.as_deref(),
            until: self.until,
        }
    }
}

/// Runs a blocking handler on a thread of the pool. At the deadline its caller is answered; the thread stays taken until it returns.
async fn on_pool(
    local: Rc<Local>,
    call: OwnedCall,
    out: Vec<u8>,
    until: Option<Instant>,
    role: Role,
) -> Done {
    let threads = role.threads(&local);
    let pass = role.into_pass();
    let free = async { Ok(threads.acquire_owned().await.expect("it is never closed")) };
    let thread = match within(until, free).await {
        Ok(thread) => thread,
        Err(failure) => return Done { out, result: Err(failure), pass },
    };
    let instance = local.instance.for_blocking();
    let head = out.clone();
    let work = tokio::task::spawn_blocking(move || {
        let mut out = out;
        let result = host::waited_for(|| instance.run(&call.lend(), &mut out));
        // The last reference may be this one, and a service ends on its own thread if it can.
        drop(instance);
        drop(thread);
        (out, result)
    });
    let done: Rc<RefCell<Option<Done>>> = Rc::default();
    let slot = Rc::clone(&done);
    let keep = tokio::task::spawn_local(async move {
        let ended = work.await;
        *slot.borrow_mut() = ended.ok().map(|(out, result)| Done { out, result, pass });
    });
    let result = within(until, async {
        keep.await
            .map_err(|_| Failure::new(code::STOPPING, "the service stopped before the handler was done"))
    })
    .await;
    match (result, done.take()) {
        (Ok(()), Some(done)) => done,
        (Ok(()), None) => Done {
            out: head,
            result: Err(Failure::new(code::STOPPING, "the handler was not run")),
            pass: None,
        },
        (Err(failure), _) => Done { out: head, result: Err(failure), pass: None },
    }
}

/// When the sooner of two limits is over.
pub(crate) fn until(limits: [Option<std::time::Duration>; 2], from: Instant) -> Option<Instant> {
    limits.into_iter().flatten().min().and_then(|limit| from.checked_add(limit))
}

/// Logs why a message was refused before its handler began, for those who look for it: whoever sends messages decides how often that is.
pub(crate) fn report_refused(
    local: &Local,
    number: usize,
    workflow_id: Option<&WorkflowId<'_>>,
    failure: &Failure,
) {
    let _workflow = workflow::enter(workflow_id.map(WorkflowId::as_str).unwrap_or_default());
    tracing::debug!(target: crate::LOG, "refused a message for `{}`: {failure}", local.model(number).name);
}

/// Logs why a handler came to nothing: what the peer did wrong only for those who look for it, what the service does wrong for all. With a code
/// of its author's own a handler answers as it was written to, unless nobody is answered.
pub(crate) fn report_failed(
    local: &Local,
    number: usize,
    workflow_id: Option<&WorkflowId<'_>>,
    failure: &Failure,
) {
    let model = local.model(number);
    if matches!(failure.code(), code::BAD_ARGS | code::TOO_LARGE | code::STOPPING) {
        return report_refused(local, number, workflow_id, failure);
    }
    let _workflow = workflow::enter(workflow_id.map(WorkflowId::as_str).unwrap_or_default());
    let name = &model.name;
    match failure.code() {
        code::PANICKED => {
            tracing::error!(target: crate::LOG, "the handler of `{name}` panicked: {}", failure.message())
        }
        code::BAD_RETURN => {
            tracing::error!(target: crate::LOG, "the handler of `{name}` returned what its model forbids: {}", failure.message())
        }
        _ if failure.is_named() && model.kind.has_answer() => {
            tracing::debug!(target: crate::LOG, "`{name}` answered: {failure}")
        }
        _ => tracing::warn!(target: crate::LOG, "`{name}` failed: {failure}"),
    }
}
