//! The owner of a full state: publishes the whole whenever it is set, and sends it to copies that come later.

use std::cell::RefCell;
use std::future::pending;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use service_framework_connections::Publisher;
use service_framework_connections::publisher::Newcomer;
use service_framework_core::Failure;
use service_framework_core::failure::code;
use service_framework_core::topic;
use service_framework_core::value::Uuid;
use service_framework_core::wire::Encoding;
use service_framework_core::workflow::WorkflowId;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use crate::asking::Asking;
use crate::message::{Content, FullUpdate, Origin};
use crate::outbox::Outbox;
use crate::owner::OwnerOptions;

/// The owner of a full state. Any thread may set it; what is set waits for the thread of the socket, in order.
#[derive(Debug)]
pub struct FullOwner {
    options: OwnerOptions,
    head: Vec<u8>,
    /// Tells this start of it from others.
    epoch: Uuid,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    outbox: Outbox<Waiting>,
    /// How often it was set, which is the number of its last value.
    sets: u64,
    /// When something was published last.
    published: Instant,
}

/// A frame, topic included, that waits for the thread of the socket.
#[derive(Debug)]
struct Waiting {
    frame: Bytes,
    content: Content,
}

impl AsRef<[u8]> for Waiting {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}

impl FullOwner {
    /// An owner that has set nothing yet.
    pub fn new(options: OwnerOptions) -> Self {
        let head = options.topic.as_deref().map(topic::encode).unwrap_or_default();
        let state = State { outbox: Outbox::default(), sets: 0, published: Instant::now() };
        Self { options, head, epoch: Uuid::new_v4(), state: Mutex::new(state) }
    }

    /// Refuses what comes from now on: nobody sends any more what is not taken.
    pub(crate) fn close(&self) {
        self.state.lock().outbox.close();
    }

    /// Publishes the state, a map in `encoding`.
    ///
    /// # Errors
    ///
    /// If it is too large for one message. The state is then what it was.
    pub fn publish(
        &self,
        encoding: Encoding,
        args: &[u8],
        workflow_id: &WorkflowId<'_>,
    ) -> Result<(), Failure> {
        let mut state = self.state.lock();
        state.outbox.check_room(&self.options.name)?;
        // Written under the lock: the order of the numbers is that of the frames.
        let number = state.sets + 1;
        let frame = self.frame(Content::Value, encoding, args, workflow_id, number);
        let (bytes, most) = (frame.len() - self.head.len(), self.options.limits.max_message_bytes);
        if bytes > most {
            let name = &self.options.name;
            let text = format!("state `{name}`: {bytes} bytes, and its `max_message_bytes` is {most}");
            return Err(Failure::new(code::TOO_LARGE, text));
        }
        state.outbox.push(Waiting { frame, content: Content::Value });
        state.sets = number;
        state.published = Instant::now();
        Ok(())
    }

    /// Publishes a sign of life, if it is time for one; says when to ask again, if ever.
    fn beat(&self) -> Option<Instant> {
        let every = self.options.heartbeat?;
        let mut state = self.state.lock();
        let now = Instant::now();
        if now.duration_since(state.published) >= every {
            let (encoding, number) = (Encoding::MessagePack, state.sets);
            let frame = self.frame(Content::Heartbeat, encoding, EMPTY_MAP, &WorkflowId::new(), number);
            state.outbox.push(Waiting { frame, content: Content::Heartbeat });
            state.published = now;
        }
        state.published.checked_add(every)
    }

    fn frame(
        &self,
        content: Content,
        encoding: Encoding,
        args: &[u8],
        workflow_id: &WorkflowId<'_>,
        number: u64,
    ) -> Bytes {
        let update = FullUpdate {
            encoding,
            args,
            workflow_id: Some(workflow_id.clone()),
            origin: Some(Origin { epoch: self.epoch, number }),
            heartbeat: self.options.heartbeat,
            content,
        };
        update.append(self.head.clone()).into()
    }

