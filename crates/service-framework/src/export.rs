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
/// With the feature `tokio` of this crate, `export!(Gateway, tokio);` keeps a tokio runtime of the plugin's own with one worker thread, and enters it around
/// every poll, so that `tokio::time`, `tokio::net` and `tokio::spawn` work in handlers.
///
/// The crate's `Cargo.toml` says `crate-type = ["cdylib", "rlib"]`: the first is the plugin, the second lets tests and other programs link the service.
#[macro_export]
macro_rules! export {
    ($service:ty) => {
        $crate::export!(@ $service, );
    };
    ($service:ty, tokio) => {
        $crate::export!(@ $service, const HAS_OWN_CLOCK: bool = true; fn surround<T>(step: impl FnOnce() -> T) -> T {
            $crate::__export::in_tokio::<$service, T>(step)
        });
    };
    (@ $service:ty, $($surround:tt)*) => {
        impl $crate::Exported for $service {
            const MOVABLE: Option<$crate::__export::Movable<Self>> = {
                use $crate::__export::NotMovable as _;
                $crate::__export::Is::<$service>::MOVABLE
            };
            $($surround)*
        }

        impl $crate::__export::Linked for $service {
            const TABLE: &'static $crate::__export::Plugin = {
                #[unsafe(export_name = concat!("service_framework_plugin_v1_", env!("CARGO_CRATE_NAME")))]
                static TABLE: $crate::__export::Plugin = $crate::__export::table::<$service>();
                &TABLE
            };
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
    ($service:ty) => {
        $crate::link!(@ $service, );
    };
    ($service:ty, tokio) => {
        $crate::link!(@ $service, fn surround<T>(step: impl FnOnce() -> T) -> T {
            $crate::__export::in_tokio::<$service, T>(step)
        });
    };
    (@ $service:ty, $($surround:tt)*) => {
        impl $crate::Exported for $service {
            const MOVABLE: Option<$crate::__export::Movable<Self>> = {
                use $crate::__export::NotMovable as _;
                $crate::__export::Is::<$service>::MOVABLE
            };
            $($surround)*
        }

        impl $crate::__export::Linked for $service {
            const TABLE: &'static $crate::__export::Plugin = {
                static TABLE: $crate::__export::Plugin = $crate::__export::table::<$service>();
                &TABLE
            };
        }
    };
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

/// Runs a step inside the plugin's own tokio runtime, which is started with the first.
#[cfg(feature = "tokio")]
pub fn in_tokio<S, T>(step: impl FnOnce() -> T) -> T {
    use std::sync::OnceLock;
    use tokio::runtime::{Builder, Runtime};

    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let builder = &mut Builder::new_multi_thread();
        let builder = builder.worker_threads(1).thread_name("plugin-tokio").enable_all();
        builder.build().expect("a thread and a few descriptors are to be had when a service starts")
    });
    let _entered = runtime.enter();
    step()
}

/// Without the feature there is no runtime to enter, and the compiler says so at `export!`.
#[cfg(not(feature = "tokio"))]
pub fn in_tokio<S: HasFeature, T>(step: impl FnOnce() -> T) -> T {
    step()
}

/// What the feature gives.
#[cfg(not(feature = "tokio"))]
#[diagnostic::on_unimplemented(
    message = "`export!(.., tokio)` needs the feature `tokio` of `service-framework`",
    note = "write `service-framework = {{ .., features = [\"tokio\"] }}` in Cargo.toml"
)]
pub trait HasFeature {}

/// The name of the symbol is written out in [`export!`](crate::export), since attributes take no constants but literals.
const _: () = assert!(service_framework_core::plugin::abi::VERSION == 1, "export! names another version");
