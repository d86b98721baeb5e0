//! Hands the messages of one subscriber to its handler: one at a time, in order.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use service_framework_connections::{Delivery, Subscriber};
use service_framework_core::envelope::Request;
use service_framework_core::failure::code;
use service_framework_core::plugin::host::time_of;
use service_framework_core::plugin::{Call, Target};
use service_framework_core::settings::Overflow;
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, topic};

use crate::control::Stop;
use crate::job::{self, Done, Progress, Role};
use crate::local::{Intake, Local, Pass};
use crate::waiting::Waiting;

/// How many messages are handled before other tasks have their turn.
const BATCH: usize = 64;

/// The reason under which messages are counted that made room for newer ones.
pub(crate) const DROPPED_OLDEST: &str = "dropped_oldest";

pub(crate) type Going = Pin<Box<dyn Future<Output = ()>>>;

/// Takes messages until the service is to stop and everything that had arrived is handled.
pub(crate) async fn serve(local: Rc<Local>, number: usize, subscriber: Rc<Subscriber>) {
    let _intake = Intake::open(&local);
    let mut stopping = local.stopping();
    let mut stopping = pin!(stopping.wait_for(|stop| *stop != Stop::No));
    let subscribing = Rc::new_cyclic(|this| {
        RefCell::new(Subscribing {
            this: Weak::clone(this),
            local: Rc::clone(&local),
            number,
            subscriber,
            delivery: None,
            queue: Waiting::default(),
            going: None,
            awaits_round: false,
            last_round: 0,
            last: None,
            waker: None,
        })
    });
    poll_fn(|context| {
        let mut subscribing = subscribing.borrow_mut();
        if subscribing.last.is_none() && stopping.as_mut().poll(context).is_ready() {
            subscribing.begin_stop();
        }
        let polled = subscribing.poll(context);
        local.queue(number, subscribing.queue.len());
        local.counters(number).wait(subscribing.queue.len(), subscribing.queue.bytes());
        polled
    })
    .await;
}

struct Subscribing {
    this: Weak<RefCell<Self>>,
    local: Rc<Local>,
    number: usize,
    subscriber: Rc<Subscriber>,
    /// While nothing waits, messages are handled where they are read.
    delivery: Option<Delivery>,
    /// What was received and not handled yet.
    queue: Waiting<Bytes>,
    /// The message that is being handled.
    going: Option<Going>,
    /// Whether that is only the wait for the next round.
    awaits_round: bool,
    last_round: u64,
    /// Once the service is to stop: how many messages may still be read.
    last: Option<usize>,
    /// Of the task that goes on with what has to wait.
    waker: Option<Waker>,
}

impl Subscribing {
    /// From here on, only what has arrived is handled, and no more of it than the queue would hold. With rounds, what waits is dropped: it
    /// would be too much at once, or take too long.
    fn begin_stop(&mut self) {
        self.delivery = None;
        if !self.local.rounds.are_spread() {
            self.last = Some(self.local.settings(self.number).queue);
            return;
        }
        self.last = Some(0);
        while self.queue.pop().is_some() {
            self.local.counters(self.number).refuse(code::STOPPING);
        }
        if self.awaits_round {
            self.going = None;
        }
    }

