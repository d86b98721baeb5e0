//! The ports of states that are published by their changes.

use std::marker::PhantomData;

use service_framework_core::declaration::StateKind;

use super::settings::{Settings, common, copying, for_python, options, owning, publishing};
use super::{Port, StateIn, StateOut, StatePort};
use crate::states::Delta;
use crate::{Declare, Serve, State, Update};

/// A copy of a state that another service owns, and publishes by its changes. It is whole at the start and after every loss, since the owner is then
/// asked for it.
///
/// ```
/// # use service_framework::prelude::*;
/// use std::collections::BTreeMap;
///
/// const BOOK: DeltaUpdateIn<BTreeMap<String, u32>> = DeltaUpdateIn::new("book").topic("BTC-USD");
/// # struct Desk;
/// # #[service(uses(BOOK))]
/// # impl Desk {
/// #     fn new() -> Result<Self> { Ok(Self) }
/// #[replyer]
/// async fn levels(&self, cx: &Context) -> Result<Map> {
///     cx.timeout(Duration::from_secs(5), cx.live(&BOOK)).await??;
///     let book = cx.state(&BOOK)?;
///     Ok([("levels", book.len() as u64)].into_iter().collect())
/// }
/// # }
/// # service_framework::link!(Desk);
/// # fn main() -> Result<()> {
/// # let harness = Harness::<Desk>::new(())?;
/// # harness.set_state(&BOOK, &BTreeMap::from([("99.5".into(), 3)]))?;
/// # let open: Value = harness.request("levels", &())?;
/// # assert_eq!(open, value!({"levels": 1}));
/// # Ok(())
/// # }
/// ```
pub struct DeltaUpdateIn<S> {
    name: &'static str,
    settings: Settings,
    state: PhantomData<fn() -> S>,
}

impl<S: State> DeltaUpdateIn<S> {
    /// A copy called `name` in the address book.
    pub const fn new(name: &'static str) -> Self {
        Self { name, settings: Settings::NONE, state: PhantomData }
    }
}

common!(DeltaUpdateIn<S>);
copying!(DeltaUpdateIn<S>);

impl<S: State> Port for DeltaUpdateIn<S> {
    fn declare<T: Serve>(&self, service: &mut Declare<T>) {
        let model = self.settings.state::<S>(self.name, StateKind::DeltaUpdateIn);
        service.add_state(model, || Box::new(Delta::<S>::copy()));
    }
}

impl<S: State> StatePort for DeltaUpdateIn<S> {
    type State = S;

    fn state_name(&self) -> &'static str {
        self.name
    }
}

impl<S: State> StateIn for DeltaUpdateIn<S> {
    type Update = Update<S>;
}

/// A state that this service owns, and publishes by its changes; whole to those who ask for it.
///
/// ```
/// # use service_framework::prelude::*;
/// #[derive(Model, State, Clone, Default, Debug, PartialEq)]
/// #[state(derive(Debug, PartialEq))]
/// struct Position {
///     lots: i64,
///     note: Option<String>,
/// }
///
/// const POSITION: DeltaUpdateOut<Position> = DeltaUpdateOut::new("position");
/// # struct Desk;
/// # #[service(uses(POSITION))]
/// # impl Desk {
/// #     fn new() -> Result<Self> { Ok(Self) }
/// #[replyer]
/// fn bought(&self, cx: &Context) -> Result<()> {
///     let lots = cx.state(&POSITION)?.lots + 1;
///     cx.update(&POSITION, &PositionChange { lots: Some(lots), ..Default::default() })
/// }
/// # }
/// # service_framework::link!(Desk);
/// # fn main() -> Result<()> {
/// # let harness = Harness::<Desk>::new(())?;
/// # let () = harness.request("bought", &())?;
/// # let change = PositionChange { lots: Some(1), ..Default::default() };
/// # assert_eq!(harness.updates(&POSITION), [Update::snapshot(0, Position::default()), Update::change(1, change)]);
/// # Ok(())
/// # }
/// ```
pub struct DeltaUpdateOut<S> {
    name: &'static str,
    settings: Settings,
    start: fn() -> S,
}

impl<S: State> DeltaUpdateOut<S> {
    /// A state called `name` in the address book, which starts with its default.
    pub const fn new(name: &'static str) -> Self
    where
        S: Default,
    {
        Self::starting_with(name, S::default)
    }

    /// A state called `name` in the address book, which starts with what the function gives:
    /// `DeltaUpdateOut::starting_with("position", || Position { lots: 100 })`.
    pub const fn starting_with(name: &'static str, start: fn() -> S) -> Self {
        Self { name, settings: Settings::NONE, start }
    }
}

common!(DeltaUpdateOut<S>);
owning!(DeltaUpdateOut<S>);

impl<S: State> Port for DeltaUpdateOut<S> {
    fn declare<T: Serve>(&self, service: &mut Declare<T>) {
        let model = self.settings.state::<S>(self.name, StateKind::DeltaUpdateOut);
        let start = self.start;
        service.add_state(model, move || Box::new(Delta::own(start)));
    }
}

impl<S: State> StatePort for DeltaUpdateOut<S> {
    type State = S;

    fn state_name(&self) -> &'static str {
        self.name
    }
}

impl<S: State> StateOut for DeltaUpdateOut<S> {}
