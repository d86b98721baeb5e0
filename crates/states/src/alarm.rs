//! When the task of a copy wakes by itself, which what is delivered outside of that task may bring forward.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::time::{Instant, Sleep, sleep_until};

#[derive(Debug, Default)]
pub(crate) struct Alarm {
    timer: RefCell<Option<Pin<Box<Sleep>>>>,
    /// What the timer is set to, if it is set.
    at: Cell<Option<Instant>>,
    waker: RefCell<Option<Waker>>,
}

impl Alarm {
    /// Sets it in the task, and says whether it is time already. The task is woken then, or by [`wake`](Self::wake).
    pub(crate) fn poll(&self, at: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        self.waker.replace(Some(context.waker().clone()));
        self.at.set(at);
        let Some(at) = at else { return Poll::Pending };
        let mut timer = self.timer.borrow_mut();
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        timer.as_mut().reset(at);
        timer.as_mut().poll(context)
    }

    /// Wakes the task, so that it sets the alarm anew, if that is set to a later time than this, or not at all.
    pub(crate) fn bring_forward(&self, at: Option<Instant>) {
        // One that is too early costs one look; setting it anew for each update would cost more.
        if at.is_some_and(|at| self.at.get().is_none_or(|alarm| at < alarm)) {
            self.wake();
        }
    }

    /// Wakes the task.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}
