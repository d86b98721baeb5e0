//! The half of the boundary inside a plugin: turns a [`Guest`] into a table of C functions, and the host's table into a [`Host`].
#![expect(unsafe_code, reason = "one of the two halves of the plugin boundary")]

use std::any::Any;
use std::ffi::c_void;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::lend::{bytes, lend_waker, lent_waker, optional, sink, slice, text};
use super::{Call, Level, Outgoing, Record, Target, abi};
use crate::declaration::{Declaration, Hook};
use crate::failure::{Failure, code};
use crate::model::Model;
use crate::value::Value;
use crate::wire::{self, Encoding, Limits, Peer};
use crate::workflow::WorkflowId;

/// What a handler ends with: the encoded return arguments.
pub type Outcome = Result<Vec<u8>, Failure>;

/// Work of a service that goes on.
pub type Pending = Pin<Box<dyn Future<Output = Outcome>>>;

/// A service as the boundary sees it: bytes in, bytes out.
pub trait Guest: Sized + 'static {
    /// What the service is.
    fn declare() -> Declaration;

    /// Runs a hook that needs no instance.
    ///
    /// # Errors
    ///
    /// Whatever the author's hook says.
    fn setup(hook: Hook, input: Value) -> Result<Value, Failure>;

    /// Makes an instance from its config, encoded in MessagePack.
    ///
    /// # Errors
    ///
    /// If the config is not what the service needs, or its author's `new` says so.
    fn create(host: Host, config: &[u8]) -> Result<Arc<Self>, Failure>;

    /// Starts a handler, and runs it as far as it goes without waiting.
    fn start(self: &Arc<Self>, call: Call<'_>) -> Started;

    /// Ends the instance; others may hold it still.
    fn end(self: Arc<Self>) {}

    /// Runs `step`, a part of `create`, `start` or a future, in the surroundings that the service needs.
    fn surround<T>(step: impl FnOnce() -> T) -> T {
        step()
    }

    /// What to say of a panic.
    fn panic_message(payload: &(dyn Any + Send)) -> String {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a text".into())
    }
}

/// What starting a handler led to.
pub enum Started {
    /// It is done.
    Ready(Outcome),
    /// It waits.
    Pending(Pending),
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Ready(_)) { "Ready" } else { "Pending" })
    }
}

/// The table of a service.
pub const fn table<G: Guest>() -> abi::Plugin {
    abi::Plugin {
        version: abi::VERSION,
        size: size_of::<abi::Plugin>() as u32,
        describe: describe::<G>,
        setup: setup::<G>,
        create: create::<G>,
        destroy: destroy::<G>,
        start: start::<G>,
        poll: poll::<G>,
        drop: drop_future::<G>,
    }
}

/// A future with the surroundings that it is polled in.
struct Task<G>(Pending, std::marker::PhantomData<G>);

/// Runs what must not unwind into C, and says what a panic meant.
fn guarded<G: Guest, T>(step: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|payload| {
        // The author's own text may panic in its turn when it is dropped; nothing of it may cross.
        let message = catch_unwind(AssertUnwindSafe(|| G::panic_message(&*payload)));
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        Err(Failure::new(code::PANICKED, message.unwrap_or_else(|_| "a panic".into())))
    })
}

/// Writes an outcome to the sink, and gives its status.
///
/// # Safety
///
/// `out` is valid, as the host promises for the duration of each call that it lends one to.
unsafe fn finish(outcome: &Result<impl AsRef<[u8]>, Failure>, out: abi::Sink) -> u32 {
    let (status, bytes) = match outcome {
        Ok(bytes) => (abi::READY, bytes.as_ref()),
        Err(failure) => (abi::FAILED, &*encode_failure(failure)),
    };
    // SAFETY: the host lends a sink that takes any bytes until this call returns.
    unsafe { (out.write)(out.context, bytes.as_ptr(), bytes.len()) };
    status
}

fn encode_failure(failure: &Failure) -> Vec<u8> {
    wire::encode(failure, Encoding::MessagePack).unwrap_or_else(|_| {
        let plain = Failure::named(failure.code().to_owned(), failure.message().to_owned());
        wire::encode(&plain, Encoding::MessagePack).expect("two texts have nothing that the wire lacks")
    })
}

unsafe extern "C" fn describe<G: Guest>(out: abi::Sink) -> u32 {
    let description = guarded::<G, _>(|| {
        wire::encode(&G::declare(), Encoding::Json).map_err(|fault| Failure::msg(fault.to_string()))
    });
    // SAFETY: the host lends the sink for this call.
    unsafe { finish(&description, out) }
}

