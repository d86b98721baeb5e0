//! The tokio runtime that a service may be exported with: one for each instance, whose tasks end with it.

use crate::Result;
use crate::export::With;
use crate::logs::Logs;

/// The runtime of an instance, if it has one.
#[derive(Debug)]
pub(crate) struct OwnRuntime(#[cfg(feature = "tokio")] Option<tokio::runtime::Runtime>);

/// The way into a runtime.
#[derive(Debug)]
pub(crate) struct Entrance(#[cfg(feature = "tokio")] Option<tokio::runtime::Handle>);

#[cfg(feature = "tokio")]
impl OwnRuntime {
    /// Starts what the service was exported with. What its threads log goes where the service's records go.
    pub(crate) fn start(with: With, logs: &Logs) -> Result<Self> {
        use std::cell::RefCell;
        use tracing::dispatcher::{DefaultGuard, set_default};

        thread_local! {
            static LOG: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
        }
        if with == With::Nothing {
            return Ok(Self(None));
        }
        let dispatch = logs.dispatch();
        let started = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("plugin-tokio")
            .enable_all()
            .on_thread_start(move || LOG.set(Some(set_default(&dispatch))))
            .on_thread_stop(|| drop(LOG.take()))
            .build();
        let runtime =
            started.map_err(|error| crate::Error::from(error).while_doing("starting a tokio runtime"))?;
        Ok(Self(Some(runtime)))
    }

    pub(crate) fn entrance(&self) -> Entrance {
        Entrance(self.0.as_ref().map(|runtime| runtime.handle().clone()))
    }
}

#[cfg(feature = "tokio")]
impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A task that blocks must not keep the service from ending.
            runtime.shutdown_background();
        }
    }
}

#[cfg(feature = "tokio")]
impl Entrance {
    /// Runs a step inside the runtime; outside of it on a thread that ends and has let go already of what tokio keeps there, where entering panics.
    pub(crate) fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        use tokio::runtime::Handle;

        let can_enter = || !Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed());
        let _entered = self.0.as_ref().filter(|_| can_enter()).map(Handle::enter);
        step()
    }
}

#[cfg(not(feature = "tokio"))]
impl OwnRuntime {
    #[expect(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
    pub(crate) fn start(_: With, _: &Logs) -> Result<Self> {
        Ok(Self())
    }

    #[expect(clippy::unused_self, reason = "with the feature it has one")]
    pub(crate) fn entrance(&self) -> Entrance {
        Entrance()
    }
}

#[cfg(not(feature = "tokio"))]
impl Entrance {
    #[expect(clippy::unused_self, reason = "with the feature it has one")]
    pub(crate) fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        step()
    }
}
