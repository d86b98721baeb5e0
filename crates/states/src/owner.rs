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

use crate::copy::Change;
use crate::delta::owner::{self, Kind};
use crate::delta::{Owner, Snapshot};
use crate::message::{Given, Head, Update};
use crate::outbox::Outbox;

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
    /// Bounds on requests for the whole, and on each reply to those who take parts.
    pub reply_limits: Limits,
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
    outbox: Outbox<Bytes>,
}

impl DeltaOwner {
    /// An owner that has just started, with an empty state.
    pub fn new(options: OwnerOptions) -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // Readers in Python take a restart for a gap by it.
        let first = i64::try_from(since_1970.as_micros()).unwrap_or(0);
        let owner = Owner::new(Uuid::new_v4(), first, options.heartbeat, Instant::now());
        let head = options.topic.as_deref().map(topic::encode).unwrap_or_default();
        Self { options, head, state: Mutex::new(State { owner, outbox: Outbox::default() }) }
    }

    /// Publishes a change or the whole state, as the arguments say: `state`, `is_snapshot`, and `current_num` if the service numbers by itself.
    ///
    /// # Errors
    ///
    /// If they are no such arguments, too large for one message, have an entry that is too large for the replies to those who ask for the whole, or have a number that readers would pass over. The state is then what it was.
    pub fn publish(&self, args: &[u8], workflow_id: &WorkflowId<'_>) -> Result<(), Failure> {
        let name = &self.options.name;
        // How large it is on the wire is known when it is written; this bounds what is read.
        let limits = Limits { max_message_bytes: usize::MAX, ..self.options.limits };
        let refused = |fault: Fault| {
            Failure::new(code::BAD_ARGS, format!("cannot publish `{name}`: {}", fault.within("args")))
        };
        let Given { state, is_snapshot, number } = Given::read(args, &limits).map_err(refused)?;
        let too_large = |text| Err(Failure::new(code::TOO_LARGE, text));
        // A removal is a byte more than its key.
        let size = |state: &Change| state.size_bytes() + state.len() + workflow_id.as_str().len() + AROUND;
        let (bytes, most) = (size(&state), self.options.limits.max_message_bytes);
        if bytes > most {
            return too_large(format!(
                "update of `{name}`: {bytes} bytes, and its `max_message_bytes` is {most}; publish it in several changes"
            ));
        }
        let most_of_reply = self.options.reply_limits.max_message_bytes;
        if let Some((key, entry_bytes)) = state.entry_over(most_of_reply.saturating_sub(Head::MAX_BYTES)) {
            return too_large(format!(
                "update of `{name}`: an entry has {entry_bytes} bytes, and no reply with the state could carry it, as the `max_message_bytes` of \
                 its replyer is {most_of_reply}; its key is {key}"
            ));
        }
        let now = Instant::now();
        let mut held = self.state.lock();
        held.outbox.check_room(name)?;
        let owner = &mut held.owner;
        let last = owner.number();
        // Of a number that is not above, all that the state has may be published.
        let before = number.filter(|number| *number <= last).map(|_| owner.clone());
        let update = match (number, is_snapshot) {
            (None, false) => owner.update(state, now),
            (None, true) => owner.set(state, now),
            (Some(number), false) => owner.update_by_hand(number, Kind::Change, state, now),
            (Some(number), true) => owner.update_by_hand(number, Kind::Snapshot, state, now),
        };
        let update = update
            .map_err(|error: owner::Error| Failure::msg(format!("cannot publish `{name}`: {error}")))?;
        let bytes = size(&update.state);
        if bytes > most
            && let Some(before) = before
        {
            *owner = before;
            return too_large(format!(
                "update of `{name}`: {bytes} bytes, and its `max_message_bytes` is {most}; its number is not above the last, {last}, so that the \
                 whole state is published with it: give it a number above"
            ));
        }
        let frame = self.frame(&Update { workflow_id: Some(workflow_id.clone().into_owned()), ..update });
        held.outbox.push(frame);
        Ok(())
    }

    /// Bounds on requests and replies.
    pub(crate) fn reply_limits(&self) -> &Limits {
        &self.options.reply_limits
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
        self.state.lock().outbox.close();
    }

    /// What was published since the last time, topics included.
    pub(crate) fn take(&self) -> Vec<Bytes> {
        self.state.lock().outbox.take()
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
