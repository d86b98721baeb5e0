//! Loads services, opens their sockets and drives their loops: [`Service`].
//!
//! A service goes through four stages, each a type of its own: where it comes from ([`Source`]), what it was found to be
//! and is wired to ([`Plan`], everything checked and nothing opened), a thread that drives it, and how it ended
//! ([`Ended`]).

pub mod log;
mod source;
mod load;
mod build;
mod plan;
mod service;
mod error;
mod control;
mod thread;
mod method;
mod spinning;
mod stopping;
mod connection;
mod sockets;
mod local;
mod background;
mod job;
mod replying;
mod waiting;
mod subscribing;
mod states;
mod outgoing;
mod host;
mod rounds;
mod counters;
mod watchdog;
mod signals;
mod ready;
pub mod keys;
mod bus;
#[cfg(doctest)]
mod guide;

/// The name under which the runtime writes its own log records.
const LOG: &str = "service_framework";

pub use bus::Bus;
pub use counters::{ConnectionCounters, HandlerTimes, ServiceCounters, StateCounters};
pub use error::{Ended, Error, Unopened};
pub use plan::{Given, Options, Plan};
pub use service::{Mode, Service, Stopper};
pub use service_framework_connections::{ByCause, Cause, PeerCounts, Peers, Traffic};
pub use service_framework_states::delta::reader::{Counts as StateCounts, Status};
pub use source::Source;
