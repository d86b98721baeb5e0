//! The port of an external target.

use std::pin::Pin;

use service_framework_core::declaration::{ConnectionKind, Run};

use super::Port;
use super::settings::{Settings, common};
use crate::{Declare, Model, Result, Serve};

/// The future of an external target.
pub type TargetFuture<R> = Pin<Box<dyn Future<Output = Result<R>>>>;

/// Calls a function of the service's own that deals with the world outside, such as an exchange or a file.
///
/// Arguments and return are checked against their models, the call has a deadline, a counter and a log line, and a test can replace the function.
///
/// ```
/// # use service_framework::prelude::*;
/// # #[derive(Model)] struct Line { text: String }
/// const LOG: ExternalTarget<Line, Empty> = ExternalTarget::new("append_to_file", append);
///
/// fn append(line: Line) -> Result<()> {
///     println!("{}", line.text);
///     Ok(())
/// }
/// ```
pub struct ExternalTarget<A, R> {
    name: &'static str,
    settings: Settings,
    pub(super) function: Function<A, R>,
}

pub(crate) enum Function<A, R> {
    Blocking(fn(A) -> Result<R>),
    Async(fn(A) -> TargetFuture<R>),
}

impl<A, R> Clone for Function<A, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, R> Copy for Function<A, R> {}

impl<A: Model, R: Model> ExternalTarget<A, R> {
    /// A target whose function may block; it runs on a thread of a pool.
    ///
    /// If it goes on when the service has stopped without it, the service is dropped on its thread when it returns; one that is not `Send` is then not dropped at all.
    pub const fn new(name: &'static str, function: fn(A) -> Result<R>) -> Self {
        Self { name, settings: Settings::NONE, function: Function::Blocking(function) }
    }

    /// A target whose function waits without blocking: `ExternalTarget::new_async("cancel", |args| Box::pin(cancel(args)))`.
    pub const fn new_async(name: &'static str, function: fn(A) -> TargetFuture<R>) -> Self {
        Self { name, settings: Settings::NONE, function: Function::Async(function) }
    }

    /// Waits at most that many seconds for each call.
    #[must_use]
    pub const fn deadline_s(mut self, seconds: f64) -> Self {
        self.settings.deadline_s = Some(seconds);
        self
    }
}

common!(ExternalTarget<A, R>);

impl<A: Model + 'static, R: Model + 'static> Port for ExternalTarget<A, R> {
    fn declare<S: Serve>(&self, service: &mut Declare<S>) {
        let run = match self.function {
            Function::Blocking(_) => Run::Blocking,
            Function::Async(_) => Run::Async,
        };
        let model = self.settings.connection::<A, R>(self.name, ConnectionKind::ExternalTarget, run);
        service.add_target(model, self.function);
    }
}
