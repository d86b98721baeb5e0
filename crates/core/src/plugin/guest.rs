//! The half of the boundary inside a plugin: a [`Guest`] becomes a table of C functions, and the host's table a [`Host`].

mod table;
mod host;

use std::any::Any;
use std::marker::PhantomData;
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
///
/// The thread that makes an instance is the service's, and the only one that sees it; all others see its blocking handlers.
pub trait Guest: Sized + 'static {
    /// The blocking handlers of an instance.
    type Blocking: Send + Sync + 'static;

    /// Whether an instance may end on another thread than the service's, if a blocking handler outlasts that thread.
    const MOVABLE: Option<Movable<Self>>;

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
    fn create(host: Host, config: &[u8]) -> Result<(Arc<Self>, Self::Blocking), Failure>;

    /// Starts a handler on the service's thread, and runs it as far as it goes without waiting.
    fn start(self: &Arc<Self>, blocking: &Self::Blocking, call: Call<'_>) -> Started;

    /// Runs a blocking handler, on any thread.
    ///
    /// # Errors
    ///
    /// What the handler says; and if there is no such handler, or it is none that blocks.
    fn run(blocking: &Self::Blocking, call: Call<'_>) -> Outcome;

    /// Ends an instance. It is `None` if its thread is gone and it may not end on this one; it is then left where it is.
    fn end(instance: Option<Arc<Self>>, blocking: Self::Blocking) {
        drop((instance, blocking));
    }

    /// Runs any step of the service, so that [`panic_message`](Self::panic_message) knows what to say if it panics.
    fn watch<T>(step: impl FnOnce() -> T) -> T {
        step()
    }

    /// What to say of a panic.
    fn panic_message(payload: &(dyn Any + Send)) -> String {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a text".into())
    }
}

/// Proof that values of a type may go to another thread.
pub struct Movable<T>(PhantomData<fn(T)>);

impl<T: Send> Movable<T> {
    /// What the type itself proves.
    pub const PROOF: Self = Self(PhantomData);
}

impl<T> std::fmt::Debug for Movable<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Movable")
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
