//! Tells threads apart, for both halves of the boundary.

use std::thread::{self, ThreadId};

/// The thread that asks.
pub(super) fn this_thread() -> ThreadId {
    thread_local! {
        // The standard library counts a reference up and down for each answer.
        static THIS: ThreadId = thread::current().id();
    }
    THIS.with(|id| *id)
}
