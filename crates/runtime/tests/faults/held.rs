//! What a process holds: memory, descriptors, tasks.

use std::time::Instant;

use service_framework::prelude::*;

use crate::allocator;
use crate::support::PATIENCE;

/// What a process holds.
#[derive(Model, Clone, Copy, Debug, PartialEq)]
pub(crate) struct Held {
    /// Bytes that are allocated.
    pub(crate) allocated: u64,
    /// Bytes that were allocated at most since it was asked last.
    pub(crate) most_allocated: u64,
    /// Bytes of memory that the system has given it.
    pub(crate) resident: u64,
    /// Open files and sockets.
    pub(crate) descriptors: u64,
    /// Tasks of the runtime of the thread that asks.
    pub(crate) tasks: u64,
}

impl Held {
    /// What this process holds, asked from the thread of a service.
    pub(crate) fn now() -> Self {
        let most_allocated = allocator::most_bytes();
        Self {
            allocated: allocator::allocated_bytes() as u64,
            most_allocated: most_allocated as u64,
            resident: resident(),
            descriptors: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64,
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks() as u64,
        }
    }
}

/// Waits until a service, which tells what it holds `now`, holds no more than before, but for so many bytes.
pub(crate) async fn returns_to(before: Held, bytes: u64, now: impl AsyncFn() -> Held) {
    let end = Instant::now() + PATIENCE / 2;
    loop {
        let now = now().await;
        let has_returned = now.descriptors <= before.descriptors
            && now.tasks <= before.tasks
            && now.allocated <= before.allocated + bytes;
        if has_returned {
            return;
        }
        assert!(Instant::now() < end, "it held {before:?}, and holds {now:?}");
        // What is under way, such as an attempt to connect, takes its time.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    kib.map_or(0, |kib| kib.parse::<u64>().unwrap() << 10)
}
