//! The owner of a delta state on its sockets: publishes what changes, and gives the whole to those who ask.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::{Publisher, ReplyTo, Replyer, Request};
use service_framework_core::Failure;
use service_framework_core::envelope::Reply;
use service_framework_core::failure::code;
use service_framework_core::value::Uuid;
use service_framework_core::wire::Encoding;
use service_framework_core::workflow;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::aside::aside;
use crate::delta::{Largest, Snapshot};
use crate::message::SnapshotRequest;
use crate::owner::DeltaOwner;

/// How many may wait for one: more than there are peers, unless one asks without waiting.
const WAITING_MAX: usize = 20_000;

/// How many bytes of encoded snapshots are kept, so that those who fetch one part by part find the next; the last one in any case.
const KEPT_BYTES: usize = 256 << 20;

/// For how long.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// The smallest part that a snapshot is cut into, unless a reply may not be that long.
const PART_BYTES_MIN: usize = 16 << 10;

/// The owner of a delta state, on the thread of its sockets. Dropping it ends it.
pub struct DeltaUpdateOut {
    desk: Rc<Desk>,
    tasks: [JoinHandle<()>; 3],
}

/// What answers requests for the whole.
struct Desk {
    owner: Arc<DeltaOwner>,
    publisher: Rc<Publisher>,
    replyer: Rc<Replyer>,
    kept: RefCell<VecDeque<Encoded>>,
    /// Those who wait for a snapshot to be encoded that is taken after they have asked.
    waiting: RefCell<Vec<Waiting>>,
    is_encoding: Cell<bool>,
    encode: Encode,
    snapshots: Cell<u64>,
}

/// Who waits for a snapshot.
struct Waiting {
    reply_to: ReplyTo,
    form: Form,
    /// The longest reply that it takes.
    longest: usize,
}

/// Writes a snapshot in a form.
type Encode = fn(&Snapshot, Form) -> Encoded;

/// How a snapshot is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// In one reply, however long.
    Whole,
    /// In replies of at most so many bytes, but for entries that are longer alone.
    Parts(usize),
    /// In one reply, in JSON.
    Json,
}

/// The replies of one snapshot in one form; or why there is none.
struct Encoded {
    epoch: Uuid,
    number: i64,
    form: Form,
    replies: Result<Vec<Bytes>, Failure>,
    /// The largest entry, if it is why a reply is longer than the form says.
    largest: Option<Largest>,
    made: Instant,
}

impl Encoded {
    fn bytes(&self) -> usize {
        self.replies.iter().flatten().map(Bytes::len).sum()
    }

    /// The reply of that index, for one who takes replies of at most so many bytes; none if there is none of that index.
    ///
    /// # Errors
    ///
    /// If there is no snapshot in this form, or one of its replies, whichever, is longer.
    fn reply(&self, index: usize, longest: usize) -> Result<Option<Bytes>, Failure> {
        let replies = self.replies.as_ref().map_err(Failure::clone)?;
        match &self.largest {
            Some(Largest { key, entry_bytes }) if replies.iter().any(|reply| reply.len() > longest) => {
                let text = format!(
                    "an entry has {entry_bytes} bytes, and a reply may have {longest}, the lower `max_message_bytes` of the owner's replyer and \
                     the copy's requester; its key is {key}"
                );
                Err(Failure::new(code::TOO_LARGE, text))
            }
            _ => Ok(replies.get(index).cloned()),
        }
    }
}

impl DeltaUpdateOut {
    /// Begins to publish and to answer. Must be called inside a `LocalSet` or a `LocalRuntime`.
    pub fn open(owner: Arc<DeltaOwner>, publisher: Rc<Publisher>, replyer: Rc<Replyer>) -> Self {
        Self::encoding_by(encode, owner, publisher, replyer)
    }

    fn encoding_by(
        encode: Encode,
        owner: Arc<DeltaOwner>,
        publisher: Rc<Publisher>,
        replyer: Rc<Replyer>,
    ) -> Self {
        let desk = Rc::new(Desk {
            owner,
            publisher,
            replyer,
            kept: RefCell::default(),
            waiting: RefCell::default(),
            is_encoding: Cell::new(false),
            encode,
            snapshots: Cell::new(0),
        });
        let tasks = [
            tokio::task::spawn_local(Rc::clone(&desk).answer()),
            tokio::task::spawn_local(Rc::clone(&desk).beat()),
            tokio::task::spawn_local(Rc::clone(&desk).forget()),
        ];
        Self { desk, tasks }
    }

