//! The owner of a full state: publishes the whole whenever it is set.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use service_framework_connections::Publisher;
use service_framework_core::Failure;
use service_framework_core::envelope::Request;
use service_framework_core::failure::code;
use service_framework_core::topic;
use service_framework_core::wire::Encoding;
use service_framework_core::workflow::WorkflowId;

use crate::owner::{MAX_WAITING, OwnerOptions, busy};

/// The owner of a full state. Any thread may set it; what is set waits for the thread of the socket, in order.
#[derive(Debug)]
pub struct FullOwner {
    options: OwnerOptions,
    head: Vec<u8>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The frame that was published last.
    last: Option<Bytes>,
    outbox: Vec<Bytes>,
    sets: u64,
}

impl FullOwner {
    /// An owner that has set nothing yet.
    pub fn new(options: OwnerOptions) -> Self {
        let head = options.topic.as_deref().map(topic::encode).unwrap_or_default();
        Self { options, head, state: Mutex::default() }
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
        let frame = Request::append(self.head.clone(), encoding, args, Some(workflow_id), None);
        let (bytes, most) = (frame.len() - self.head.len(), self.options.limits.max_message_bytes);
        if bytes > most {
            let name = &self.options.name;
            let text = format!("state `{name}`: {bytes} bytes, and its `max_message_bytes` is {most}");
            return Err(Failure::new(code::TOO_LARGE, text));
        }
        let frame = Bytes::from(frame);
        let mut state = self.state.lock();
        if state.outbox.len() >= MAX_WAITING {
            return Err(busy(&self.options.name));
        }
        state.last = Some(frame.clone());
        state.outbox.push(frame);
        state.sets += 1;
        Ok(())
    }

    /// How often it was set.
    pub fn sets(&self) -> u64 {
        self.state.lock().sets
    }

    fn take(&self) -> Vec<Bytes> {
        std::mem::take(&mut self.state.lock().outbox)
    }

    /// The frame that was published last, topic included.
    pub fn last(&self) -> Option<Bytes> {
        self.state.lock().last.clone()
    }
}

/// The owner of a full state, on the thread of its socket.
#[derive(Debug)]
pub struct FullUpdateOut {
    owner: Arc<FullOwner>,
    publisher: Rc<Publisher>,
}

impl FullUpdateOut {
    /// Begins to publish.
    pub fn open(owner: Arc<FullOwner>, publisher: Rc<Publisher>) -> Self {
        Self { owner, publisher }
    }

    /// Sends what was set, on whichever thread.
    pub fn flush(&self) {
        self.owner.take().into_iter().for_each(|frame| self.publisher.publish(frame));
    }

    /// The owner that any thread may set the state by.
    pub fn owner(&self) -> &Arc<FullOwner> {
        &self.owner
    }

    /// Where it is published.
    pub fn publisher(&self) -> &Rc<Publisher> {
        &self.publisher
    }

    /// Closes the socket, once what was published has left, within `linger`.
    pub async fn close(&self, linger: Duration) {
        self.flush();
        self.publisher.close(linger).await;
    }
}
