//! The plain trait under `#[service]`.

use crate::{Declare, Model, Result};

/// A service: how it is made from its config, and which connections it has.
///
/// `#[service]` on an `impl` block writes this. By hand it is:
///
/// ```
/// use service_framework::prelude::*;
///
/// struct Counter(std::sync::atomic::AtomicU64);
///
/// impl Serve for Counter {
///     const NAME: &'static str = env!("CARGO_PKG_NAME");
///     type Config = Empty;
///
///     fn new(_: Empty) -> Result<Self> {
///         Ok(Self(0.into()))
///     }
///
///     fn declare(service: &mut Declare<Self>) {
///         service.replyer("next").doc("Counts.").handle_inline(|this: &Self, _: Empty, _: &Context| {
///             Ok(Count { count: this.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) })
///         });
///     }
/// }
///
/// #[derive(Model)]
/// struct Count {
///     count: u64,
/// }
///
/// export!(Counter);
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "this type has no `impl Serve`",
    note = "write `#[service]` above `impl {Self} {{ .. }}`, with `fn new(config: Config) -> Result<Self>` in it"
)]
pub trait Serve: Sized + 'static {
    /// The name of its crate.
    const NAME: &'static str;
    /// The version of its crate.
    const VERSION: &'static str = "";
    /// What it is for.
    const DOC: &'static str = "";

    /// The config that it needs; [`Empty`](crate::Empty) for none.
    type Config: Model;

    /// Makes the service, before any of its sockets is open.
    ///
    /// # Errors
    ///
    /// If the config is of the right shape and still wrong. The service is then not started.
    fn new(config: Self::Config) -> Result<Self>;

    /// Declares connections, ports and optional methods.
    fn declare(service: &mut Declare<Self>);
}

/// A service that [`export!`](crate::export) has made a plugin of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not exported",
    note = "write `service_framework::export!({Self});` once in its crate"
)]
pub trait Exported: Serve {
    /// Whether it may end on another thread, if a blocking handler outlasts its own.
    #[doc(hidden)]
    const MOVABLE: Option<crate::__export::Movable<Self>> = None;

    /// What was written beside its name.
    #[doc(hidden)]
    const WITH: crate::__export::With = crate::__export::With::Nothing;
}
