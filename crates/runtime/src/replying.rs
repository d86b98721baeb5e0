//! Answers the requests of one replyer: each once, with a result or with why there is none.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use service_framework_connections::{ReplyTo, Replyer, Request as Received};
use service_framework_core::Failure;
use service_framework_core::envelope::{Refusal, Reply, Request};
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
        let asker = match replying.read(&payload) {
            Ok(request) => Asker::of(reply_to, &payload, request.encoding, request.workflow_bytes),
            Err(refusal) => Asker::of(reply_to, &payload, refusal.encoding, refusal.workflow_bytes),
        };
        replying.refuse(asker, None, &Failure::new(code::STOPPING, "the service is stopping"));
    }
}

async fn wait_for_stop(local: Rc<Local>) {
    // The sender goes only when the service has ended.
    _ = local.stopping().wait_for(|stop| *stop != crate::thread::Stop::No).await;
}

/// Whom a request came from, and what the reply repeats.
struct Asker {
    reply_to: ReplyTo,
    encoding: Encoding,
    workflow_bytes: Bytes,
}

impl Asker {
    /// `workflow_bytes` are part of the payload, or a literal null.
    fn of(reply_to: ReplyTo, payload: &Bytes, encoding: Encoding, workflow_bytes: &[u8]) -> Self {
        let is_part = payload.as_ptr_range().contains(&workflow_bytes.as_ptr());
        let workflow_bytes =
            if is_part { payload.slice_ref(workflow_bytes) } else { Bytes::copy_from_slice(workflow_bytes) };
        Self { reply_to, encoding, workflow_bytes }
    }
}

#[derive(Clone)]
struct Replying {
    local: Rc<Local>,
    number: usize,
    replyer: Rc<Replyer>,
}

impl Replying {
    fn read<'a>(&self, payload: &'a [u8]) -> Result<Request<'a>, Refusal<'a>> {
        let max_workflow_id = self.local.service_settings().max_workflow_id_bytes;
        Request::read(payload, &self.local.settings(self.number).limits, max_workflow_id)
    }

    /// Reads a request and starts its handler, or says why not.
    fn take(&self, received: Received, arrived: Instant) {
        let Received { payload, reply_to } = received;
        let request = match self.read(&payload) {
            Ok(request) => request,
            Err(refusal) => {
                let asker = Asker::of(reply_to, &payload, refusal.encoding, refusal.workflow_bytes);
                return self.refuse(asker, None, &refusal.failure);
            }
        };
        let asker = Asker::of(reply_to, &payload, request.encoding, request.workflow_bytes);
        match self.local.enter(self.number) {
            Entrance::Now(pass) => self.begin(&request, asker, arrived, pass),
            Entrance::Busy => {
                let id = request.workflow_id.as_ref().map(WorkflowId::as_str);
                self.refuse(asker, id, &Failure::new(code::BUSY, "too many requests are in work"));
            }
            Entrance::Later(turn) => {
                let until = self.until(&request, arrived);
                let this = self.clone();
                tokio::task::spawn_local(async move {
                    let pass = match until {
                        None => Some(turn.come().await),
                        Some(until) => tokio::time::timeout_at(until.into(), turn.come()).await.ok(),
                    };
                    // It was read once and is read the same again.
                    let Ok(request) = this.read(&payload) else { return };
                    match pass {
                        Some(pass) => this.begin(&request, asker, arrived, pass),
                        None => {
                            let failure =
                                Failure::new(code::DEADLINE, "the request waited for its turn too long");
                            this.refuse(
                                asker,
                                request.workflow_id.as_ref().map(WorkflowId::as_str),
                                &failure,
                            );
                        }
                    }
                });
            }
        }
    }

    /// When the caller stops waiting: what the request says wins only if it is sooner than what is set here.
    fn until(&self, request: &Request<'_>, arrived: Instant) -> Option<Instant> {
        job::until([request.deadline, self.local.settings(self.number).deadline], arrived)
    }

    fn begin(&self, request: &Request<'_>, asker: Asker, arrived: Instant, pass: Pass) {
        let workflow_id = match &request.workflow_id {
            Some(id) => WorkflowId::from_parts(id.as_str(), id.is_uuid()),
            None => WorkflowId::new(),
        };
        let until = self.until(request, arrived);
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            let failure =
                Failure::new(code::DEADLINE, "the time for the answer was over before it was begun");
            return self.refuse(asker, Some(workflow_id.as_str()), &failure);
        }
        let call = Call {
            target: Target::Connection(self.number as u32),
            encoding: request.encoding,
            peer: self.local.settings(self.number).peer,
            args: request.args,
            workflow_id: Some(workflow_id),
            topic: None,
            deadline: left,
        };
        let progress =
            job::start(&self.local, self.number, &call, Reply::head(request.encoding), until, pass);
        let id = call.workflow_id.as_ref().map(WorkflowId::as_str);
        match progress {
            Progress::Done(done) => self.finish(asker, id, done),
            Progress::Going(going) => {
                let (this, id) = (self.clone(), id.map(str::to_owned));
                tokio::task::spawn_local(async move {
                    let done = going.await;
                    this.finish(asker, id.as_deref(), done);
                });
            }
        }
    }

    fn finish(&self, asker: Asker, workflow_id: Option<&str>, done: Done) {
        let Done { mut out, result } = done;
        match result {
            Ok(()) => {
                Reply::tail(&mut out, asker.encoding, &asker.workflow_bytes);
                self.replyer.reply(asker.reply_to, out.into());
            }
            Err(failure) => self.refuse(asker, workflow_id, &failure),
        }
    }

    fn refuse(&self, asker: Asker, workflow_id: Option<&str>, failure: &Failure) {
        self.local.counters(self.number).refuse_for(failure.code());
        job::report(&self.local, self.number, workflow_id, failure);
        let reply = Reply::failure(asker.encoding, &asker.workflow_bytes, failure);
        self.replyer.reply(asker.reply_to, reply.into());
    }
}
