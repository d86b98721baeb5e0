//! The ports of states that are published whole.

use std::marker::PhantomData;

use service_framework_core::declaration::StateKind;

use super::settings::{Settings, common, copying, for_python, options, owning, publishing};
use super::{Port, StateIn, StateOut, StatePort};
use crate::states::Full;
use crate::{Declare, Model, Serve};

/// A copy of a state that another service owns, and publishes whole whenever it changes.
///
/// ```
/// # use service_framework::prelude::*;
/// # #[derive(Model, Clone)] struct Summary { open: u32 }
/// const SUMMARY: FullUpdateIn<Summary> = FullUpdateIn::new("summary").expect_every_s(10.0);
/// # struct Desk;
/// # #[service(uses(SUMMARY))]
/// # impl Desk {
/// #     fn new() -> Result<Self> { Ok(Self) }
/// #[replyer]
/// fn open_orders(&self, cx: &Context) -> Result<Map> {
///     let summary = cx.state(&SUMMARY)?;
///     Ok([("open", summary.open)].into_iter().collect())
/// }
/// # }
/// # service_framework::link!(Desk);
/// # fn main() -> Result<()> {
/// # let harness = Harness::<Desk>::new(())?;
/// # harness.set_state(&SUMMARY, &Summary { open: 3 })?;
/// # let open: Value = harness.request("open_orders", &())?;
/// # assert_eq!(open, value!({"open": 3}));
/// # Ok(())
/// # }
/// ```
pub struct FullUpdateIn<S> {
    name: &'static str,
    settings: Settings,
    state: PhantomData<fn() -> S>,
}

impl<S: Model + Clone + Send + Sync + 'static> FullUpdateIn<S> {
    /// A copy called `name` in the address book.
    pub const fn new(name: &'static str) -> Self {
        Self { name, settings: Settings::NONE, state: PhantomData }
    }
}

common!(FullUpdateIn<S>);
copying!(FullUpdateIn<S>);

impl<S: Model + Clone + Send + Sync + 'static> Port for FullUpdateIn<S> {
    fn declare<T: Serve>(&self, service: &mut Declare<T>) {
        let model = self.settings.state::<S>(self.name, StateKind::FullUpdateIn);
        service.add_state(model, || Box::new(Full::<S>::new()));
    }
}

impl<S: Model + Clone + Send + Sync + 'static> StatePort for FullUpdateIn<S> {
    type State = S;

    fn state_name(&self) -> &'static str {
        self.name
    }
}

impl<S: Model + Clone + Send + Sync + 'static> StateIn for FullUpdateIn<S> {
    type Update = S;
}

/// A state that this service owns, and publishes whole whenever it is set. It has no value before.
///
/// ```
/// # use service_framework::prelude::*;
/// # #[derive(Model, Clone, Debug, PartialEq)] struct Summary { open: u32 }
/// const SUMMARY: FullUpdateOut<Summary> = FullUpdateOut::new("summary").topic("desk");
/// # struct Desk;
/// # #[service(uses(SUMMARY))]
/// # impl Desk {
/// #     fn new() -> Result<Self> { Ok(Self) }
/// #[replyer]
/// fn opened(&self, cx: &Context) -> Result<()> {
///     let open = cx.state(&SUMMARY).map_or(0, |summary| summary.open);
///     cx.set(&SUMMARY, &Summary { open: open + 1 })
/// }
/// # }
/// # service_framework::link!(Desk);
/// # fn main() -> Result<()> {
/// # let harness = Harness::<Desk>::new(())?;
/// # let () = harness.request("opened", &())?;
/// # let () = harness.request("opened", &())?;
/// # assert_eq!(harness.values(&SUMMARY), [Summary { open: 1 }, Summary { open: 2 }]);
/// # Ok(())
/// # }
/// ```
pub struct FullUpdateOut<S> {
    name: &'static str,
    settings: Settings,
    state: PhantomData<fn() -> S>,
}

impl<S: Model + Clone + Send + Sync + 'static> FullUpdateOut<S> {
    /// A state called `name` in the address book.
    pub const fn new(name: &'static str) -> Self {
        Self { name, settings: Settings::NONE, state: PhantomData }
    }
}

common!(FullUpdateOut<S>);
owning!(FullUpdateOut<S>);

impl<S: Model + Clone + Send + Sync + 'static> Port for FullUpdateOut<S> {
    fn declare<T: Serve>(&self, service: &mut Declare<T>) {
        let model = self.settings.state::<S>(self.name, StateKind::FullUpdateOut);
        service.add_state(model, || Box::new(Full::<S>::new()));
    }
}

impl<S: Model + Clone + Send + Sync + 'static> StatePort for FullUpdateOut<S> {
    type State = S;

    fn state_name(&self) -> &'static str {
        self.name
    }
}

impl<S: Model + Clone + Send + Sync + 'static> StateOut for FullUpdateOut<S> {}
