//! Answers the requests of one replyer: each once, with a result or with why there is none.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::{Delivery, ReplyTo, Replyer, Request as Received};
use service_framework_core::Failure;
use service_framework_core::envelope::{Refusal, Reply, Request};
use service_framework_core::failure::code;
use service_framework_core::plugin::host::time_of;
use service_framework_core::plugin::{Call, Target};
use service_framework_core::wire::Encoding;
use service_framework_core::workflow::WorkflowId;

use crate::control::Stop;
use crate::job::{self, Done, Progress, Role};
use crate::local::{Entrance, Intake, Local, Pass};
use crate::outgoing;

/// How many requests are taken before other tasks have their turn.
const BATCH: usize = 64;

/// How many requests that had arrived are taken when the service is to stop.
const LAST: usize = 10_000;

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

/// Requests that are in work and not answered, by numbers of their own.
#[derive(Default)]
struct Unanswered {
    next: Cell<u64>,
    askers: RefCell<HashMap<u64, Asker>>,
}

impl Unanswered {
    fn keep(&self, asker: Asker) -> u64 {
        let number = self.next.replace(self.next.get() + 1);
        self.askers.borrow_mut().insert(number, asker);
        number
    }

    /// Who is to be answered now; nobody if the service has given up meanwhile.
    fn take(&self, number: u64) -> Option<Asker> {
        self.askers.borrow_mut().remove(&number)
    }
}

/// A replyer and what becomes of its requests.
#[derive(Clone)]
pub(crate) struct Replying {
    local: Rc<Local>,
    number: usize,
    replyer: Rc<Replyer>,
    unanswered: Rc<Unanswered>,
    heard: Rc<Heard>,
}

/// When peers were heard last.
#[derive(Default)]
struct Heard {
    /// The last request that was taken.
    at: Cell<Option<Instant>>,
    /// Whether anybody came too late.
    too_late: Cell<bool>,
}

impl Replying {
    pub(crate) fn new(local: &Rc<Local>, number: usize, replyer: &Rc<Replyer>) -> Self {
        let (local, replyer) = (Rc::clone(local), Rc::clone(replyer));
        Self { local, number, replyer, unanswered: Rc::default(), heard: Rc::default() }
    }

    /// Takes requests for as long as the service lives.
    pub(crate) async fn serve(self) {
        let intake = Intake::open(&self.local);
        self.take_until_stop().await;
        self.take_the_last().await;
        drop(intake);
        // Those who were in time have their turn in between.
        poll_fn(|context| self.refuse_late(context, BATCH)).await
    }

    /// Whether replies that were sent arrive however soon the connection is closed, and whatever peers go on sending.
    pub(crate) fn half_closes(&self) -> bool {
        self.replyer.half_closes()
    }

    /// Whether peers go on sending though the service stops.
    pub(crate) fn is_pressed(&self) -> bool {
        self.heard.too_late.get()
    }

    /// Whether a request was taken that short a time ago.
    pub(crate) fn was_asked_within(&self, time: Duration) -> bool {
        self.heard.at.get().is_some_and(|at| at.elapsed() < time)
    }

    /// Tells everybody who was not answered, or not even read, when the sockets are about to close.
    pub(crate) fn give_up(&self) {
        let askers = std::mem::take(&mut *self.unanswered.askers.borrow_mut());
        for asker in askers.into_values() {
            let failure = Failure::new(code::STOPPING, "the service stopped before the handler was done");
            self.refuse(asker, None, &failure);
        }
        _ = self.refuse_late(&mut Context::from_waker(Waker::noop()), LAST);
    }

