//! The handler that is called after each update of a copy.

use std::marker::PhantomData;

use service_framework_core::declaration::Run;
use service_framework_core::model::{Shape, Shapes};
use service_framework_core::wire::{Reader, Writer};
use service_framework_core::{Fault, Model};

use crate::running::{self, Handler};
use crate::{BlockingContext, Context, Declare, Result, Serve};

/// A copy that waits for the handler of its updates, which takes `A`.
#[must_use = "without a handler nothing is called"]
pub struct Updating<'d, S, A> {
    declare: &'d mut Declare<S>,
    position: usize,
    args: PhantomData<fn(A)>,
}

impl<S, A> std::fmt::Debug for Updating<'_, S, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Updating").field(&self.declare.declaration.states[self.position].name).finish()
    }
}

/// An update that nobody reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread;

impl Model for Unread {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Any
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        reader.skip().map(|()| Self)
    }

    fn encode(&self, writer: &mut Writer) {
        writer.null();
    }
}

/// What the updates of a state are.
#[diagnostic::on_unimplemented(
    message = "the handler of this state takes `{A}`, and not `{Self}`",
    label = "this is not what its updates are",
    note = "updates of a `DeltaUpdateIn<Book>` are an `Update<Book>`, those of a `FullUpdateIn<Book>` the `Book` itself"
)]
pub trait UpdateOf<A> {}

impl<A> UpdateOf<A> for A {}

impl<'d, S: Serve, A: Model + 'static> Updating<'d, S, A> {
    pub(super) fn new(declare: &'d mut Declare<S>, position: usize) -> Self {
        Self { declare, position, args: PhantomData }
    }

    /// The handler does not look at the update, which is then not even read: it finds the value by [`Context::state`].
    pub fn unread(self) -> Updating<'d, S, Unread> {
        Updating { declare: self.declare, position: self.position, args: PhantomData }
    }

    /// Says once more what the handler takes, where the compiler points if that is wrong.
    #[doc(hidden)]
    pub fn taking<B: UpdateOf<A> + Model>(self) -> Updating<'d, S, B> {
        Updating { declare: self.declare, position: self.position, args: PhantomData }
    }

    fn add(self, run: Run, exclusive: bool, handler: Handler<S>) {
        let model = &mut self.declare.declaration.states[self.position];
        model.run = Some(run);
        model.exclusive = exclusive;
        self.declare.updates[self.position] = Some(handler);
    }

    /// An `async fn(&self, update: A, cx: &Context)`: waits on the service's thread, others run meanwhile.
    pub fn handle(self, handler: impl AsyncFn(&S, A, &Context) -> Result<()> + Copy + Send + Sync + 'static) {
        self.add(Run::Async, false, running::asynchronous(handler));
    }

    /// An `async fn(&mut self, ..)`: waits until no other handler runs, then runs alone across its awaits.
    pub fn handle_mut(
        self,
        handler: impl AsyncFn(&mut S, A, &Context) -> Result<()> + Copy + Send + Sync + 'static,
    ) {
        self.add(Run::Async, true, running::asynchronous_mut(handler));
    }

    /// An `fn(&self, ..)` that runs on the service's thread to its end: short work only.
    pub fn handle_inline(
        self,
        handler: impl Fn(&S, A, &Context) -> Result<()> + Copy + Send + Sync + 'static,
    ) {
        self.add(Run::Inline, false, running::inline(handler));
    }

    /// An `fn(&mut self, ..)` that runs on the service's thread to its end, when no other handler runs.
    pub fn handle_inline_mut(
        self,
        handler: impl Fn(&mut S, A, &Context) -> Result<()> + Copy + Send + Sync + 'static,
    ) {
        self.add(Run::Inline, true, running::inline_mut(handler));
    }

    /// An `fn(&self, .., cx: &BlockingContext)` that runs on a thread of a pool and may block.
    pub fn handle_blocking(
        self,
        handler: impl Fn(&S, A, &BlockingContext) -> Result<()> + Copy + Send + Sync + 'static,
    ) where
        S: Send + Sync,
    {
        self.add(Run::Blocking, false, running::blocking(handler));
    }
}
