//! Tells threads apart, for both halves of the boundary.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A thread. No two have the same number, not even one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ThreadNumber(u64);

/// The thread that asks.
///
/// Unlike the standard library's own id, it is to be had until the very end of a thread, and so never unwinds into C.
pub(super) fn this_thread() -> ThreadNumber {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static THIS: Cell<u64> = const { Cell::new(0) };
    }
    let next = || NEXT.fetch_add(1, Ordering::Relaxed);
    let given = THIS.try_with(|this| {
        if this.get() == 0 {
            this.set(next());
        }
        this.get()
    });
    // Where a thread can let go of its number before it ends, it is no service's thread any more.
    ThreadNumber(given.unwrap_or_else(|_| next()))
}
