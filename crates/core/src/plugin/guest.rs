//! The half of the boundary inside a plugin: a [`Guest`] becomes a table of C functions, and the host's table a [`Host`].

mod table;
mod host;

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;

use super::Call;
use crate::declaration::{Declaration, Hook};
use crate::failure::Failure;
use crate::value::Value;

pub use host::{Host, Operation};
pub use table::table;

/// What a handler ends with: the encoded return arguments.
pub type Outcome = Result<Vec<u8>, Failure>;

/// Work of a service that goes on.
pub type Pending = Pin<Box<dyn Future<Output = Outcome>>>;

/// A service as the boundary sees it: bytes in, bytes out.
pub trait Guest: Sized + 'static {
    /// What the service is.
    fn declare() -> Declaration;

    /// Runs a hook that needs no instance.
    ///
    /// # Errors
    ///
    /// Whatever the author's hook says.
    fn setup(hook: Hook, input: Value) -> Result<Value, Failure>;

    /// Makes an instance from its config, encoded in MessagePack.
    ///
    /// # Errors
    ///
    /// If the config is not what the service needs, or its author's `new` says so.
    fn create(host: Host, config: &[u8]) -> Result<Arc<Self>, Failure>;

    /// Starts a handler, and runs it as far as it goes without waiting.
    fn start(self: &Arc<Self>, call: Call<'_>) -> Started;

    /// Ends the instance; others may hold it still.
    fn end(self: Arc<Self>) {}

    /// Runs `step`, a part of `create`, `start` or a future, in the surroundings that the service needs.
    fn surround<T>(step: impl FnOnce() -> T) -> T {
        step()
    }

    /// What to say of a panic.
    fn panic_message(payload: &(dyn Any + Send)) -> String {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a text".into())
    }
}

/// What starting a handler led to.
pub enum Started {
    /// It is done.
    Ready(Outcome),
    /// It waits.
    Pending(Pending),
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Ready(_)) { "Ready" } else { "Pending" })
    }
}