unsafe extern "C" fn setup<G: Guest>(hook: u32, input: abi::Slice, out: abi::Sink) -> u32 {
    // SAFETY: the host lends the input for this call.
    let input = unsafe { bytes(input) };
    let outcome = guarded::<G, _>(|| {
        let hook =
            Hook::ALL.get(hook as usize).ok_or_else(|| Failure::msg(format!("there is no hook {hook}")))?;
        let output = G::setup(*hook, wire::decode(input, Encoding::MessagePack, &Limits::default())?)?;
        Ok(wire::encode(&output, Encoding::MessagePack)?)
    });
    // SAFETY: the host lends the sink for this call.
    unsafe { finish(&outcome, out) }
}

unsafe extern "C" fn create<G: Guest>(
    host: *const abi::Host,
    config: abi::Slice,
    instance: *mut *mut c_void,
    out: abi::Sink,
) -> u32 {
    // SAFETY: the size comes first in the tables of every version.
    let size = unsafe { (*host).size };
    if (size as usize) < size_of::<abi::Host>() {
        let due = size_of::<abi::Host>();
        let failure = Failure::msg(format!("the host's table has {size} bytes, this plugin needs {due}"));
        // SAFETY: the host lends the sink for this call.
        return unsafe { finish(&Err::<Vec<u8>, _>(failure), out) };
    }
    // SAFETY: the host lends its table, which is large enough, and the config for this call.
    let (host, config) = unsafe { (Host::retained(&*host), bytes(config)) };
    let outcome = guarded::<G, _>(|| G::surround(|| G::create(host, config)));
    let outcome = outcome.map(|created| {
        // SAFETY: the host gives a place for the pointer.
        unsafe { *instance = Arc::into_raw(created).cast_mut().cast() };
        []
    });
    // SAFETY: the host lends the sink for this call.
    unsafe { finish(&outcome, out) }
}

unsafe extern "C" fn destroy<G: Guest>(instance: *mut c_void) {
    // SAFETY: the pointer came from `create` of this table, and the host destroys an instance once.
    let instance = unsafe { Arc::from_raw(instance.cast::<G>()) };
    // An author's `drop` may panic; there is nobody left to tell.
    _ = guarded::<G, _>(|| {
        G::surround(|| instance.end());
        Ok(())
    });
}

unsafe extern "C" fn start<G: Guest>(
    instance: *mut c_void,
    call: *const abi::Call,
    future: *mut *mut c_void,
    out: abi::Sink,
) -> u32 {
    // SAFETY: the pointer came from `create`, and the instance is not destroyed before its calls have returned. The `Arc` is the
    // host's and is not given up here.
    let instance = std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(instance.cast::<G>()) });
    // SAFETY: the host lends the call until this function returns.
    let call = unsafe { read_call(&*call) };
    let started = guarded::<G, _>(|| {
        let call = call?;
        Ok(G::surround(|| instance.start(call)))
    });
    match started.unwrap_or_else(|failure| Started::Ready(Err(failure))) {
        // SAFETY: the host lends the sink for this call.
        Started::Ready(outcome) => unsafe { finish(&outcome, out) },
        Started::Pending(pending) => {
            let task: Box<Task<G>> = Box::new(Task(pending, std::marker::PhantomData));
            // SAFETY: the host gives a place for the pointer.
            unsafe { *future = Box::into_raw(task).cast() };
            abi::PENDING
        }
    }
}

/// # Safety
///
/// The slices of the call are valid for as long as the result is used.
unsafe fn read_call<'a>(call: &abi::Call) -> Result<Call<'a>, Failure> {
    let target = match call.target.checked_sub(abi::FIRST_HOOK) {
        None => Target::Connection(call.target),
        Some(hook) => {
            let hook = Hook::ALL.get(hook as usize);
            Target::Hook(*hook.ok_or_else(|| Failure::msg("the host called a hook that there is not"))?)
        }
    };
    // SAFETY: passed on to the caller.
    let (args, workflow_id, topic) =
        unsafe { (bytes(call.args), text(call.workflow_id)?, text(call.topic)?) };
    let (encoding, peer) = read_encoding(call.encoding);
    Ok(Call {
        target,
        encoding,
        peer,
        args,
        workflow_id: workflow_id.map(|text| WorkflowId::from_parts(text, call.workflow_is_uuid == 1)),
        topic,
        deadline: read_duration(call.deadline_ms),
    })
}

fn read_encoding(number: u32) -> (Encoding, Peer) {
    let encoding = if number & 0xff == abi::JSON { Encoding::Json } else { Encoding::MessagePack };
    let peer = if number & abi::FOR_PYTHON == 0 { Peer::Any } else { Peer::Python };
    (encoding, peer)
}

