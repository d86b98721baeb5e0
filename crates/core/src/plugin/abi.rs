//! The C types and tables that cross the boundary, and the rules for each.
//!
//! Every change that an older plugin or host would misread gets another [`VERSION`]. Fields may be added at the end of a table; its `size` says whether they
//! are there.
//!
//! All tables of this version have at least `FIRST_SIZE` bytes, which no new field changes. A field behind that is read through a pointer to it, and only if
//! `size` reaches beyond its end: a reference to the whole table, or a copy of it, would reach beyond one that is older.

use std::ffi::c_void;
use std::mem::offset_of;

/// The version of the boundary. It stands in the table and in the name of the symbol.
pub const VERSION: u32 = 1;

/// The answer is in the sink.
pub const READY: u32 = 0;
/// The work goes on: poll, or drop.
pub const PENDING: u32 = 1;
/// There is no result; why stands in the sink, as a MessagePack map with `code`, `message` and perhaps `data`.
pub const FAILED: u32 = 2;

/// MessagePack.
pub const MESSAGE_PACK: u32 = 0;
/// JSON.
pub const JSON: u32 = 1;
/// Added to an encoding: what is written is for a peer in Python.
pub const FOR_PYTHON: u32 = 0x100;

/// A duration or a time that means there is none.
pub const NEVER: u64 = u64::MAX;

/// The numbers of states begin here where what a plugin holds of them is meant, and not the handler that is called after an update: that has a number like those of
/// connections, which are numbered from 0 and followed by those of states.
pub const FIRST_STATE: u32 = 0x4000_0000;

/// The numbers of hooks as targets of calls begin here.
pub const FIRST_HOOK: u32 = 0x8000_0000;

/// Bytes that are lent for the duration of a call. A null pointer means that there are none to speak of.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// The first byte, or null.
    pub bytes: *const u8,
    /// How many.
    pub len: usize,
}

/// Takes bytes from whoever is called. What is written by several calls stands one behind the other. It may be used until the function it was given to returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Sink {
    /// What `write` is given back.
    pub context: *mut c_void,
    /// Copies the bytes.
    pub write: unsafe extern "C" fn(context: *mut c_void, bytes: *const u8, len: usize),
}

/// Tells that polling again is worth it. Any thread may use it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Waker {
    /// What the functions are given.
    pub data: *const c_void,
    /// Gives the data of a waker that is to be kept; it is dropped in its turn.
    pub clone: unsafe extern "C" fn(data: *const c_void) -> *const c_void,
    /// Wakes.
    pub wake: unsafe extern "C" fn(data: *const c_void),
    /// Ends a waker that was cloned.
    pub drop: unsafe extern "C" fn(data: *const c_void),
}

/// Goes on with a future. The waker is lent; a clone of it may be kept. After anything but [`PENDING`] the future is only to be dropped.
pub type Poll = unsafe extern "C" fn(future: *mut c_void, waker: *const Waker, out: Sink) -> u32;

/// Ends a future, finished or not.
pub type Drop = unsafe extern "C" fn(future: *mut c_void);

/// One call of a handler. The slices are valid until `start` returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The number of a connection; or that of a state, which follows those of the connections, for the handler of its updates; [`FIRST_STATE`] plus the position of a state among
    /// the states, for the copy; or [`FIRST_HOOK`] plus the position of a hook in the header's list.
    pub target: u32,
    /// [`MESSAGE_PACK`] or [`JSON`], plus [`FOR_PYTHON`]: how the arguments are written and the return arguments are to be.
    pub encoding: u32,
    /// The map of arguments.
    pub args: Slice,
    /// The workflow id as text, or null.
    pub workflow_id: Slice,
    /// 1 if the workflow id is a UUID on the wire.
    pub workflow_is_uuid: u32,
    /// The topic as text, or null.
    pub topic: Slice,
    /// When whoever called stops waiting for the answer, in microseconds of the host's clock, or [`NEVER`].
    pub until_us: u64,
}

/// What a plugin exports.
///
/// `describe`, `setup` and `create` come first, in this order, from one thread. The thread that calls `create` is the service's thread: all calls with
/// the instance come from it, except those of blocking handlers and of a blocking `main`, which come from other threads at any time until `destroy`. No function may
/// unwind. Futures are dropped before their instance is destroyed. Services of one library have a thread each, and go through all of this at the same time.
#[repr(C)]
#[derive(Debug)]
pub struct Plugin {
    /// [`VERSION`]
    pub(crate) version: u32,
    /// The size of this table in bytes.
    pub(crate) size: u32,
    /// Writes the declaration as JSON. [`READY`] or [`FAILED`].
    pub(crate) describe: unsafe extern "C" fn(out: Sink) -> u32,
    /// Runs a hook that needs no instance. Input and output are MessagePack: of `setup_config` the config; of the others a map with `config` and, for
    /// `setup_addresses`, `addresses`. [`READY`] or [`FAILED`].
    pub(crate) setup: unsafe extern "C" fn(hook: u32, input: Slice, out: Sink) -> u32,
    /// Makes an instance from its config in MessagePack, and keeps the host. [`READY`], or [`FAILED`] and no instance.
    pub(crate) create:
        unsafe extern "C" fn(host: *const Host, config: Slice, instance: *mut *mut c_void, out: Sink) -> u32,
    /// Ends an instance, on the service's thread; or, if a blocking handler outlasts everything else, on that handler's. What may not end there is
    /// left where it is.
    pub(crate) destroy: unsafe extern "C" fn(instance: *mut c_void),
    /// Starts a handler. [`READY`] with the return arguments in the sink, [`FAILED`], or [`PENDING`] with a future, which must then be
    /// polled at least once: what it waits for does not know yet whom to wake.
    pub(crate) start: unsafe extern "C" fn(
        instance: *mut c_void,
        call: *const Call,
        future: *mut *mut c_void,
        out: Sink,
    ) -> u32,
    /// Goes on with a future that `start` gave.
    pub(crate) poll: Poll,
    /// Ends a future that `start` gave.
    pub(crate) drop: Drop,
}

