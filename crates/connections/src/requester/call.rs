//! One call, as the future that its caller waits on.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;

use super::{CallError, Inner};

/// A call. It is sent when first polled; dropping it forgets it.
#[must_use = "a call is sent when it is first polled"]
pub struct Call {
    inner: Rc<Inner>,
    state: State,
}

enum State {
    New { payload: Bytes, deadline: Option<Instant> },
    Begun { number: u64, slot: Rc<Slot> },
    Ended,
}

/// Where the outcome of a call is left for its caller.
#[derive(Default)]
pub(super) struct Slot {
    outcome: Cell<Option<Result<Bytes, CallError>>>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    /// Forgets the call that it served.
    pub(super) fn clear(&self) {
        self.outcome.take();
        self.waker.take();
    }

    /// Leaves the outcome and wakes the caller.
    pub(super) fn end(&self, outcome: Result<Bytes, CallError>) {
        self.outcome.set(Some(outcome));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Call {
    pub(super) fn new(inner: Rc<Inner>, payload: Bytes, deadline: Option<Instant>) -> Self {
        Self { inner, state: State::New { payload, deadline } }
    }
}

impl Future for Call {
    type Output = Result<Bytes, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let State::New { payload, deadline } = &mut this.state {
            let slot = this.inner.spare.borrow_mut().pop().unwrap_or_default();
            match this.inner.begin(std::mem::take(payload), *deadline, &slot) {
                Ok(number) => this.state = State::Begun { number, slot },
                Err(error) => {
                    this.state = State::Ended;
                    return Poll::Ready(Err(error));
                }
            }
        }
        let State::Begun { slot, .. } = &this.state else {
            // Polled again after its end, which no caller may expect anything of.
            return Poll::Ready(Err(CallError::Closed));
        };
        if let Some(outcome) = slot.outcome.take() {
            if let State::Begun { slot, .. } = std::mem::replace(&mut this.state, State::Ended) {
                this.inner.keep_spare(slot);
            }
            return Poll::Ready(outcome);
        }
        match &mut *slot.waker.borrow_mut() {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let State::Begun { number, .. } = self.state {
            self.inner.forget(number);
        }
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = match self.state {
            State::New { .. } => "new",
            State::Begun { .. } => "begun",
            State::Ended => "ended",
        };
        f.debug_struct("Call").field("state", &state).finish_non_exhaustive()
    }
}
