//! What the ports of states have in common.

use super::Port;
use crate::Model;

/// The port of a state, whichever.
pub trait StatePort: Port {
    /// The type of its value.
    type State: Model + Clone + Send + Sync + 'static;

    /// The name that addresses, counters and errors call it by.
    fn state_name(&self) -> &'static str;
}

/// The port of a copy: [`FullUpdateIn`](crate::FullUpdateIn) or [`DeltaUpdateIn`](crate::DeltaUpdateIn).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no copy of a state that another service owns",
    label = "this takes a `FullUpdateIn` or a `DeltaUpdateIn`",
    note = "what a service owns is always live, and changes by `cx.set` and `cx.update` alone"
)]
pub trait StateIn: StatePort {
    /// What a handler is given that is called after each update: the value if it comes whole, and otherwise an [`Update`](crate::Update).
    type Update: Model + 'static;
}

/// The port of a state that this service owns: [`FullUpdateOut`](crate::FullUpdateOut) or [`DeltaUpdateOut`](crate::DeltaUpdateOut).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no state that this service owns",
    label = "this takes a `FullUpdateOut` or a `DeltaUpdateOut`",
    note = "a copy changes by what its owner publishes alone"
)]
pub trait StateOut: StatePort {}
