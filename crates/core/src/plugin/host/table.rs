//! The table of C functions that instances see of their host.
#![expect(unsafe_code, reason = "takes the plugin's pointers")]

use std::ffi::c_void;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::instance::Spawned;
use super::{Host, Operation};
use crate::failure::{Failure, code};
use crate::plugin::lend::{bytes, contained, lent_host_waker, lent_workflow_id, text};
use crate::plugin::numbers::{read_duration, read_encoding, read_time, write_encoding};
use crate::plugin::this_thread::{ThreadNumber, this_thread};
use crate::plugin::{Level, Outgoing, Record, abi};
use crate::wire::{self, Encoding};

/// The table that instances see, but for its context, which is a pointer to a [`Shared`] in an `Arc`.
const HOST: abi::Host = abi::Host {
    size: size_of::<abi::Host>() as u32,
    context: std::ptr::null(),
    retain,
    release,
    encoding,
    request,
    publish,
    now,
    sleep,
    stopping,
    stop,
    poll: poll_operation,
    drop: drop_operation,
    spawn,
    log_level,
    log,
};

/// What is behind a context.
struct Shared {
    host: Arc<dyn Host>,
    /// The service's.
    thread: ThreadNumber,
}

/// The table of a host for a service of this thread, with one reference to it, which is given up by `release`.
pub(super) fn of(host: Arc<dyn Host>) -> abi::Host {
    let shared = Shared { host, thread: this_thread() };
    abi::Host { context: Arc::into_raw(Arc::new(shared)).cast(), ..HOST }
}

unsafe extern "C" fn retain(context: *const c_void) {
    // SAFETY: whoever calls holds a reference.
    unsafe { Arc::increment_strong_count(context.cast::<Shared>()) };
}

unsafe extern "C" fn release(context: *const c_void) {
    // SAFETY: whoever calls gives its reference up.
    let shared = unsafe { Arc::from_raw(context.cast::<Shared>()) };
    _ = guarded(|| drop(shared));
}

/// What is behind a context.
///
/// # Safety
///
/// Whoever calls holds a reference for as long as the result is used.
unsafe fn shared<'a>(context: *const c_void) -> &'a Shared {
    // SAFETY: the context is a pointer to a shared host, and the caller holds a reference.
    unsafe { &*context.cast() }
}

/// The host behind a context.
///
/// # Safety
///
/// As for [`shared`].
unsafe fn host<'a>(context: *const c_void) -> &'a dyn Host {
    // SAFETY: passed on to the caller.
    &*unsafe { shared(context) }.host
}

/// Keeps a panic of the host's from unwinding into the plugin.
fn guarded<T>(step: impl FnOnce() -> T) -> Result<T, Failure> {
    contained(step).ok_or_else(|| Failure::new(code::FAILED, "a fault of the runtime: it panicked"))
}

/// # Safety
///
/// The slices of the message are valid for as long as the result is used.
unsafe fn read_outgoing<'a>(raw: &abi::Outgoing) -> Result<Outgoing<'a>, Failure> {
    // SAFETY: passed on to the caller.
    let (args, topic) = unsafe { (bytes(raw.args), text(raw.topic)?) };
    // SAFETY: passed on to the caller.
    let workflow_id = unsafe { lent_workflow_id(raw.workflow_id, raw.workflow_is_uuid)? };
    Ok(Outgoing {
        connection: raw.connection,
        encoding: read_encoding(raw.encoding).0,
        args,
        topic,
        workflow_id,
        deadline: read_duration(raw.deadline_ms),
        until: read_time(raw.until_us),
    })
}

unsafe extern "C" fn encoding(context: *const c_void, connection: u32) -> u32 {
    // SAFETY: whoever calls holds a reference.
    let host = unsafe { host(context) };
    guarded(|| host.encoding(connection))
        .map_or(abi::MESSAGE_PACK, |(encoding, peer)| write_encoding(encoding, peer))
}

fn into_raw(operation: Result<Operation, Failure>) -> *mut c_void {
    let operation = operation.unwrap_or_else(|failure| Box::pin(async { Err(failure) }));
    Box::into_raw(Box::new(operation)).cast()
}

unsafe extern "C" fn request(context: *const c_void, message: *const abi::Outgoing) -> *mut c_void {
    // SAFETY: whoever calls holds a reference, and lends the message.
    let (host, message) = unsafe { (host(context), read_outgoing(&*message)) };
    into_raw(message.and_then(|message| guarded(|| host.request(message))))
}