fn read_duration(milliseconds: u64) -> Option<Duration> {
    (milliseconds != abi::NEVER).then(|| Duration::from_millis(milliseconds))
}

fn write_duration(duration: Option<Duration>) -> u64 {
    duration.map_or(abi::NEVER, |duration| u64::try_from(duration.as_millis()).unwrap_or(abi::NEVER))
}

unsafe extern "C" fn poll<G: Guest>(future: *mut c_void, waker: *const abi::Waker, out: abi::Sink) -> u32 {
    // SAFETY: the pointer came from `start` or `spawn`, and the host polls a future from one thread at a time.
    let Task(pending, _) = unsafe { &mut *future.cast::<Task<G>>() };
    // SAFETY: the host lends the waker for this call.
    let waker = unsafe { lent_waker(&*waker) };
    let polled = guarded::<G, _>(|| {
        G::surround(|| match pending.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => Ok(None),
            Poll::Ready(outcome) => outcome.map(Some),
        })
    });
    match polled {
        Ok(None) => abi::PENDING,
        Ok(Some(outcome)) => {
            // SAFETY: the host lends the sink for this call.
            unsafe { finish(&Ok(outcome), out) }
        }
        Err(failure) => {
            // SAFETY: the host lends the sink for this call.
            unsafe { finish(&Err::<Vec<u8>, _>(failure), out) }
        }
    }
}

unsafe extern "C" fn drop_future<G: Guest>(future: *mut c_void) {
    // SAFETY: the pointer came from `start` or `spawn`, and the host drops a future once.
    let task = unsafe { Box::from_raw(future.cast::<Task<G>>()) };
    _ = guarded::<G, _>(|| {
        G::surround(|| drop(task));
        Ok(())
    });
}

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
    unsafe fn retained(table: &abi::Host) -> Self {
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
        let pointer = unsafe { (self.0.request)(self.0.context, &raw const message) };
        Operation { pointer, host: self.clone() }
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
        Operation { pointer: unsafe { (self.0.sleep)(self.0.context, microseconds) }, host: self.clone() }
    }

    /// Starts to wait until the service is to stop.
    pub fn stopping(&self) -> Operation {
        // SAFETY: this host was retained.
        Operation { pointer: unsafe { (self.0.stopping)(self.0.context) }, host: self.clone() }
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
        let task: Box<Task<G>> = Box::new(Task(pending, std::marker::PhantomData));
        // SAFETY: this host was retained, and takes the future with the functions that fit it.
        unsafe { (self.0.spawn)(self.0.context, Box::into_raw(task).cast(), poll::<G>, drop_future::<G>) };
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
    let workflow_id = message.workflow_id.as_ref();
    abi::Outgoing {
        connection: message.connection,
        encoding: if message.encoding == Encoding::Json { abi::JSON } else { abi::MESSAGE_PACK },
        args: slice(message.args),
        topic: optional(message.topic),
        workflow_id: optional(workflow_id.map(WorkflowId::as_str)),
        workflow_is_uuid: workflow_id.is_some_and(WorkflowId::is_uuid).into(),
        deadline_ms: write_duration(message.deadline),
        remaining_ms: write_duration(message.remaining),
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
    host: Host,
}

// SAFETY: operations may be polled and dropped on any thread, one at a time, as `abi::Host` says.
unsafe impl Send for Operation {}
// SAFETY: nothing can be done with a shared reference to one.
unsafe impl Sync for Operation {}

impl Future for Operation {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut out = Vec::new();
        let waker = lend_waker(context.waker());
        let table = &self.host.0;
        // SAFETY: the operation came from this host, is not dropped yet, and is borrowed mutably.
        match unsafe { (table.poll)(self.pointer, &raw const waker, sink(&mut out)) } {
            abi::PENDING => Poll::Pending,
            abi::READY => Poll::Ready(Ok(out)),
            _ => Poll::Ready(Err(decode_failure(&out))),
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // SAFETY: the operation came from this host and is dropped once.
        unsafe { (self.host.0.drop)(self.pointer) };
    }
}

/// Reads arguments that the host gave.
///
/// # Errors
///
/// `bad_args`, with the path of what is wrong.
pub fn decode_args<T: Model>(args: &[u8], encoding: Encoding, limits: &Limits) -> Result<T, Failure> {
    wire::decode(args, encoding, limits)
        .map_err(|fault| Failure::new(code::BAD_ARGS, fault.within("args").to_string()))
}
