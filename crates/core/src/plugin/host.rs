//! The half of the boundary inside whoever runs a service: turns a table of C functions into an [`Instance`], and a [`Host`] into the table that instances see.
#![expect(unsafe_code, reason = "one of the two halves of the plugin boundary")]

use std::ffi::c_void;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::lend::{bytes, lend_waker, lent_waker, optional, sink, slice, text};
use super::{Call, Level, Outgoing, Record, Target, abi};
use crate::declaration::{Declaration, Hook};
use crate::failure::{Failure, code};
use crate::value::Value;
use crate::wire::{self, Encoding, Limits, Peer};
use crate::workflow::WorkflowId;

/// Something that a host does for a service; ends with encoded return arguments.
pub type Operation = Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + Send>>;

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
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
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

/// Why a table is not taken for a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Another version of the boundary.
    #[error("speaks version {found} of the plugin boundary, this runtime speaks version {}", abi::VERSION)]
    Version {
        /// The version that it speaks.
        found: u32,
    },
    /// A table too small to be one.
    #[error("its table has {found} bytes, {} are due", size_of::<abi::Plugin>())]
    Size {
        /// Its size in bytes.
        found: u32,
    },
    /// A function that is not there.
    #[error("its table has a null pointer for a function")]
    Null,
}

/// A service in this program, by its type: `service_framework::export!` says that it is one.
pub trait Linked {
    /// The table of C functions that it is driven by.
    const TABLE: &'static abi::Plugin;
}

