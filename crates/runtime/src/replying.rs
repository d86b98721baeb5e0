//! Answers the requests of one replyer: each once, with a result or with why there is none.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use service_framework_connections::{ReplyTo, Replyer, Request as Received};
use service_framework_core::Failure;
use service_framework_core::envelope::{Reply, Request};
use service_framework_core::failure::code;
use service_framework_core::plugin::{Call, Target};
use service_framework_core::wire::Encoding;
use service_framework_core::workflow::WorkflowId;

use crate::job::{self, Done, Progress};
use crate::local::{Entrance, Local, Pass};

/// How many requests are taken before other tasks have their turn.
const BATCH: usize = 64;

/// Takes requests for as long as the service lives.
pub(crate) async fn serve(local: Rc<Local>, number: usize, replyer: Rc<Replyer>) {
    let replying = Replying { local, number, replyer };
    let mut last_round = 0;
    let mut taken = 0;
    let mut stopping = Box::pin(wait_for_stop(Rc::clone(&replying.local)));
    loop {
        let mut has_stopped = false;
        let received = poll_fn(|context| {
            if let Poll::Ready(received) = replying.replyer.poll_recv(context) {
                return Poll::Ready(Some(received));
            }
            if stopping.as_mut().poll(context).is_ready() {
                has_stopped = true;
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await;
        let Some(received) = received else { break };
        replying.local.rounds.wait(&mut last_round).await;
        replying.take(received, Instant::now());
        taken += 1;
        if taken % BATCH == 0 {
            tokio::task::yield_now().await;
        }
    }
    // What had arrived was taken. What comes now is told that it comes too late.
    loop {
        let Received { reply_to, payload } = replying.replyer.recv().await;
        let limits = &replying.local.settings(replying.number).limits;
        let refusal = match Request::read(&payload, limits, replying.max_workflow_id()) {
            Ok(request) => (request.encoding, request.workflow_bytes),
            Err(refusal) => (refusal.encoding, refusal.workflow_bytes),
        };
        let failure = Failure::new(code::STOPPING, "the service is stopping");
        replying.refuse(reply_to, refusal.0, refusal.1, &failure);
    }
}

async fn wait_for_stop(local: Rc<Local>) {
    // The sender goes only when the service has ended.
    _ = local.stopping().wait_for(|stop| *stop != crate::thread::Stop::No).await;
}

#[derive(Clone)]
struct Replying {
    local: Rc<Local>,
    number: usize,
    replyer: Rc<Replyer>,
}

impl Replying {
    fn max_workflow_id(&self) -> usize {
        self.local.service_settings().max_workflow_id_bytes
    }

    /// Reads a request and starts its handler, or says why not.
    fn take(&self, received: Received, arrived: Instant) {
        let Received { payload, reply_to } = received;
        let limits = &self.local.settings(self.number).limits;
        let request = match Request::read(&payload, limits, self.max_workflow_id()) {
            Ok(request) => request,
            Err(refusal) => {
                return self.refuse(reply_to, refusal.encoding, refusal.workflow_bytes, &refusal.failure);
            }
        };
        match self.local.enter(self.number) {
            Entrance::Now(pass) => self.begin(&request, reply_to, arrived, pass),
            Entrance::Busy => {
                let failure = Failure::new(code::BUSY, "too many requests are in work");
                self.refuse(reply_to, request.encoding, request.workflow_bytes, &failure);
            }
            Entrance::Later(turn) => {
                let this = self.clone();
                let until = self.until(&request, arrived);
                let waiting = async move {
                    let pass = match until {
                        None => Some(turn.come().await),
                        Some(until) => tokio::time::timeout_at(until.into(), turn.come()).await.ok(),
                    };
                    let limits = &this.local.settings(this.number).limits;
                    let Ok(request) = Request::read(&payload, limits, this.max_workflow_id()) else { return };
                    match pass {
                        Some(pass) => this.begin(&request, reply_to, arrived, pass),
                        None => {
                            let failure =
                                Failure::new(code::DEADLINE, "the request waited for its turn too long");
                            this.refuse(reply_to, request.encoding, request.workflow_bytes, &failure);
                        }
                    }
                };
                tokio::task::spawn_local(waiting);
            }
        }
    }

    /// When the caller stops waiting: what the request says wins only if it is sooner than what is set here.
    fn until(&self, request: &Request<'_>, arrived: Instant) -> Option<Instant> {
        job::until([request.deadline, self.local.settings(self.number).deadline], arrived)
    }

    fn begin(&self, request: &Request<'_>, reply_to: ReplyTo, arrived: Instant, pass: Pass) {
        let until = self.until(request, arrived);
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            let failure =
                Failure::new(code::DEADLINE, "the time for the answer was over before it was begun");
            return self.refuse(reply_to, request.encoding, request.workflow_bytes, &failure);
        }
        let workflow_id = match &request.workflow_id {
            Some(id) => WorkflowId::from_parts(id.as_str(), id.is_uuid()),
            None => WorkflowId::new(),
        };
        let call = Call {
            target: Target::Connection(self.number as u32),
            encoding: request.encoding,
            peer: self.local.settings(self.number).peer,
            args: request.args,
            workflow_id: Some(workflow_id),
            topic: None,
            deadline: left,
        };
        let out = Reply::head(request.encoding);
        match job::start(&self.local, self.number, &call, out, until, pass) {
            Progress::Done(done) => self.finish(reply_to, request.encoding, request.workflow_bytes, done),
            Progress::Going(going) => {
                let this = self.clone();
                let encoding = request.encoding;
                let workflow_bytes = Bytes::copy_from_slice(request.workflow_bytes);
                tokio::task::spawn_local(async move {
                    let done = going.await;
                    this.finish(reply_to, encoding, &workflow_bytes, done);
                });
            }
        }
    }

    fn finish(&self, reply_to: ReplyTo, encoding: Encoding, workflow_bytes: &[u8], done: Done) {
        let Done { mut out, result } = done;
        match result {
            Ok(()) => {
                Reply::tail(&mut out, encoding, workflow_bytes);
                self.replyer.reply(reply_to, out.into());
            }
            Err(failure) => self.refuse(reply_to, encoding, workflow_bytes, &failure),
        }
    }

    fn refuse(&self, reply_to: ReplyTo, encoding: Encoding, workflow_bytes: &[u8], failure: &Failure) {
        self.local.counters(self.number).refuse_for(failure.code());
        job::report(&self.local, self.number, failure);
        self.replyer.reply(reply_to, Reply::failure(encoding, workflow_bytes, failure).into());
    }
}