    async fn take_until_stop(&self) {
        let mut stopping = self.local.stopping();
        let mut stopping = pin!(stopping.wait_for(|stop| *stop != Stop::No));
        let _delivery = self.take_at_once();
        let mut last_round = 0;
        let mut taken = 0;
        while !self.local.is_stopping() {
            let received = poll_fn(|context| match self.replyer.poll_recv(context) {
                Poll::Ready(received) => Poll::Ready(Some(received)),
                Poll::Pending => stopping.as_mut().poll(context).map(|_| None),
            });
            let Some(received) = received.await else { return };
            if self.local.rounds.are_spread() {
                tokio::select! {
                    () = self.local.rounds.wait(&mut last_round) => {}
                    _ = &mut stopping => return self.refuse_as_late(received),
                }
            }
            self.take(received, Instant::now());
            taken += 1;
            if taken % BATCH == 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Has requests taken where they are read, unless they are spread over rounds: then this is only where they may wait.
    fn take_at_once(&self) -> Option<Delivery> {
        let this = self.clone();
        (!self.local.rounds.are_spread())
            .then(|| self.replyer.deliver_to(move |received| this.take(received, Instant::now())))
    }

    /// Takes what had arrived when the service was told to stop, while there is time; with rounds it would be too much at once.
    async fn take_the_last(&self) {
        for taken in 1..=if self.local.rounds.are_spread() { 0 } else { LAST } {
            let received = self.replyer.poll_recv(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(received) = received else { return };
            self.take(received, Instant::now());
            if taken % BATCH == 0 {
                tokio::task::yield_now().await;
                if self.local.is_drained() {
                    return;
                }
            }
        }
    }

    /// Tells everybody who comes now that it is too late, so many at once.
    fn refuse_late(&self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        for _ in 0..most {
            match self.replyer.poll_recv(context) {
                Poll::Ready(received) => self.refuse_as_late(received),
                Poll::Pending => return Poll::Pending,
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn refuse_as_late(&self, received: Received) {
        self.heard.too_late.set(true);
        let Received { reply_to, payload } = received;
        let asker = match self.read(&payload) {
            Ok(request) => Asker::of(reply_to, &payload, request.encoding, request.workflow_bytes),
            Err(refusal) => Asker::of(reply_to, &payload, refusal.encoding, refusal.workflow_bytes),
        };
        self.refuse(asker, None, &Failure::new(code::STOPPING, "the service is stopping"));
    }

    fn read<'a>(&self, payload: &'a [u8]) -> Result<Request<'a>, Refusal<'a>> {
        let max_workflow_id = self.local.service_settings().max_workflow_id_bytes;
        Request::read(payload, &self.local.settings(self.number).limits, max_workflow_id)
    }

    /// Reads a request and starts its handler, or says why not.
    fn take(&self, received: Received, arrived: Instant) {
        self.heard.at.set(Some(arrived));
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
            Entrance::Now(pass) => self.begin(&request, asker, (arrived, arrived), pass),
            Entrance::Busy => {
                let failure = Failure::new(code::BUSY, "too many requests are in work");
                self.refuse(asker, request.workflow_id.as_ref(), &failure);
            }
            Entrance::Later(turn) => {
                let until = self.until(&request, arrived);
                let (this, number) = (self.clone(), self.unanswered.keep(asker));
                tokio::task::spawn_local(async move {
                    let pass = match until {
                        None => Some(turn.come().await),
                        Some(until) => tokio::time::timeout_at(until.into(), turn.come()).await.ok(),
                    };
                    // It was read once and is read the same again.
                    let (Ok(request), Some(asker)) = (this.read(&payload), this.unanswered.take(number))
                    else {
                        return;
                    };
                    match pass {
                        Some(pass) => this.begin(&request, asker, (arrived, Instant::now()), pass),
                        None => {
                            let failure =
                                Failure::new(code::DEADLINE, "the request waited for its turn too long");
                            this.refuse(asker, request.workflow_id.as_ref(), &failure);
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

    /// Starts the handler. `now` is read once for all that needs it: the clock takes as long as the rest of a small step.
    fn begin(&self, request: &Request<'_>, asker: Asker, (arrived, now): (Instant, Instant), pass: Pass) {
        let workflow_id = request.workflow_id.as_ref().map(WorkflowId::lend).unwrap_or_default();
        let until = self.until(request, arrived);
        if until.is_some_and(|until| until <= now) {
            let failure =
                Failure::new(code::DEADLINE, "the time for the answer was over before it was begun");
            return self.refuse(asker, Some(&workflow_id), &failure);
        }
        let call = Call {
            target: Target::Connection(self.number as u32),
            encoding: request.encoding,
            peer: self.local.settings(self.number).peer,
            args: request.args,
            workflow_id: Some(workflow_id),
            topic: None,
            until: until.map(time_of),
        };
        let progress = job::start(
            &self.local,
            self.number,
            &call,
            Reply::head(request.encoding),
            (now, until),
            Role::Handler(pass),
        );
        match progress {
            Progress::Done(done) => self.finish(asker, call.workflow_id.as_ref(), done),
            Progress::Going(going) => {
                let (this, id) = (self.clone(), call.workflow_id.map(WorkflowId::into_owned));
                let number = self.unanswered.keep(asker);
                tokio::task::spawn_local(async move {
                    let done = going.await;
                    if let Some(asker) = this.unanswered.take(number) {
                        this.finish(asker, id.as_ref(), done);
                    }
                });
            }
        }
    }

    fn finish(&self, asker: Asker, workflow_id: Option<&WorkflowId<'_>>, done: Done) {
        let Done { mut out, result, pass: _pass } = done;
        let sized = result.and_then(|()| {
            Reply::tail(&mut out, asker.encoding, &asker.workflow_bytes);
            self.check_size(out.len())
        });
        match sized {
            Ok(()) => self.replyer.reply(asker.reply_to, out.into()),
            Err(failure) => {
                job::report_failed(&self.local, self.number, workflow_id, &failure);
                self.answer(asker, &failure);
            }
        }
    }

    /// Refuses a request whose handler has not begun, or is given up with the service.
    fn refuse(&self, asker: Asker, workflow_id: Option<&WorkflowId<'_>>, failure: &Failure) {
        job::report_refused(&self.local, self.number, workflow_id, failure);
        self.answer(asker, failure);
    }

    fn answer(&self, asker: Asker, failure: &Failure) {
        self.local.counters(self.number).refuse_for(failure.code());
        let mut reply = Reply::failure(asker.encoding, &asker.workflow_bytes, failure);
        if self.check_size(reply.len()).is_err() {
            reply = Reply::failure(asker.encoding, &asker.workflow_bytes, &failure.without_data());
        }
        self.replyer.reply(asker.reply_to, reply.into());
    }

    fn check_size(&self, bytes: usize) -> Result<(), Failure> {
        let (model, settings) = (self.local.model(self.number), self.local.settings(self.number));
        outgoing::check_size("reply of", &model.name, settings, bytes)
    }
}
