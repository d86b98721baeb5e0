//! The half of the boundary inside whoever runs a service: a table of C functions becomes an [`Instance`], and a [`Host`] the table that instances see.

mod plugin;
mod instance;
mod table;

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Level, Outgoing, Record};
use crate::failure::Failure;
use crate::wire::{Encoding, Peer};

pub use instance::{BlockingInstance, Instance, Pending, Spawned, Started};
pub use plugin::{Linked, Plugin, TableError};

/// Something that a host does for a service; ends with encoded return arguments.
pub type Operation = Pin<Box<dyn Future<Output = Result<Bytes, Failure>> + Send>>;

/// What the clock of a host shows at a time, unless the host has a clock of its own.
pub fn time_of(instant: Instant) -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    instant.saturating_duration_since(*START.get_or_init(Instant::now))
}

/// What a service can ask of whoever runs it. Any thread may call.
pub trait Host: Send + Sync + 'static {
    /// How messages of a connection are to be written, and for whom.
    fn encoding(&self, connection: u32) -> (Encoding, Peer);
    /// Starts a request or a call of an external target.
    fn request(&self, message: Outgoing<'_>) -> Operation;
    /// Publishes; never waits.
    ///
    /// # Errors
    ///
    /// If the connection cannot take it now.
    fn publish(&self, message: Outgoing<'_>) -> Result<(), Failure>;
    /// The time that deadlines and [`sleep`](Self::sleep) go by, since any moment. It never goes back.
    fn now(&self) -> Duration {
        time_of(Instant::now())
    }
    /// Waits for a time; ends with no bytes.
    fn sleep(&self, duration: Duration) -> Operation;
    /// Waits until the service is to stop; ends with no bytes.
    fn stopping(&self) -> Operation;
    /// Stops the service.
    fn stop(&self);
    /// Polls a future of the service on the service's thread until it ends.
    fn spawn(&self, future: Spawned);
    /// The level of the least urgent record that is wanted.
    fn log_level(&self) -> Option<Level>;
    /// Writes a record.
    fn log(&self, record: Record<'_>);
}