    /// Goes on as far as it can.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for _ in 0..BATCH {
            let has_worked = self.work(context);
            let has_read = self.read(context);
            if !has_worked && !has_read {
                let is_idle = self.going.is_none() && self.queue.is_empty();
                return match self.last {
                    Some(_) if is_idle => Poll::Ready(()),
                    None if is_idle => self.rest(context),
                    _ => Poll::Pending,
                };
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Leaves the next messages to those who read them, unless they are spread over rounds, until one has to wait.
    fn rest(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.delivery.is_none() && !self.local.rounds.are_spread() {
            let this = Weak::clone(&self.this);
            self.delivery = Some(self.subscriber.deliver_to(move |frame| {
                if let Some(this) = this.upgrade() {
                    this.borrow_mut().take(frame);
                }
            }));
        }
        self.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Begins with a message that was just read.
    fn take(&mut self, frame: Bytes) {
        match self.going.is_none() && self.queue.is_empty() {
            true => self.begin(frame),
            // Nothing is delivered while anything waits; if it were, its order would be kept.
            false => self.wait(frame),
        }
        if self.going.is_some() {
            self.delivery = None;
            self.waker.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Goes on with the message in work, or begins the next; whether there was anything to do.
    fn work(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(going) = &mut self.going {
            if going.as_mut().poll(context).is_pending() {
                return false;
            }
            self.going = None;
            return true;
        }
        let Some(frame) = self.queue.pop() else { return false };
        if self.local.rounds.are_spread()
            && let Err(until) = self.local.rounds.take(&mut self.last_round, Instant::now())
        {
            let bytes = frame.len();
            self.queue.put_back(frame, bytes);
            // The round's end becomes the thing in work, so that its time is waited for.
            self.going = Some(Box::pin(tokio::time::sleep_until(until.into())));
            self.awaits_round = true;
            return true;
        }
        self.awaits_round = false;
        self.begin(frame);
        true
    }

    /// Reads a message if there is one and room for it; whether it did.
    fn read(&mut self, context: &mut Context<'_>) -> bool {
        if self.last == Some(0) {
            return false;
        }
        let settings = self.local.settings(self.number);
        let is_full = |queue: &Waiting<Bytes>| queue.is_full(settings.queue, settings.queue_bytes);
        if settings.overflow == Overflow::Wait && is_full(&self.queue) {
            return false;
        }
        let Poll::Ready(frame) = self.subscriber.poll_recv(context) else { return false };
        self.last = self.last.map(|last| last - 1);
        while is_full(&self.queue) && self.queue.pop().is_some() {
            self.local.counters(self.number).refuse(DROPPED_OLDEST);
        }
        self.wait(frame);
        true
    }

    fn wait(&mut self, frame: Bytes) {
        let bytes = frame.len();
        self.queue.push(frame, bytes);
    }

    fn begin(&mut self, frame: Bytes) {
        let (local, number) = (Rc::clone(&self.local), self.number);
        match local.enter_always(number) {
            Ok(pass) => self.going = handle(&local, number, &frame, pass),
            Err(turn) => {
                self.going = Some(Box::pin(async move {
                    let pass = turn.come().await;
                    if let Some(going) = handle(&local, number, &frame, pass) {
                        going.await;
                    }
                }));
            }
        }
    }
}

/// Reads a message and starts its handler; gives what goes on.
fn handle(local: &Rc<Local>, number: usize, frame: &[u8], pass: Pass) -> Option<Going> {
    let (topic, request) = match read(local, number, frame) {
        Ok(read) => read,
        Err(failure) => {
            local.counters(number).refuse_for(failure.code());
            job::report_refused(local, number, None, &failure);
            return None;
        }
    };
    let settings = local.settings(number);
    let arrived = Instant::now();
    let until = job::until([request.deadline, settings.deadline], arrived);
    let workflow_id = request.workflow_id.unwrap_or_default();
    let call = Call {
        target: Target::Connection(number as u32),
        encoding: request.encoding,
        peer: settings.peer,
        args: request.args,
        workflow_id: Some(workflow_id),
        topic,
        until: until.map(time_of),
    };
    run(local, number, &call, (arrived, until), pass)
}

/// Starts a handler that answers nothing; gives what goes on. `began` is now, `until` when it is given up.
pub(crate) fn run(
    local: &Rc<Local>,
    number: usize,
    call: &Call<'_>,
    (began, until): (Instant, Option<Instant>),
    pass: Pass,
) -> Option<Going> {
    let progress = job::start(local, number, call, Vec::new(), (began, until), Role::Handler(pass));
    match progress {
        Progress::Done(done) => {
            end(local, number, call.workflow_id.as_ref(), done);
            None
        }
        Progress::Going(going) => {
            let (local, id) = (Rc::clone(local), call.workflow_id.clone().map(WorkflowId::into_owned));
            Some(Box::pin(async move { end(&local, number, id.as_ref(), going.await) }))
        }
    }
}

/// Reads the topic and the envelope of a message.
fn read<'a>(
    local: &Local,
    number: usize,
    frame: &'a [u8],
) -> Result<(Option<&'a str>, Request<'a>), Failure> {
    let settings = local.settings(number);
    let bad = |text: String| Failure::new(code::BAD_MESSAGE, text);
    let (topic, payload) = topic::split(frame).map_err(|fault| bad(fault.to_string()))?;
    if let Some(wanted) = &settings.topic
        && topic != Some(wanted)
    {
        // A publisher that does not filter, or a payload that begins like the filter.
        return Err(bad(format!(
            "a message without the topic {}",
            service_framework_core::fault::quoted(wanted)
        )));
    }
    let max_workflow_id = local.service_settings().max_workflow_id_bytes;
    let request =
        Request::read(payload, &settings.limits, max_workflow_id).map_err(|refusal| refusal.failure)?;
    Ok((topic, request))
}

fn end(local: &Local, number: usize, workflow_id: Option<&WorkflowId<'_>>, done: Done) {
    if let Err(failure) = done.result {
        local.counters(number).refuse_for(failure.code());
        job::report_failed(local, number, workflow_id, &failure);
    }
}