impl Plugin {
    /// The size of the smallest table of this version, in bytes.
    pub(crate) const FIRST_SIZE: usize = offset_of!(Self, drop) + size_of::<Drop>();
}

// Whoever adds a field changes what refers to a whole table first, and then strikes this.
const _: () = assert!(size_of::<Plugin>() == Plugin::FIRST_SIZE, "a host refers to whole tables of plugins");

/// One message that a service sends, or one call of an external target. The slices are valid until the function returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// The number of the connection in the declaration, or of the state, which follows those of the connections.
    pub connection: u32,
    /// [`MESSAGE_PACK`] or [`JSON`]: how the arguments are written. The answer says by its first byte how it is.
    pub encoding: u32,
    /// The map of arguments.
    pub args: Slice,
    /// The topic as text, or null for the connection's own.
    pub topic: Slice,
    /// The workflow id as text, or null to start a workflow.
    pub workflow_id: Slice,
    /// 1 if the workflow id is a UUID on the wire. The host does not take a plugin's word for it: what is none is a text.
    pub workflow_is_uuid: u32,
    /// Milliseconds to wait for the answer, or [`NEVER`] for what is set for the connection.
    pub deadline_ms: u64,
    /// When the call is over in which this one is made, in microseconds of the host's clock, or [`NEVER`].
    pub until_us: u64,
}

/// A log record. The slices are valid until `log` returns.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// 1 error, 2 warn, 3 info, 4 debug, 5 trace.
    pub level: u32,
    /// The module that it comes from.
    pub target: Slice,
    /// Its text.
    pub message: Slice,
    /// The workflow id, or null.
    pub workflow_id: Slice,
}

/// What the host offers to an instance. Any thread may call it, from within `create` until the host is released.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// The size of this table in bytes.
    pub(crate) size: u32,
    /// What every function is given.
    pub(crate) context: *const c_void,
    /// Keeps the host beyond `destroy`; once for each `release`.
    pub(crate) retain: unsafe extern "C" fn(context: *const c_void),
    /// Lets a kept host go.
    pub(crate) release: unsafe extern "C" fn(context: *const c_void),
    /// How messages of a connection are to be written: an encoding, perhaps plus [`FOR_PYTHON`].
    pub(crate) encoding: unsafe extern "C" fn(context: *const c_void, connection: u32) -> u32,
    /// Starts a request or a call of an external target; the operation ends with the return arguments. By a publisher, publishes when there is
    /// room; the operation ends with nothing.
    pub(crate) request: unsafe extern "C" fn(context: *const c_void, message: *const Outgoing) -> *mut c_void,
    /// Publishes. [`READY`] or [`FAILED`].
    pub(crate) publish:
        unsafe extern "C" fn(context: *const c_void, message: *const Outgoing, out: Sink) -> u32,
    /// The clock that deadlines and `sleep` go by, in microseconds since any moment. It never goes back.
    pub(crate) now: unsafe extern "C" fn(context: *const c_void) -> u64,
    /// Starts to wait for that many microseconds.
    pub(crate) sleep: unsafe extern "C" fn(context: *const c_void, microseconds: u64) -> *mut c_void,
    /// Starts to wait until the service is to stop.
    pub(crate) stopping: unsafe extern "C" fn(context: *const c_void) -> *mut c_void,
    /// Asks the service to stop.
    pub(crate) stop: unsafe extern "C" fn(context: *const c_void),
    /// Goes on with an operation; from any one thread at a time.
    pub(crate) poll: Poll,
    /// Ends an operation.
    pub(crate) drop: Drop,
    /// Gives the host a future of the plugin's to poll on the service's thread until it ends. It must not care which thread it is dropped on.
    pub(crate) spawn:
        unsafe extern "C" fn(context: *const c_void, future: *mut c_void, poll: Poll, drop: Drop),
    /// The level of the least urgent record that is wanted; 0 for none.
    pub(crate) log_level: unsafe extern "C" fn(context: *const c_void) -> u32,
    /// Writes a record.
    pub(crate) log: unsafe extern "C" fn(context: *const c_void, record: *const Record),
}

impl Host {
    /// The size of the smallest table of this version, in bytes.
    pub(crate) const FIRST_SIZE: usize =
        offset_of!(Self, log) + size_of::<unsafe extern "C" fn(*const c_void, *const Record)>();
}

// As for plugins.
const _: () = assert!(size_of::<Host>() == Host::FIRST_SIZE, "a plugin copies whole tables of hosts");
