//! One handler of a service under test at work, from the arrival of its message to its end.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use service_framework_core::declaration::Run;
use service_framework_core::gate::{Access, Ticket};
use service_framework_core::plugin::host::{self, Spawned};
use service_framework_core::plugin::{self, Target};
use service_framework_core::wire::{Encoding, Peer};
use service_framework_core::workflow::WorkflowId;

use super::operation::CallWaker;
use super::world::Outcome;

/// One handler at work, or waiting to be.
pub(super) struct Call {
    /// What errors call it.
    pub(super) name: String,
    pub(super) begin: Begin,
    pub(super) purpose: Purpose,
    /// Its place among the handlers; targets and background work have none.
    pub(super) ticket: Option<Ticket>,
    pub(super) stage: Stage,
}

/// How a handler is to be started.
pub(super) struct Begin {
    pub(super) target: Target,
    pub(super) run: Run,
    pub(super) access: Access,
    pub(super) args: Vec<u8>,
    pub(super) encoding: Encoding,
    pub(super) workflow_id: Option<WorkflowId<'static>>,
    pub(super) topic: Option<String>,
    /// The end of its deadline.
    pub(super) until: Option<Duration>,
}

/// Who is told how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The test.
    Test,
    /// The handler that called an external target.
    Operation(u64),
    /// The log, if it failed.
    Log,
    /// Nobody any more.
    Nobody,
}

/// How far a call is.
pub(super) enum Stage {
    /// Behind other messages of its subscriber.
    InLine,
    /// Not yet let in.
    AtGate,
    /// On the list of those to begin.
    Admitted,
    /// On the service's thread, waiting.
    Waits(Work, Arc<CallWaker>),
    /// On a thread of its own.
    OnThread(JoinHandle<()>),
}

/// What is polled.
pub(super) enum Work {
    Handler(host::Pending, Vec<u8>),
    Spawned(Spawned),
}

impl Begin {
    /// A call without a message: of a hook.
    pub(super) fn bare(target: Target, run: Run) -> Self {
        Self {
            target,
            run,
            access: Access::Shared,
            args: Vec::new(),
            encoding: Encoding::MessagePack,
            workflow_id: None,
            topic: None,
            until: None,
        }
    }

    /// The call as it crosses the boundary.
    pub(super) fn lend(&self) -> plugin::Call<'_> {
        plugin::Call {
            target: self.target,
            encoding: self.encoding,
            peer: Peer::Any,
            args: &self.args,
            workflow_id: self.workflow_id.clone(),
            topic: self.topic.as_deref(),
            until: self.until,
        }
    }
}

impl Work {
    pub(super) fn poll(&mut self, waker: &Arc<CallWaker>) -> Poll<Outcome> {
        let waker = Waker::from(Arc::clone(waker));
        let context = &mut Context::from_waker(&waker);
        match self {
            Self::Handler(pending, out) => {
                pending.poll(context, out).map(|outcome| outcome.map(|()| std::mem::take(out)))
            }
            Self::Spawned(spawned) => std::pin::Pin::new(spawned).poll(context).map_ok(|()| Vec::new()),
        }
    }
}