    /// How often it was set.
    pub fn sets(&self) -> u64 {
        self.state.lock().sets
    }

    fn take(&self) -> Vec<Waiting> {
        self.state.lock().outbox.take()
    }
}

/// What a sign of life has for arguments, in MessagePack.
const EMPTY_MAP: &[u8] = b"\x80";

/// The owner of a full state, on the thread of its socket. Dropping it ends it.
///
/// A copy of ours that comes late asks for the last value, by what it subscribes to, and is sent that alone: others hear nothing of it. So it is behind a proxy, too, if the
/// state has a topic. Without one, a copy behind a proxy waits for the next value, as other subscribers behind it would take what is for the copy; so do copies in Python, and all
/// copies where the engine is `zeromq`.
///
/// With [`OwnerOptions::heartbeat`], a sign of life is published whenever nothing was set for so long. Copies of ours know it by its keys; **copies in Python take it for an empty value.**
pub struct FullUpdateOut {
    desk: Rc<Desk>,
    beating: JoinHandle<()>,
}

/// What is published, and sent to those who come late.
struct Desk {
    owner: Arc<FullOwner>,
    publisher: Rc<Publisher>,
    /// The frame of the last value that was published.
    last: RefCell<Option<Bytes>>,
}

impl FullUpdateOut {
    /// Begins to publish. Must be called inside a `LocalSet` or a `LocalRuntime`.
    pub fn open(owner: Arc<FullOwner>, publisher: Rc<Publisher>) -> Self {
        let asking = Asking::new(owner.options.topic.as_deref());
        let desk = Rc::new(Desk { owner, publisher, last: RefCell::default() });
        let asked = Rc::downgrade(&desk);
        desk.publisher.greet(asking.prefix().to_vec(), move |filter, who| {
            asking.is_asked_by(filter).then(|| asked.upgrade()?.last_for(filter, who)).flatten()
        });
        let beating = tokio::task::spawn_local(beat(Rc::downgrade(&desk)));
        Self { desk, beating }
    }

    /// Sends what was set, on whichever thread.
    pub fn flush(&self) {
        self.desk.flush();
    }

    /// The owner that any thread may set the state by.
    pub fn owner(&self) -> &Arc<FullOwner> {
        &self.desk.owner
    }

    /// Where it is published.
    pub fn publisher(&self) -> &Rc<Publisher> {
        &self.desk.publisher
    }

    /// Closes the socket, once what was published has left, within `linger`.
    pub async fn close(&self, linger: Duration) {
        self.desk.owner.close();
        self.flush();
        self.beating.abort();
        self.desk.publisher.close(linger).await;
    }
}

impl Drop for FullUpdateOut {
    fn drop(&mut self) {
        self.beating.abort();
    }
}

impl std::fmt::Debug for FullUpdateOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FullUpdateOut").field("owner", &self.desk.owner).finish_non_exhaustive()
    }
}

impl Desk {
    fn flush(&self) {
        for Waiting { frame, content } in self.owner.take() {
            if content == Content::Value {
                self.last.replace(Some(frame.clone()));
            }
            self.publisher.publish(frame);
        }
    }

    /// What is sent to a copy that asks by this filter.
    fn last_for(&self, filter: &[u8], who: Newcomer) -> Option<Bytes> {
        let last = self.last.borrow().clone()?;
        match who {
            Newcomer::Subscriber => Some(last),
            // Only who asks has subscribed to what begins like this, but for those who take everything.
            Newcomer::Proxy if self.owner.options.topic.is_some() => Some([filter, &last].concat().into()),
            Newcomer::Proxy => None,
        }
    }
}

/// Gives a sign of life whenever nothing else was published.
async fn beat(desk: Weak<Desk>) {
    loop {
        let Some(desk) = desk.upgrade() else { return };
        let next = desk.owner.beat();
        desk.flush();
        drop(desk);
        match next {
            Some(next) => sleep_until(next.into()).await,
            None => pending().await,
        }
    }
}
