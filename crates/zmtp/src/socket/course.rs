//! The course of one connection, from its stream to its end.

use std::future::poll_fn;
use std::rc::{Rc, Weak};

use tokio::task::JoinHandle;

use super::peer::{Peer, Waiting};
use super::{Ended, Shared, Stream};

impl Shared {
    /// Makes a peer of who is at the other end; its task ends with the connection.
    pub(super) fn begin(
        self: &Rc<Self>,
        stream: Stream,
        tell: Option<Waiting>,
    ) -> (Rc<Peer>, JoinHandle<()>) {
        let mut peers = self.peers.borrow_mut();
        let entry = peers.vacant_entry();
        let peer = Rc::new(Peer::new(entry.key(), stream, &self.options, tell));
        entry.insert(Rc::clone(&peer));
        drop(peers);
        let course = Course { shared: Rc::downgrade(self), peer: Rc::clone(&peer), why: Ended::ByUs };
        let task = tokio::task::spawn_local(async move {
            let mut course = course;
            course.why = poll_fn(|context| course.peer.poll(context, &course.shared)).await;
        });
        (peer, task)
    }
}

/// A connection and its task, however that ends: a [`Receiver`](super::Receiver) may panic in it.
struct Course {
    shared: Weak<Shared>,
    peer: Rc<Peer>,
    why: Ended,
}

impl Drop for Course {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.end(&self.peer, std::mem::replace(&mut self.why, Ended::ByUs));
        }
    }
}
