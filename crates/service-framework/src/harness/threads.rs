//! Which blocking handlers of a service under test run, and which of them only wait for the harness.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::world::{Outcome, World};

thread_local! {
    /// Set on the threads that the harness starts.
    static WATCH: RefCell<Option<Arc<Watch>>> = const { RefCell::new(None) };
}

/// The call that a thread of the harness runs.
pub(super) fn call_of_this_thread() -> Option<u64> {
    Watch::current().map(|watch| watch.call)
}

/// Sees a thread block and be woken, so that time stands still while it runs.
#[derive(Debug)]
pub(crate) struct Watch {
    call: u64,
    world: Arc<World>,
}

impl Watch {
    /// The watch over this thread, if the harness started it.
    pub(crate) fn current() -> Option<Arc<Self>> {
        // A thread that ends may have let go of it already.
        WATCH.try_with(|watch| watch.borrow().clone()).ok().flatten()
    }

    /// The thread polls what it waits for.
    pub(crate) fn polls(&self) {
        self.set(Doing::Runs);
    }

    /// What it waits for was not there, and it goes to sleep, unless it was woken meanwhile.
    pub(crate) fn sleeps(&self) {
        self.world.change(|state| {
            if let Some(doing) = state.threads.doing.get_mut(&self.call)
                && *doing == Doing::Runs
            {
                *doing = Doing::Sleeps;
            }
        });
    }

    /// It was woken, by any thread.
    pub(crate) fn wakes(&self) {
        self.set(Doing::WasWoken);
    }

    fn set(&self, now: Doing) {
        self.world.change(|state| {
            if let Some(doing) = state.threads.doing.get_mut(&self.call) {
                *doing = now;
            }
        });
    }
}

/// The threads that run blocking handlers.
#[derive(Debug, Default)]
pub(super) struct Running {
    doing: HashMap<u64, Doing>,
    ended: Vec<(u64, Outcome)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Runs,
    Sleeps,
    /// It was woken after it had begun to poll, so that it will poll again.
    WasWoken,
}

impl Running {
    pub(super) fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    pub(super) fn take_ended(&mut self) -> Vec<(u64, Outcome)> {
        std::mem::take(&mut self.ended)
    }

    /// The calls whose threads do not wait for the harness.
    pub(super) fn busy(&self) -> Vec<u64> {
        let busy = self.doing.iter().filter(|(_, doing)| **doing != Doing::Sleeps);
        busy.map(|(call, _)| *call).collect()
    }
}

/// Runs a blocking handler on a thread of its own.
pub(super) fn start(
    world: &Arc<World>,
    call: u64,
    run: impl FnOnce() -> Outcome + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    world.change(|state| state.threads.doing.insert(call, Doing::Runs));
    let watch = Arc::new(Watch { call, world: Arc::clone(world) });
    let started = std::thread::Builder::new().name(format!("blocking-{call}")).spawn(move || {
        WATCH.set(Some(Arc::clone(&watch)));
        let outcome = run();
        WATCH.set(None);
        watch.world.change(|state| {
            state.threads.doing.remove(&call);
            state.threads.ended.push((call, outcome));
        });
    });
    if started.is_err() {
        world.change(|state| state.threads.doing.remove(&call));
    }
    started
}
