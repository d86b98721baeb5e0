//! What a service under test waits for: operations of its host, and the wakers of its calls.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use service_framework_core::value::Bytes;

use super::clock::Due;
use super::world::{Outcome, World, gone};
use crate::Error;

/// An operation that the service has not dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) what: What,
    /// The call that it is for.
    pub(super) owner: Option<u64>,
    pub(super) waker: Option<Waker>,
    /// The call whose own waker that is, if no combinator stands between.
    pub(super) woken: Option<u64>,
    pub(super) outcome: Option<Outcome>,
}

/// What is waited for.
#[derive(Clone, Debug)]
pub(super) enum What {
    Sleep(Duration),
    Reply(usize, Option<Duration>),
    Stop,
}

/// An operation as the service sees it.
pub(super) struct Ongoing {
    pub(super) id: u64,
    pub(super) world: Arc<World>,
}

impl Future for Ongoing {
    type Output = Result<Bytes, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let current = self.world.look().current.clone();
        let current = current.filter(|_| std::thread::current().id() == self.world.thread);
        let count = || current.as_ref().map_or(0, |(_, waker)| Arc::strong_count(waker));
        let before = count();
        let waker = context.waker().clone();
        let woken = current.as_ref().filter(|_| count() > before).map(|(call, _)| *call);
        let mut state = self.world.look();
        let waiting = state.operations.get_mut(&self.id).expect("it is there until it is dropped");
        if let Some(outcome) = waiting.outcome.take() {
            // Whoever polls it once more gets a failure, and no panic.
            waiting.outcome = Some(Err(gone()));
            return Poll::Ready(outcome.map(Bytes::from));
        }
        waiting.woken = woken;
        let old = waiting.waker.replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        let waiting = self.world.change(|state| {
            state.clock.forget(|due| matches!(due, Due::Operation(id) if *id == self.id));
            let waiting = state.operations.remove(&self.id);
            let is_request = |waiting: &&Waiting| matches!(waiting.what, What::Reply(..));
            if waiting.as_ref().filter(is_request).is_some_and(|waiting| waiting.outcome.is_none()) {
                state.given_up.push_back(self.id);
            }
            waiting
        });
        drop(waiting);
    }
}

/// Puts a call on the list of those to poll.
#[derive(Debug)]
pub(super) struct CallWaker {
    call: u64,
    is_queued: AtomicBool,
    world: Weak<World>,
}

impl CallWaker {
    pub(super) fn new(call: u64, world: Weak<World>) -> Arc<Self> {
        Arc::new(Self { call, is_queued: AtomicBool::new(false), world })
    }

    /// From now on a wake is worth another poll.
    pub(super) fn is_polled(&self) {
        self.is_queued.store(false, Ordering::Release);
    }
}

impl Wake for CallWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::AcqRel)
            && let Some(world) = self.world.upgrade()
        {
            world.change(|state| state.woken.push_back(self.call));
        }
    }
}
