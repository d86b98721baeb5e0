//! What the author of a service compiles: models, ports, handlers, and a harness to test them without sockets.
//!
//! A service is a type with handlers. The attribute [`service`] reads them from an `impl` block, and [`export!`] makes the crate a plugin:
//!
//! ```
//! use service_framework::prelude::*;
//!
//! #[derive(Model)]
//! struct Config {
//!     /// What every greeting begins with.
//!     greeting: String,
//! }
//!
//! #[derive(Model)]
//! struct Name {
//!     name: String,
//! }
//!
//! #[derive(Model, Debug, PartialEq)]
//! struct Greeting {
//!     text: String,
//! }
//!
//! struct Greeter {
//!     config: Config,
//! }
//!
//! #[service]
//! impl Greeter {
//!     fn new(config: Config) -> Result<Self> {
//!         Ok(Self { config })
//!     }
//!
//!     /// Greets somebody.
//!     #[replyer]
//!     fn greet(&self, args: Name) -> Result<Greeting> {
//!         Ok(Greeting { text: format!("{}, {}!", self.config.greeting, args.name) })
//!     }
//! }
//!
//! export!(Greeter);
//!
//! # fn main() -> Result<()> {
//! let harness = Harness::<Greeter>::new(Config { greeting: "Hello".into() })?;
//! let greeting: Greeting = harness.request("greet", &Name { name: "Ada".into() })?;
//! assert_eq!(greeting.text, "Hello, Ada!");
//! # Ok(())
//! # }
//! ```

mod serve;
mod ports;
mod states;
mod declare;
mod context;
mod returned;
mod running;
mod panics;
mod logs;
mod own_runtime;
mod surroundings;
mod export;
#[cfg(doctest)]
mod guide;
pub mod harness;

pub use context::{BlockingContext, Context};
pub use declare::{Declare, Handling, Unread, UpdateOf, Updating};
pub use harness::Harness;

pub use ports::{
    DeltaUpdateIn, DeltaUpdateOut, ExternalTarget, FullUpdateIn, FullUpdateOut, Port, Publisher, Requester,
    StateIn, StateOut, StatePort, TargetFuture,
};
pub use serve::{Exported, Serve};
pub use states::{Lent, StateStatus, Status};

pub use service_framework_core::model::Empty;
pub use service_framework_core::settings::SlowSubscriber;
pub use service_framework_core::state::{Content, Edit, MapChange, State, UntypedChange, Update};
pub use service_framework_core::value::{Array, Bytes, DateTime, Decimal, Map, Uuid};
pub use service_framework_core::{Failure as Error, Model, Value, value};
pub use service_framework_macros::{Model, State, replyer, service, subscriber, updated};

/// What handlers return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that a service needs, in one line.
pub mod prelude {
    pub use crate::{
        Array, BlockingContext, Bytes, Content, Context, DateTime, Decimal, Declare, DeltaUpdateIn,
        DeltaUpdateOut, Edit, Empty, Error, ExternalTarget, FullUpdateIn, FullUpdateOut, Harness, Lent, Map,
        MapChange, Model, Publisher, Requester, Result, Serve, SlowSubscriber, State, Status, Update, Uuid,
        Value, export, replyer, service, subscriber, updated, value,
    };
    pub use std::time::Duration;
    pub use tracing;
}

#[doc(hidden)]
pub use service_framework_core as __core;
#[doc(hidden)]
pub mod __macro {
    pub use crate::returned::returned;
}
#[doc(hidden)]
pub mod __export {
    pub use crate::export::*;
}
