//! Work that a service runs beside its handlers: a stop waits for what has asked to be told of it, and cuts the rest.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use service_framework_core::Failure;
use service_framework_core::plugin::host::Spawned;
use slab::Slab;

use crate::local::Local;

/// The background work of one service.
#[derive(Default)]
pub(crate) struct Background {
    works: RefCell<Slab<Rc<Work>>>,
    /// The piece that is being polled.
    polled: RefCell<Option<Rc<Work>>>,
    on_change: RefCell<Option<Waker>>,
    /// Whether nothing is begun any more.
    is_over: Cell<bool>,
}

/// One piece of it.
struct Work {
    /// Until it has ended or is cut.
    future: RefCell<Option<Spawned>>,
    answer_to_stop: Cell<AnswerToStop>,
}

/// What a stop means to a piece of work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AnswerToStop {
    /// It was not polled yet, and may still ask.
    Unknown,
    /// It has asked to be told, and ends by itself.
    Heeds,
    /// It would go on for ever.
    Ignores,
}

/// Begins a piece of work. To be called on the service's thread.
pub(crate) fn begin(local: &Rc<Local>, spawned: Spawned) {
    let background = local.background();
    if background.is_over.get() {
        return local.watched().dropping(|| drop(spawned));
    }
    let work = Rc::new(Work {
        future: RefCell::new(Some(spawned)),
        answer_to_stop: Cell::new(AnswerToStop::Unknown),
    });
    let number = background.works.borrow_mut().insert(Rc::clone(&work));
    let local = Rc::clone(local);
    tokio::task::spawn_local(async move {
        let ended = poll_fn(|context| local.background().poll(&local, &work, context)).await;
        local.background().leave(number);
        if let Err(failure) = ended {
            tracing::error!(target: crate::LOG, "background work ended: {failure}");
        }
    });
}

impl Background {
    fn poll(&self, local: &Local, work: &Rc<Work>, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let mut future = work.future.borrow_mut();
        let Some(spawned) = &mut *future else { return Poll::Ready(Ok(())) };
        let before = self.polled.replace(Some(Rc::clone(work)));
        let polled = local.watched().working(|| Pin::new(spawned).poll(context));
        if polled.is_ready() {
            local.watched().working(|| *future = None);
        }
        self.polled.replace(before);
        if work.answer_to_stop.get() == AnswerToStop::Unknown {
            work.answer_to_stop.set(AnswerToStop::Ignores);
            self.tell_change();
        }
        polled
    }

    fn leave(&self, number: usize) {
        self.works.borrow_mut().try_remove(number);
        self.tell_change();
    }

    fn tell_change(&self) {
        if let Some(waker) = self.on_change.borrow_mut().take() {
            waker.wake();
        }
    }

    /// The piece that runs now, if one does, has asked to be told of a stop.
    pub(crate) fn heeds_stop(&self) {
        if let Some(work) = &*self.polled.borrow() {
            work.answer_to_stop.set(AnswerToStop::Heeds);
        }
    }

    /// How many pieces are waited for at a stop.
    pub(crate) fn heeding(&self) -> usize {
        let works = self.works.borrow();
        works.iter().filter(|(_, work)| work.answer_to_stop.get() != AnswerToStop::Ignores).count()
    }

    /// Ends when every piece that has asked to be told of the stop has ended.
    pub(crate) async fn idle(&self) {
        poll_fn(|context| {
            if self.heeding() == 0 {
                return Poll::Ready(());
            }
            *self.on_change.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Ends what is left, while its sockets are still there: it is to notice nothing of how they close.
    pub(crate) fn cut(&self, local: &Local) {
        self.is_over.set(true);
        let left = self.works.take();
        if !left.is_empty() {
            tracing::debug!(target: crate::LOG, "background work that had not ended was cut ({})", left.len());
        }
        for (_, work) in left {
            local.watched().dropping(|| drop(work.future.take()));
        }
    }
}
