//! Runs the optional methods of a service beside its handlers: `init`, `main`, and its handlers of signals.

use std::rc::Rc;

use service_framework_core::Failure;
use service_framework_core::declaration::{Hook, Run};
use service_framework_core::failure::code;
use service_framework_core::plugin::{Call, Target};
use service_framework_core::wire::{Encoding, Peer};
use tokio::task::JoinHandle;

use crate::control::Control;
use crate::host;
use crate::job::{self, Progress};
use crate::local::Local;

/// A method that goes on.
pub(crate) struct Method {
    hook: Hook,
    task: JoinHandle<Result<(), Failure>>,
}

/// A method that failed.
pub(crate) struct Failed {
    pub(crate) hook: Hook,
    pub(crate) failure: Failure,
}

impl Method {
    /// Runs a method until it is done, or the service is to stop: then it goes on.
    pub(crate) async fn until_stop(
        local: &Rc<Local>,
        hook: Hook,
        control: &Control,
    ) -> Result<Option<Self>, Failed> {
        let task = tokio::task::spawn_local(run(Rc::clone(local), hook));
        let mut method = Self { hook, task };
        tokio::select! {
            biased;
            ended = method.end() => ended.map(|()| None),
            () = control.asked() => Ok(Some(method)),
        }
    }

    pub(crate) fn hook(&self) -> Hook {
        self.hook
    }

    /// Waits until it is done.
    pub(crate) async fn end(&mut self) -> Result<(), Failed> {
        let ended = (&mut self.task).await;
        let ended = ended.unwrap_or_else(|_| Err(Failure::msg("a fault of the runtime: it panicked")));
        ended.map_err(|failure| Failed { hook: self.hook, failure })
    }

    /// Ends it where it is.
    pub(crate) fn cut(&self) {
        self.task.abort();
    }
}

/// Runs a method to its end, if the service has it.
pub(crate) async fn run(local: Rc<Local>, hook: Hook) -> Result<(), Failure> {
    match local.hook(hook) {
        None => Ok(()),
        Some(Run::Blocking) => on_own_thread(&local, hook).await,
        Some(Run::Inline | Run::Async) => {
            let pass = local.enter_beside().await;
            match job::start_inline(&local, &call(hook), Vec::new(), None) {
                Progress::Done(done) => done.result,
                Progress::Going(going) => {
                    let done = going.await;
                    drop(pass);
                    done.result
                }
            }
        }
    }
}

/// Runs a method that blocks, on a thread of its own.
async fn on_own_thread(local: &Rc<Local>, hook: Hook) -> Result<(), Failure> {
    let instance = local.instance.for_blocking();
    let (done, ended) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name(hook.name().into()).spawn(move || {
        let run = || instance.run(&call(hook), &mut Vec::new());
        let result = if hook == Hook::Main { run() } else { host::waited_for(run) };
        drop(instance);
        // Nobody waits any more if the service was stopped meanwhile.
        _ = done.send(result);
    });
    thread.map_err(|error| Failure::msg(format!("cannot start a thread for `{hook}`: {error}")))?;
    ended.await.unwrap_or_else(|_| Err(Failure::new(code::PANICKED, "its thread ended without a word")))
}

fn call(hook: Hook) -> Call<'static> {
    Call {
        target: Target::Hook(hook),
        encoding: Encoding::MessagePack,
        peer: Peer::Any,
        args: &[],
        workflow_id: None,
        topic: None,
        until: None,
    }
}