    /// Sends what was published by the owner, on whichever thread.
    pub fn flush(&self) {
        self.desk.flush();
    }

    /// The owner that any thread may publish by.
    pub fn owner(&self) -> &Arc<DeltaOwner> {
        &self.desk.owner
    }

    /// How often the whole was given to somebody.
    pub fn snapshots(&self) -> u64 {
        self.desk.snapshots.get()
    }

    /// Where updates are published.
    pub fn publisher(&self) -> &Rc<Publisher> {
        &self.desk.publisher
    }

    /// Where the whole is asked for.
    pub fn replyer(&self) -> &Rc<Replyer> {
        &self.desk.replyer
    }

    /// Closes both sockets, once what was published and answered has left, within `linger`.
    pub async fn close(&self, linger: Duration) {
        self.desk.owner.close();
        self.desk.flush();
        self.tasks.iter().for_each(JoinHandle::abort);
        tokio::join!(self.desk.publisher.close(linger), self.desk.replyer.close(linger));
    }
}

impl Drop for DeltaUpdateOut {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl std::fmt::Debug for DeltaUpdateOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeltaUpdateOut").field("owner", &self.desk.owner).finish_non_exhaustive()
    }
}

impl Desk {
    fn flush(&self) {
        self.owner.take().into_iter().for_each(|frame| self.publisher.publish(frame));
    }

    /// Publishes whenever nothing else was.
    async fn beat(self: Rc<Self>) {
        loop {
            let next = self.owner.beat();
            self.flush();
            match next {
                Some(next) => sleep_until(Instant::from_std(next)).await,
                None => pending().await,
            }
        }
    }

    async fn answer(self: Rc<Self>) {
        loop {
            let Request { payload, reply_to } = self.replyer.recv().await;
            self.take(&payload, reply_to);
        }
    }

    /// Answers a request, at once if its answer is there.
    fn take(self: &Rc<Self>, payload: &[u8], reply_to: ReplyTo) {
        let request = match SnapshotRequest::read(payload, self.owner.reply_limits()) {
            Ok(request) => request,
            Err(fault) => {
                let failure = Failure::new(code::BAD_MESSAGE, fault.to_string());
                return self.refuse(reply_to, Encoding::of(payload), &failure);
            }
        };
        let (form, longest) = match (request.since, request.encoding) {
            (None, Encoding::Json) => (Form::Json, usize::MAX),
            (None, Encoding::MessagePack) => (Form::Whole, usize::MAX),
            (Some(since), _) => {
                let theirs = usize::try_from(since.max_bytes).unwrap_or(usize::MAX).max(PART_BYTES_MIN);
                let longest = theirs.min(self.owner.reply_limits().max_message_bytes);
                // Powers of two, so that readers cannot have it encoded in any number of ways.
                (Form::Parts(1 << longest.max(1).ilog2()), longest)
            }
        };
        let (epoch, last) = self.owner.epoch_and_number();
        let (number, index) = match request.part {
            Some(part) => (part.number, part.index as usize),
            None => (last, 0),
        };
        let kept = self.kept.borrow();
        // Another epoch may have the same numbers.
        let kept = kept.iter().find(|kept| (kept.epoch, kept.number, kept.form) == (epoch, number, form));
        match kept.map(|kept| kept.reply(index, longest)) {
            Some(Ok(Some(reply))) => self.reply(reply_to, reply),
            Some(Err(failure)) => self.refuse(reply_to, request.encoding, &failure),
            _ if self.waiting.borrow().len() >= WAITING_MAX && form == Form::Whole => {
                // An error reply ends a reader in Python; one that has given up waiting may be among the first.
                let mut waiting = self.waiting.borrow_mut();
                self.replyer.give_up(waiting.remove(0).reply_to);
                waiting.push(Waiting { reply_to, form, longest });
            }
            _ if self.waiting.borrow().len() >= WAITING_MAX => {
                let failure = Failure::new(code::BUSY, "too many wait for the whole state already");
                self.refuse(reply_to, request.encoding, &failure);
            }
            // Whoever was at a later part begins again: what it had is of no use any more.
            _ => self.waiting.borrow_mut().push(Waiting { reply_to, form, longest }),
        }
        if !self.waiting.borrow().is_empty() && !self.is_encoding.replace(true) {
            tokio::task::spawn_local(Rc::clone(self).encode());
        }
    }

