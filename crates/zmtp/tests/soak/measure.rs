//! What this process holds: descriptors, tasks, bytes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime::Handle;

/// The system's allocator, which counts what this thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: usize, sign: isize) {
    HELD.set(HELD.get() + sign * bytes as isize);
}

// SAFETY: every call goes on to the system's allocator unchanged.
#[expect(unsafe_code, reason = "an allocator cannot be written without; it stands in this test alone")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller keeps the promise of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller keeps the promise of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What there is at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Descriptors of this process.
    pub(crate) descriptors: usize,
    /// Tasks of the runtime that this is asked in.
    pub(crate) tasks: usize,
    /// Bytes that this thread has allocated and not freed.
    pub(crate) bytes: isize,
    /// Memory of this process that is not elsewhere.
    pub(crate) resident_bytes: isize,
}

impl Held {
    /// What there is now.
    pub(crate) fn now() -> Self {
        Self {
            descriptors: fs::read_dir("/proc/self/fd").expect("it is there").count(),
            tasks: tasks(),
            bytes: HELD.get(),
            resident_bytes: resident_bytes(),
        }
    }
}

/// Tasks of the runtime that this is asked in.
pub(crate) fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

fn resident_bytes() -> isize {
    let status = fs::read_to_string("/proc/self/status").expect("it is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says so");
    let kib: isize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib << 10
}

/// Lets this process have so many descriptors.
pub(crate) fn allow_descriptors(wanted: usize) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = wanted as u64;
    if current.is_some_and(|current| current < wanted) {
        assert!(
            maximum.is_none_or(|maximum| maximum >= wanted),
            "{wanted} descriptors are needed, and the limit is {maximum:?}: raise it (`ulimit -Hn`)"
        );
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("it is allowed");
    }
}