/// A service that is not running: what it is, and how to make instances.
#[derive(Clone, Copy, Debug)]
pub struct Plugin(&'static abi::Plugin);

impl Plugin {
    /// The plugin of a service in this program. Its table can only have come from [`guest::table`](super::guest::table).
    pub fn of<S: Linked>() -> Self {
        Self(S::TABLE)
    }

    /// The plugin of a table in a loaded library.
    ///
    /// # Errors
    ///
    /// If the table is for another version of the boundary.
    ///
    /// # Safety
    ///
    /// `table` points to a table by the rules of [`abi`], in a library that is never unloaded.
    pub unsafe fn from_raw(table: *const abi::Plugin) -> Result<Self, TableError> {
        // SAFETY: the version and the size come first in the tables of every version.
        let (version, size) = unsafe { ((*table).version, (*table).size) };
        if version != abi::VERSION {
            return Err(TableError::Version { found: version });
        }
        if (size as usize) < size_of::<abi::Plugin>() {
            return Err(TableError::Size { found: size });
        }
        // SAFETY: the table is large enough, and from `describe` on it has nothing but pointers.
        let functions = unsafe {
            let first = table.byte_add(offset_of!(abi::Plugin, describe)).cast::<*const c_void>();
            let count =
                (size_of::<abi::Plugin>() - offset_of!(abi::Plugin, describe)) / size_of::<*const c_void>();
            std::slice::from_raw_parts(first, count)
        };
        if functions.iter().any(|function| function.is_null()) {
            return Err(TableError::Null);
        }
        // SAFETY: the caller says that it is one, version and size agree, and no function is null.
        Ok(Self(unsafe { &*table }))
    }

    /// What the service says of itself.
    ///
    /// # Errors
    ///
    /// If it panics, or what it says is no declaration.
    pub fn describe(self) -> Result<Declaration, Failure> {
        let mut out = Vec::new();
        // SAFETY: the table is valid, and the sink is lent for the call.
        let status = unsafe { (self.0.describe)(sink(&mut out)) };
        let json = outcome(status, out)?;
        wire::decode(&json, Encoding::Json, &Limits::default())
            .map_err(|fault| Failure::msg(format!("it describes itself wrongly: {fault}")))
    }

    /// Runs a hook that needs no instance.
    ///
    /// # Errors
    ///
    /// What the hook says.
    pub fn setup(self, hook: Hook, input: &Value) -> Result<Value, Failure> {
        let input = wire::encode(input, Encoding::MessagePack)?;
        let mut out = Vec::new();
        // SAFETY: the table is valid; input and sink are lent for the call.
        let status = unsafe { (self.0.setup)(hook_number(hook), slice(&input), sink(&mut out)) };
        Ok(wire::decode(&outcome(status, out)?, Encoding::MessagePack, &Limits::default())?)
    }

    /// Makes an instance on this thread, which becomes the service's, from its config in MessagePack.
    ///
    /// # Errors
    ///
    /// What its constructor says, a panic included.
    pub fn create(self, host: Arc<dyn Host>, config: &[u8]) -> Result<Instance, Failure> {
        let mut out = Vec::new();
        let mut pointer = std::ptr::null_mut();
        // One reference is the instance's; the guest retains its own.
        let context = Arc::into_raw(Arc::new(host));
        let table = abi::Host { context: context.cast(), ..HOST };
        // SAFETY: the table is valid; the host's table, config, place and sink are lent for the call.
        let status =
            unsafe { (self.0.create)(&raw const table, slice(config), &raw mut pointer, sink(&mut out)) };
        // SAFETY: the reference was made above and is given up once.
        unsafe { release(context.cast()) };
        outcome(status, out)?;
        Ok(Instance(Arc::new(Pointer { pointer, table: self.0 }), PhantomData))
    }
}

fn hook_number(hook: Hook) -> u32 {
    let position = Hook::ALL.iter().position(|known| *known == hook);
    position.expect("the list has all hooks") as u32
}

fn outcome(status: u32, out: Vec<u8>) -> Result<Vec<u8>, Failure> {
    match status {
        abi::READY => Ok(out),
        abi::FAILED => Err(wire::decode(&out, Encoding::MessagePack, &Limits::default())
            .unwrap_or_else(|_| Failure::msg("the plugin failed without a reason"))),
        other => Err(Failure::msg(format!("the plugin gave the status {other}, which there is not"))),
    }
}

/// A running service. It stays on the thread that made it.
#[derive(Debug)]
pub struct Instance(Arc<Pointer>, PhantomData<*const ()>);

/// The instance as the table knows it; destroyed with the last reference.
#[derive(Debug)]
struct Pointer {
    pointer: *mut c_void,
    table: &'static abi::Plugin,
}

// SAFETY: blocking handlers are called from any thread, as `abi::Plugin` says; other calls are kept to the service's thread by the types that hold this.
unsafe impl Send for Pointer {}
// SAFETY: as above.
unsafe impl Sync for Pointer {}

impl Drop for Pointer {
    fn drop(&mut self) {
        // SAFETY: `create` gave the pointer, nothing else destroys it, and every future holds a reference.
        unsafe { (self.table.destroy)(self.pointer) };
    }
}

/// A running service as blocking threads see it: only handlers that were declared blocking may be started.
#[derive(Clone, Debug)]
pub struct BlockingInstance(Arc<Pointer>);

/// What starting a handler led to.
#[derive(Debug)]
pub enum Started {
    /// It is done, and its return arguments are in the buffer; or why there are none.
    Ready(Result<(), Failure>),
    /// It waits.
    Pending(Pending),
}

impl Instance {
    /// Starts a handler and runs it as far as it goes without waiting. Return arguments are appended to `out`.
    pub fn start(&self, call: &Call<'_>, out: &mut Vec<u8>) -> Started {
        start(&self.0, call, out)
    }

    /// The same instance for threads that run its blocking handlers.
    pub fn for_blocking(&self) -> BlockingInstance {
        BlockingInstance(Arc::clone(&self.0))
    }
}

impl BlockingInstance {
    /// Runs a blocking handler to its end. Return arguments are appended to `out`.
    ///
    /// # Errors
    ///
    /// What the handler says; also if it wants to be polled, which a blocking one never does.
    pub fn run(&self, call: &Call<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        match start(&self.0, call, out) {
            Started::Ready(outcome) => outcome,
            Started::Pending(_) => {
                Err(Failure::msg("a handler that was declared blocking waits like an async one"))
            }
        }
    }
}

fn start(instance: &Arc<Pointer>, call: &Call<'_>, out: &mut Vec<u8>) -> Started {
    let workflow_id = call.workflow_id.as_ref();
    let raw = abi::Call {
        target: match call.target {
            Target::Connection(number) => number,
            Target::Hook(hook) => abi::FIRST_HOOK + hook_number(hook),
        },
        encoding: write_encoding(call.encoding, call.peer),
        args: slice(call.args),
        workflow_id: optional(workflow_id.map(WorkflowId::as_str)),
        workflow_is_uuid: workflow_id.is_some_and(WorkflowId::is_uuid).into(),
        topic: optional(call.topic),
        deadline_ms: call
            .deadline
            .map_or(abi::NEVER, |left| u64::try_from(left.as_millis()).unwrap_or(abi::NEVER)),
    };
    let before = out.len();
    let mut future = std::ptr::null_mut();
    // SAFETY: the instance lives; call, place and sink are lent for the call.
    let status =
        unsafe { (instance.table.start)(instance.pointer, &raw const raw, &raw mut future, sink(out)) };
    match status {
        abi::READY => Started::Ready(Ok(())),
        abi::PENDING if !future.is_null() => {
            let future = Task { pointer: future, poll: instance.table.poll, drop: instance.table.drop };
            Started::Pending(Pending { future, _instance: Some(Arc::clone(instance)), _thread: PhantomData })
        }
        other => Started::Ready(outcome(other, out.split_off(before)).map(|_| ())),
    }
}

fn write_encoding(encoding: Encoding, peer: Peer) -> u32 {
    let number = if encoding == Encoding::Json { abi::JSON } else { abi::MESSAGE_PACK };
    number + if peer == Peer::Python { abi::FOR_PYTHON } else { 0 }
}

/// A future of a plugin; dropped once.
#[derive(Debug)]
struct Task {
    pointer: *mut c_void,
    poll: abi::Poll,
    drop: abi::Drop,
}

impl Task {
    /// Goes on, appending return arguments to `out`.
    fn poll(&mut self, context: &Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Failure>> {
        let before = out.len();
        let waker = lend_waker(context.waker());
        // SAFETY: the future is not dropped yet and is borrowed mutably; waker and sink are lent for the call.
        match unsafe { (self.poll)(self.pointer, &raw const waker, sink(out)) } {
            abi::PENDING => Poll::Pending,
            abi::READY => Poll::Ready(Ok(())),
            other => Poll::Ready(outcome(other, out.split_off(before)).map(|_| ())),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // SAFETY: the function came with the pointer, and nothing else drops it.
        unsafe { (self.drop)(self.pointer) };
    }
}

/// A handler that waits. It stays on the service's thread and must be polled at least once.
#[derive(Debug)]
pub struct Pending {
    // The order matters: the future goes before its instance.
    future: Task,
    _instance: Option<Arc<Pointer>>,
    _thread: PhantomData<*const ()>,
}

impl Pending {
    /// Goes on. Return arguments are appended to `out`. After it is ready it is only to be dropped.
    pub fn poll(&mut self, context: &Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Failure>> {
        self.future.poll(context, out)
    }
}

/// Background work that a service gave to its host. It goes to the service's thread and is polled there until it ends.
#[derive(Debug)]
pub struct Spawned(Task);

// SAFETY: a spawned future does not care which thread it is polled and dropped on, as `abi::Host` says.
unsafe impl Send for Spawned {}

impl Future for Spawned {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context, &mut Vec::new())
    }
}

/// The table that instances see, but for its context, which is a pointer to an `Arc<dyn Host>` in an `Arc`.
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

type Shared = Arc<dyn Host>;

unsafe extern "C" fn retain(context: *const c_void) {
    // SAFETY: whoever calls holds a reference.
    unsafe { Arc::increment_strong_count(context.cast::<Shared>()) };
}

unsafe extern "C" fn release(context: *const c_void) {
    // SAFETY: whoever calls gives its reference up.
    let shared = unsafe { Arc::from_raw(context.cast::<Shared>()) };
    _ = guarded(|| drop(shared));
}

/// The host behind a context.
///
/// # Safety
///
/// Whoever calls holds a reference for as long as the result is used.
unsafe fn host<'a>(context: *const c_void) -> &'a dyn Host {
    // SAFETY: the context is a pointer to a shared host, and the caller holds a reference.
    &**unsafe { &*context.cast::<Shared>() }
}

/// Keeps a panic of the host's from unwinding into the plugin.
fn guarded<T>(step: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(step))
        .map_err(|_| Failure::new(code::FAILED, "a fault of the runtime: it panicked"))
}

/// # Safety
///
/// The slices of the message are valid for as long as the result is used.
unsafe fn read_outgoing<'a>(raw: &abi::Outgoing) -> Result<Outgoing<'a>, Failure> {
    // SAFETY: passed on to the caller.
    let (args, topic, id) = unsafe { (bytes(raw.args), text(raw.topic)?, text(raw.workflow_id)?) };
    let duration = |ms: u64| (ms != abi::NEVER).then(|| Duration::from_millis(ms));
    Ok(Outgoing {
        connection: raw.connection,
        encoding: if raw.encoding & 0xff == abi::JSON { Encoding::Json } else { Encoding::MessagePack },
        args,
        topic,
        workflow_id: id.map(|id| WorkflowId::from_parts(id, raw.workflow_is_uuid == 1)),
        deadline: duration(raw.deadline_ms),
        remaining: duration(raw.remaining_ms),
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
    let waker = unsafe { lent_waker(&*waker) };
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
    let host = unsafe { host(context) };
    _ = guarded(|| host.spawn(Spawned(Task { pointer, poll, drop })));
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
