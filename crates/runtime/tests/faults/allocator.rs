//! Counts the bytes that this process has allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[global_allocator]
static COUNTING: Counting = Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// How many bytes are allocated now.
pub(crate) fn allocated_bytes() -> usize {
    ALLOCATED.load(Relaxed)
}

/// How many bytes were allocated at most, since this was asked last.
pub(crate) fn most_bytes() -> usize {
    MOST.swap(allocated_bytes(), Relaxed)
}

/// The system's allocator, counted.
struct Counting;

impl Counting {
    fn grow(bytes: usize) {
        MOST.fetch_max(ALLOCATED.fetch_add(bytes, Relaxed) + bytes, Relaxed);
    }

    fn shrink(bytes: usize) {
        ALLOCATED.fetch_sub(bytes, Relaxed);
    }
}

#[expect(unsafe_code, reason = "an allocator is unsafe to write")]
// SAFETY: all is done by the system's allocator, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::grow(layout.size());
        // SAFETY: the caller keeps the promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        Self::shrink(layout.size());
        // SAFETY: the caller keeps the promises.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        Self::shrink(layout.size());
        Self::grow(bytes);
        // SAFETY: the caller keeps the promises.
        unsafe { System.realloc(place, layout, bytes) }
    }
}