    /// Encodes the state, away from this thread if it is large, for all who have asked until then; and again for those who ask meanwhile.
    async fn encode(self: Rc<Self>) {
        loop {
            let asked = std::mem::take(&mut *self.waiting.borrow_mut());
            let Some(Waiting { form, .. }) = asked.first() else { break };
            let form = *form;
            // One form after the other, so that no more than one is there that was not sent.
            let (asked, others): (Vec<_>, Vec<_>) =
                asked.into_iter().partition(|waiting| waiting.form == form);
            self.waiting.borrow_mut().extend(others);
            let snapshot = self.owner.snapshot();
            let encode = self.encode;
            let bytes = snapshot.copy.size_bytes();
            let encoded = aside(bytes, move || encode(&snapshot, form)).await;
            // The runtime ends; or it panicked, and those who ask from now on are to be answered all the same.
            let Some(encoded) = encoded else {
                asked.into_iter().for_each(|waiting| self.leave(waiting));
                continue;
            };
            let encoding = if form == Form::Json { Encoding::Json } else { Encoding::MessagePack };
            for Waiting { reply_to, longest, .. } in asked {
                match encoded.reply(0, longest) {
                    Ok(first) => self.reply(reply_to, first.unwrap_or_default()),
                    Err(failure) => self.refuse(reply_to, encoding, &failure),
                }
            }
            self.keep(encoded);
        }
        self.is_encoding.set(false);
    }

    fn keep(&self, encoded: Encoded) {
        let mut kept = self.kept.borrow_mut();
        // Only those who fetch parts come back for an older one.
        kept.retain(|kept| matches!(kept.form, Form::Parts(_)));
        kept.push_back(encoded);
        let mut bytes: usize = kept.iter().map(Encoded::bytes).sum();
        while bytes > KEPT_BYTES
            && kept.len() > 1
            && let Some(oldest) = kept.pop_front()
        {
            bytes -= oldest.bytes();
        }
    }

    /// Lets go of what nobody can be fetching any more.
    async fn forget(self: Rc<Self>) {
        loop {
            sleep(KEPT_FOR).await;
            self.kept.borrow_mut().retain(|kept| kept.made.elapsed() < KEPT_FOR);
        }
    }

    /// Answers one for whom nothing could be written.
    fn leave(&self, Waiting { reply_to, form, .. }: Waiting) {
        let failure = Failure::new(code::PANICKED, "the whole state could not be written");
        match form {
            Form::Parts(_) => self.refuse(reply_to, Encoding::MessagePack, &failure),
            Form::Json => self.refuse(reply_to, Encoding::Json, &failure),
            // An error reply ends a reader in Python.
            Form::Whole => self.replyer.give_up(reply_to),
        }
    }

    fn reply(&self, reply_to: ReplyTo, reply: Bytes) {
        self.snapshots.set(self.snapshots.get() + 1);
        self.replyer.reply(reply_to, reply);
    }

    fn refuse(&self, reply_to: ReplyTo, encoding: Encoding, failure: &Failure) {
        let reply = Reply::failure(encoding, workflow::null(encoding), failure);
        self.replyer.reply(reply_to, reply.into());
    }
}

fn encode(snapshot: &Snapshot, form: Form) -> Encoded {
    let replies = match form {
        Form::Whole => Ok(vec![snapshot.encode_whole().into()]),
        Form::Json => snapshot.encode_json().map(|reply| vec![reply.into()]).map_err(Failure::from),
        Form::Parts(part_bytes) => {
            Ok(snapshot.encode_parts(part_bytes).into_iter().map(Bytes::from).collect::<Vec<_>>())
        }
    };
    let largest = match (form, &replies) {
        (Form::Parts(part_bytes), Ok(replies)) if replies.iter().any(|reply| reply.len() > part_bytes) => {
            snapshot.largest()
        }
        _ => None,
    };
    let Snapshot { epoch, number, .. } = *snapshot;
    Encoded { epoch, number, form, replies, largest, made: Instant::now() }
}

#[cfg(test)]
mod tests;
