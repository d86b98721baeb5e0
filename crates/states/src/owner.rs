//! A delta state as any thread may change it: numbered under a lock, sent by the thread that its sockets live on.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use parking_lot::Mutex;
use service_framework_core::failure::code;
use service_framework_core::topic;
use service_framework_core::value::Uuid;
use service_framework_core::wire::Limits;
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, Fault};

use crate::delta::owner::{self, Kind};
use crate::delta::{Owner, Snapshot};
use crate::message::{Given, Update};

/// How an owner behaves.
#[derive(Clone, Debug, Default)]
pub struct OwnerOptions {
    /// What the state is called in errors.
    pub name: String,
    /// The topic that updates are published under, if there is one.
    pub topic: Option<String>,
    /// How often something is published at least; `None` if only what changes is.
    pub heartbeat: Option<Duration>,
    /// Bounds on each update.
    pub limits: Limits,
}

/// The owner of a delta state. Any thread may publish; what is published waits for the thread of the sockets, in the order of the numbers.
#[derive(Debug)]
pub struct DeltaOwner {
    options: OwnerOptions,
    head: Vec<u8>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    owner: Owner,
    outbox: Vec<Bytes>,
    /// Whether there is nobody any more who sends.
    is_closed: bool,
}

impl DeltaOwner {
    /// An owner that has just started, with an empty state.
    pub fn new(options: OwnerOptions) -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // Readers in Python take a restart for a gap by it.
        let first = i64::try_from(since_1970.as_micros()).unwrap_or(0);
        let owner = Owner::new(Uuid::new_v4(), first, options.heartbeat, Instant::now());
        let head = options.topic.as_deref().map(topic::encode).unwrap_or_default();
        Self { options, head, state: Mutex::new(State { owner, outbox: Vec::new(), is_closed: false }) }
    }

    /// Publishes a change or the whole state, as the arguments say: `state`, `is_snapshot`, and `current_num` if the service numbers by itself.
    ///
    /// # Errors
    ///
    /// If they are no such arguments, too large for one message, or have a number that readers would pass over. The state is then what it was.
    pub fn publish(&self, args: &[u8], workflow_id: &WorkflowId<'_>) -> Result<(), Failure> {
        let name = &self.options.name;
        // How large it is on the wire is known when it is written; this bounds what is read.
        let limits = Limits { max_message_bytes: usize::MAX, ..self.options.limits };
        let refused = |fault: Fault| {
            Failure::new(code::BAD_ARGS, format!("cannot publish `{name}`: {}", fault.within("args")))
        };
        let Given { state, is_snapshot, number } = Given::read(args, &limits).map_err(refused)?;
        // A removal is a byte more than its key.
        let bytes = state.size_bytes() + state.len() + workflow_id.as_str().len() + AROUND;
        let most = self.options.limits.max_message_bytes;
        if bytes > most {
            let text = format!(
                "update of `{name}`: {bytes} bytes, and its `max_message_bytes` is {most}; publish it in several changes"
            );
            return Err(Failure::new(code::TOO_LARGE, text));
        }
        let now = Instant::now();
        let mut held = self.state.lock();
        if held.is_closed {
            return Err(stopped(name));
        }
        if held.outbox.len() >= MAX_WAITING {
            return Err(busy(name));
        }
        let owner = &mut held.owner;
        let update = match (number, is_snapshot) {
            (None, false) => owner.update(state, now),
            (None, true) => owner.set(state, now),
            (Some(number), false) => owner.update_by_hand(number, Kind::Change, state, now),
            (Some(number), true) => owner.update_by_hand(number, Kind::Snapshot, state, now),
        };
        let update = update
            .map_err(|error: owner::Error| Failure::msg(format!("cannot publish `{name}`: {error}")))?;
        let frame = self.frame(&Update { workflow_id: Some(workflow_id.clone().into_owned()), ..update });
        held.outbox.push(frame);
        Ok(())
    }

    /// Publishes an update that changes nothing, if it is time for one; says when to ask again, if ever.
    pub(crate) fn beat(&self) -> Option<Instant> {
        let mut held = self.state.lock();
        if let Some(update) = held.owner.heartbeat(Instant::now()) {
            let workflow_id = Some(WorkflowId::new().into_owned());
            let frame = self.frame(&Update { workflow_id, ..update });
            held.outbox.push(frame);
        }
        held.owner.next_wake()
    }

    /// Refuses what comes from now on: nobody sends any more what is not taken.
    pub(crate) fn close(&self) {
        self.state.lock().is_closed = true;
    }

    /// What was published since the last time, topics included.
    pub(crate) fn take(&self) -> Vec<Bytes> {
        std::mem::take(&mut self.state.lock().outbox)
    }

    /// The state as it is now, to be encoded anywhere.
    pub fn snapshot(&self) -> Snapshot {
        self.state.lock().owner.snapshot()
    }

    /// The bytes that all entries of the state have on the wire.
    pub fn size_bytes(&self) -> usize {
        self.state.lock().owner.copy().size_bytes()
    }

    /// The start that updates are of, and the number of the last one.
    pub fn epoch_and_number(&self) -> (Uuid, i64) {
        let held = self.state.lock();
        (held.owner.epoch(), held.owner.number())
    }

    /// The number of the last update.
    pub fn number(&self) -> i64 {
        self.state.lock().owner.number()
    }

    fn frame(&self, update: &Update) -> Bytes {
        let mut frame = self.head.clone();
        update.write(&mut frame);
        frame.into()
    }
}

/// Room for what stands around the state in an update, but for its workflow id.
const AROUND: usize = 256;

/// How many updates may wait for the thread of the sockets.
pub(crate) const MAX_WAITING: usize = 10_000;

pub(crate) fn busy(name: &str) -> Failure {
    Failure::new(code::BUSY, format!("cannot publish `{name}`: the service's thread does not keep up"))
}

pub(crate) fn stopped(name: &str) -> Failure {
    Failure::new(code::STOPPING, format!("cannot publish `{name}`: the service has stopped"))
}