unsafe extern "C" fn publish(context: *const c_void, message: *const abi::Outgoing, out: abi::Sink) -> u32 {
    // SAFETY: whoever calls holds a reference, and lends the message.
    let (host, message) = unsafe { (host(context), read_outgoing(&*message)) };
    match message.and_then(|message| guarded(|| host.publish(message)).flatten()) {
        Ok(()) => abi::READY,
        Err(failure) => {
            // SAFETY: the sink is lent for the call.
            unsafe { write_failure(&failure, out) };
            abi::FAILED
        }
    }
}

/// # Safety
///
/// The sink is valid.
unsafe fn write_failure(failure: &Failure, out: abi::Sink) {
    let bytes = wire::encode(failure, Encoding::MessagePack).unwrap_or_default();
    // SAFETY: passed on to the caller.
    unsafe { (out.write)(out.context, bytes.as_ptr(), bytes.len()) };
}

unsafe extern "C" fn now(context: *const c_void) -> u64 {
    // SAFETY: whoever calls holds a reference.
    let host = unsafe { host(context) };
    guarded(|| host.now()).map_or(0, |now| u64::try_from(now.as_micros()).unwrap_or(u64::MAX))
}

unsafe extern "C" fn sleep(context: *const c_void, microseconds: u64) -> *mut c_void {
    // SAFETY: whoever calls holds a reference.
    let host = unsafe { host(context) };
    into_raw(guarded(|| host.sleep(Duration::from_micros(microseconds))))
}

unsafe extern "C" fn stopping(context: *const c_void) -> *mut c_void {
    // SAFETY: whoever calls holds a reference.
    let host = unsafe { host(context) };
    into_raw(guarded(|| host.stopping()))
}

unsafe extern "C" fn stop(context: *const c_void) {
    // SAFETY: whoever calls holds a reference.
    let host = unsafe { host(context) };
    _ = guarded(|| host.stop());
}

unsafe extern "C" fn poll_operation(operation: *mut c_void, waker: *const abi::Waker, out: abi::Sink) -> u32 {
    // SAFETY: the operation came from here, and is polled from one thread at a time.
    let operation = unsafe { &mut *operation.cast::<Operation>() };
    // SAFETY: the waker is lent for the call.
    let waker = unsafe { lent_host_waker(&*waker) };
    let polled = guarded(|| operation.as_mut().poll(&mut Context::from_waker(&waker)));
    match polled {
        Ok(Poll::Pending) => abi::PENDING,
        Ok(Poll::Ready(Ok(bytes))) => {
            // SAFETY: the sink is lent for the call.
            unsafe { (out.write)(out.context, bytes.as_ptr(), bytes.len()) };
            abi::READY
        }
        Ok(Poll::Ready(Err(failure))) | Err(failure) => {
            // SAFETY: the sink is lent for the call.
            unsafe { write_failure(&failure, out) };
            abi::FAILED
        }
    }
}

unsafe extern "C" fn drop_operation(operation: *mut c_void) {
    // SAFETY: the operation came from here, and is dropped once.
    let operation = unsafe { Box::from_raw(operation.cast::<Operation>()) };
    _ = guarded(|| drop(operation));
}

unsafe extern "C" fn spawn(context: *const c_void, pointer: *mut c_void, poll: abi::Poll, drop: abi::Drop) {
    // SAFETY: whoever calls holds a reference.
    let Shared { host, thread } = unsafe { shared(context) };
    // SAFETY: whoever calls gives the future away, with the functions that fit it.
    let spawned = unsafe { Spawned::from_raw(pointer, poll, drop, *thread) };
    _ = guarded(|| host.spawn(spawned));
}

unsafe extern "C" fn log_level(context: *const c_void) -> u32 {
    // SAFETY: whoever calls holds a reference.
    let host = unsafe { host(context) };
    guarded(|| host.log_level()).ok().flatten().map_or(0, |level| level as u32)
}

unsafe extern "C" fn log(context: *const c_void, record: *const abi::Record) {
    // SAFETY: whoever calls holds a reference, and lends the record.
    let (host, record) = unsafe { (host(context), &*record) };
    // SAFETY: the texts are lent for the call.
    let texts = unsafe { (bytes(record.target), bytes(record.message), bytes(record.workflow_id)) };
    let (target, message, id) = (
        String::from_utf8_lossy(texts.0),
        String::from_utf8_lossy(texts.1),
        String::from_utf8_lossy(texts.2),
    );
    let workflow_id = (!id.is_empty()).then_some(&*id);
    let level = Level::from_number(record.level).unwrap_or(Level::Info);
    _ = guarded(|| host.log(Record { level, target: &target, message: &message, workflow_id }));
}
