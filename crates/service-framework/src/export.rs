//! Makes a crate a plugin.

pub use service_framework_core::plugin::abi::Plugin;
pub use service_framework_core::plugin::host::Linked;

pub use crate::running::table;

use std::marker::PhantomData;

use service_framework_core::plugin::guest;

use crate::Exported;
use crate::running::Running;

/// Exports a service from its crate, which is then a plugin: `export!(Gateway);`, once.
///
/// With the feature `tokio` of this crate, `export!(Gateway, tokio);` keeps a tokio runtime of the service's own with one worker thread, and enters it around
/// every poll, so that `tokio::time`, `tokio::net` and `tokio::spawn` work in handlers. What its tasks log goes to the service's log, without a workflow id; the tasks end with
/// the service.
///
/// The crate's `Cargo.toml` says `crate-type = ["cdylib", "rlib"]`: the first is the plugin, the second lets tests and other programs link the service.
#[macro_export]
macro_rules! export {
    ($service:ty $(, $with:ident)?) => {
        $crate::__exported! {
            #[unsafe(export_name = concat!("service_framework_plugin_v1_", env!("CARGO_CRATE_NAME")))]
            $service $(, $with)?
        }
    };
}

/// Links a service into a program without making a plugin of the crate, which can be one plugin alone: `link!(Helper);` or `link!(Helper, tokio);`.
///
/// It is for the second and later services of one crate, such as those that a test brings along.
///
/// ```
/// use service_framework::prelude::*;
///
/// struct Quiet;
///
/// #[service]
/// impl Quiet {
///     fn new() -> Result<Self> {
///         Ok(Self)
///     }
/// }
///
/// service_framework::link!(Quiet);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! link {
    ($service:ty $(, $with:ident)?) => {
        $crate::__exported! { $service $(, $with)? }
    };
}

/// What both write: the table of a service, and how it runs.
#[doc(hidden)]
#[macro_export]
macro_rules! __exported {
    ($(#[$symbol:meta])? $service:ty) => {
        $crate::__exported! { $(#[$symbol])? $service => $crate::__export::With::Nothing }
    };
    ($(#[$symbol:meta])? $service:ty, tokio) => {
        $crate::__exported! { $(#[$symbol])? $service => $crate::__export::with_tokio::<$service>() }
    };
    ($(#[$symbol:meta])? $service:ty => $with:expr) => {
        impl $crate::Exported for $service {
            const WITH: $crate::__export::With = $with;
            const MOVABLE: ::core::option::Option<$crate::__export::Movable<Self>> = {
                use $crate::__export::NotMovable as _;
                $crate::__export::Is::<$service>::MOVABLE
            };
        }

        impl $crate::__export::Linked for $service {
            const TABLE: &'static $crate::__export::Plugin = {
                $(#[$symbol])?
                static TABLE: $crate::__export::Plugin = $crate::__export::table::<$service>();
                &TABLE
            };
        }
    };
}

/// What a service is exported with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    /// Nothing of its own.
    Nothing,
    /// A tokio runtime.
    Tokio,
}

impl With {
    /// Whether something measures time for it.
    pub(crate) fn has_own_clock(self) -> bool {
        self == Self::Tokio
    }
}

/// With a tokio runtime.
#[cfg(feature = "tokio")]
pub const fn with_tokio<S>() -> With {
    With::Tokio
}

/// Without the feature there is no runtime to enter, and the compiler says so at `export!`.
#[cfg(not(feature = "tokio"))]
pub const fn with_tokio<S: HasFeature>() -> With {
    With::Tokio
}

/// Proof that a service may end on another thread than its own.
#[derive(Debug)]
pub struct Movable<S: Exported>(pub(crate) guest::Movable<Running<S>>);

/// Asks whether a service is one that may: what is said of those that are `Send` goes before what is said of all.
#[derive(Debug)]
pub struct Is<S>(PhantomData<S>);

impl<S: Exported + Send> Is<S> {
    /// It may.
    pub const MOVABLE: Option<Movable<S>> = Some(Movable(guest::Movable::PROOF));
}

/// What is said of all services.
pub trait NotMovable<S: Exported> {
    /// It may not, as far as this goes.
    const MOVABLE: Option<Movable<S>> = None;
}

impl<S: Exported> NotMovable<S> for Is<S> {}

/// What the feature gives.
#[cfg(not(feature = "tokio"))]
#[diagnostic::on_unimplemented(
    message = "`export!(.., tokio)` needs the feature `tokio` of `service-framework`",
    note = "write `service-framework = {{ .., features = [\"tokio\"] }}` in Cargo.toml"
)]
pub trait HasFeature {}

/// The name of the symbol is written out in [`export!`](crate::export), since attributes take no constants but literals.
const _: () = assert!(service_framework_core::plugin::abi::VERSION == 1, "export! names another version");
