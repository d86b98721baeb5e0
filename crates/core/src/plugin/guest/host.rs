//! What a plugin sees of its host.
#![expect(unsafe_code, reason = "calls the host's functions")]

use std::ffi::c_void;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::table::{Task, drop_future, poll};
use super::{Guest, Outcome, Pending};
use crate::failure::Failure;
use crate::plugin::lend::{lend_waker, optional, sink, slice, workflow_id};
use crate::plugin::numbers::{read_encoding, write_duration, write_encoding, write_time};
use crate::plugin::{Level, Outgoing, Record, abi};
use crate::wire::{self, Encoding, Limits, Peer};

/// What the host offers. It may be kept, cloned and used from any thread.
#[derive(Debug)]
pub struct Host(abi::Host);

// SAFETY: the host's functions may be called from any thread, as `abi::Host` says.
unsafe impl Send for Host {}
// SAFETY: as above, also at the same time.
unsafe impl Sync for Host {}

impl Host {
    /// # Safety
    ///
    /// The table is valid.
    pub(super) unsafe fn retained(table: &abi::Host) -> Self {
        // SAFETY: the host is there, since it is calling.
        unsafe { (table.retain)(table.context) };
        Self(*table)
    }

    /// How messages of a connection are to be written, and for whom.
    pub fn encoding(&self, connection: u32) -> (Encoding, Peer) {
        // SAFETY: this host was retained.
        read_encoding(unsafe { (self.0.encoding)(self.0.context, connection) })
    }

    /// Starts a request or a call of an external target. It ends with the return arguments.
    pub fn request(&self, message: &Outgoing<'_>) -> Operation {
        let message = write_outgoing(message);
        // SAFETY: this host was retained, and the message is lent for the call.
        self.operation(unsafe { (self.0.request)(self.0.context, &raw const message) })
    }

    fn operation(&self, pointer: *mut c_void) -> Operation {
        Operation { pointer, is_over: false, poll: self.0.poll, drop: self.0.drop }
    }

    /// Publishes; never waits.
    ///
    /// # Errors
    ///
    /// If the connection cannot take it now.
    pub fn publish(&self, message: &Outgoing<'_>) -> Result<(), Failure> {
        let message = write_outgoing(message);
        let mut out = Vec::new();
        // SAFETY: this host was retained; message and sink are lent for the call.
        let status = unsafe { (self.0.publish)(self.0.context, &raw const message, sink(&mut out)) };
        if status == abi::READY { Ok(()) } else { Err(decode_failure(&out)) }
    }

    /// The time that deadlines and [`sleep`](Self::sleep) go by, since any moment.
    pub fn now(&self) -> Duration {
        // SAFETY: this host was retained.
        Duration::from_micros(unsafe { (self.0.now)(self.0.context) })
    }

    /// Starts to wait.
    pub fn sleep(&self, duration: Duration) -> Operation {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        // SAFETY: this host was retained.
        self.operation(unsafe { (self.0.sleep)(self.0.context, microseconds) })
    }

    /// Starts to wait until the service is to stop.
    pub fn stopping(&self) -> Operation {
        // SAFETY: this host was retained.
        self.operation(unsafe { (self.0.stopping)(self.0.context) })
    }

    /// Asks the service to stop.
    pub fn stop(&self) {
        // SAFETY: this host was retained.
        unsafe { (self.0.stop)(self.0.context) };
    }

    /// Gives a future to the host, which polls it on the service's thread until it ends.
    pub fn spawn<G: Guest>(&self, future: impl Future<Output = ()> + Send + 'static) {
        let pending: Pending = Box::pin(async move {
            future.await;
            Ok(Vec::new())
        });
        let future = Task::<G>::into_raw(pending);
        // SAFETY: this host was retained, and takes the future with the functions that fit it.
        unsafe { (self.0.spawn)(self.0.context, future, poll::<G>, drop_future::<G>) };
    }

    /// The level of the least urgent record that is wanted.
    pub fn log_level(&self) -> Option<Level> {
        // SAFETY: this host was retained.
        Level::from_number(unsafe { (self.0.log_level)(self.0.context) })
    }

    /// Writes a record.
    pub fn log(&self, record: &Record<'_>) {
        let record = abi::Record {
            level: record.level as u32,
            target: slice(record.target.as_bytes()),
            message: slice(record.message.as_bytes()),
            workflow_id: optional(record.workflow_id),
        };
        // SAFETY: this host was retained, and the record is lent for the call.
        unsafe { (self.0.log)(self.0.context, &raw const record) };
    }
}

impl Clone for Host {
    fn clone(&self) -> Self {
        // SAFETY: this host was retained, so its table is valid.
        unsafe { Self::retained(&self.0) }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: it was retained once for this value.
        unsafe { (self.0.release)(self.0.context) };
    }
}

fn write_outgoing(message: &Outgoing<'_>) -> abi::Outgoing {
    let (workflow_id, workflow_is_uuid) = workflow_id(message.workflow_id.as_ref());
    abi::Outgoing {
        connection: message.connection,
        encoding: write_encoding(message.encoding, Peer::Any),
        args: slice(message.args),
        topic: optional(message.topic),
        workflow_id,
        workflow_is_uuid,
        deadline_ms: write_duration(message.deadline),
        until_us: write_time(message.until),
    }
}

fn decode_failure(bytes: &[u8]) -> Failure {
    wire::decode::<Failure>(bytes, Encoding::MessagePack, &Limits::default())
        .unwrap_or_else(|_| Failure::msg("the host failed without a reason"))
}

/// Something the host does for the service: a future of the bytes that it ends with.
#[derive(Debug)]
pub struct Operation {
    pointer: *mut c_void,
    is_over: bool,
    poll: abi::Poll,
    drop: abi::Drop,
}

// SAFETY: operations may be polled and dropped on any thread, one at a time, as `abi::Host` says.
unsafe impl Send for Operation {}
// SAFETY: nothing can be done with a shared reference to one.
unsafe impl Sync for Operation {}

impl Future for Operation {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        if self.is_over {
            return Poll::Ready(Err(Failure::msg("it has ended already")));
        }
        let mut out = Vec::new();
        let waker = lend_waker(context.waker());
        // SAFETY: the functions came with the operation, which has not ended, is not dropped yet, and is borrowed mutably.
        let status = unsafe { (self.poll)(self.pointer, &raw const waker, sink(&mut out)) };
        self.is_over = status != abi::PENDING;
        match status {
            abi::PENDING => Poll::Pending,
            abi::READY => Poll::Ready(Ok(out)),
            _ => Poll::Ready(Err(decode_failure(&out))),
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // SAFETY: the function came with the operation, which is dropped once.
        unsafe { (self.drop)(self.pointer) };
    }
}
