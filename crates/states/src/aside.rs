//! Work that takes long is done beside a service's thread, and what is short at once.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Of less than this, no work takes long.
pub(crate) const SMALL_BYTES: usize = 64 << 10;

/// Does work on so many bytes. `None` if it has panicked, or the runtime ends.
pub(crate) async fn aside<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    match bytes < SMALL_BYTES {
        true => catch_unwind(AssertUnwindSafe(work)).ok(),
        false => tokio::task::spawn_blocking(work).await.ok(),
    }
}
