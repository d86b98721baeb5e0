//! What is around every step of a service: its log, and the runtime that it was exported with.

use std::cell::Cell;

use crate::logs::Logs;
use crate::own_runtime::Entrance;

thread_local! {
    /// Those that this thread is inside of.
    static INSIDE: Cell<*const Surroundings> = const { Cell::new(std::ptr::null()) };
}

/// What is around every step of one service.
#[derive(Debug)]
pub(crate) struct Surroundings {
    logs: Logs,
    runtime: Entrance,
}

impl Surroundings {
    pub(crate) fn new(logs: Logs, runtime: Entrance) -> Self {
        Self { logs, runtime }
    }

    /// Runs a step of the service.
    pub(crate) fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        struct Leave(*const Surroundings);
        impl Drop for Leave {
            fn drop(&mut self) {
                INSIDE.set(self.0);
            }
        }
        let this = std::ptr::from_ref(self);
        if INSIDE.get() == this {
            return step();
        }
        let _leave = Leave(INSIDE.replace(this));
        self.runtime.during(|| self.logs.during(step))
    }
}
