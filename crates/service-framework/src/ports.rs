//! The typed names by which handlers use outgoing connections and states.

mod settings;
mod requester;
mod publisher;
mod external_target;
mod state;
mod full_update;
mod delta_update;

use crate::{Declare, Serve};

pub use delta_update::{DeltaUpdateIn, DeltaUpdateOut};
pub(crate) use external_target::Function;
pub use external_target::{ExternalTarget, TargetFuture};
pub use full_update::{FullUpdateIn, FullUpdateOut};
pub use publisher::Publisher;
pub use requester::Requester;
pub use state::{StateIn, StateOut, StatePort};

/// An outgoing connection or a state that a service declares with `uses(..)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no port",
    label = "`uses(..)` takes ports",
    note = "a port is a constant, as in `const AUDIT: Requester<Cancelled, Empty> = Requester::new(\"audit\");`"
)]
pub trait Port {
    /// Adds it to what a service declares.
    fn declare<S: Serve>(&self, service: &mut Declare<S>);
}
