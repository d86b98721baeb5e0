//! A service that runs: calls of its handlers, and what of them waits.
#![expect(unsafe_code, reason = "calls the functions of a plugin")]

use std::ffi::c_void;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::declaration::{Declaration, Run};
use crate::failure::Failure;
use crate::plugin::lend::{lend_host_waker, optional, sink, slice, workflow_id};
use crate::plugin::numbers::{write_encoding, write_target, write_time};
use crate::plugin::this_thread::{ThreadNumber, this_thread};
use crate::plugin::{Call, Target, abi};
use crate::wire::{self, Encoding, Limits};

/// A running service. It stays on the thread that made it.
#[derive(Debug)]
pub struct Instance(Arc<Pointer>, PhantomData<*const ()>);

/// The instance as the table knows it; destroyed with the last reference.
#[derive(Debug)]
struct Pointer {
    pointer: *mut c_void,
    table: &'static abi::Plugin,
    /// What other threads may start.
    blocking: Vec<Target>,
}

// SAFETY: blocking handlers are called from any thread, and an instance ends on any, as `abi::Plugin` says; other calls are kept to the service's thread by the types
// that hold this.
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
    /// # Safety
    ///
    /// `create` of the table has given the pointer on this thread, and nothing else destroys it.
    pub(super) unsafe fn from_raw(
        pointer: *mut c_void,
        table: &'static abi::Plugin,
        declaration: &Declaration,
    ) -> Self {
        let numbers = 0..declaration.connections.len() + declaration.states.len();
        let handlers =
            numbers.filter_map(|number| Some((Target::Connection(number as u32), declaration.run(number)?)));
        let hooks = declaration.hooks.iter().map(|(hook, run)| (Target::Hook(*hook), *run));
        let blocking = handlers.chain(hooks).filter(|(_, run)| *run == Run::Blocking);
        let blocking = blocking.map(|(target, _)| target).collect();
        Self(Arc::new(Pointer { pointer, table, blocking }), PhantomData)
    }

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
    /// What the handler says; also if it was not declared blocking, or wants to be polled, which a blocking one never does.
    pub fn run(&self, call: &Call<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        if !self.0.blocking.contains(&call.target) {
            return Err(not_blocking(call.target));
        }
        match start(&self.0, call, out) {
            Started::Ready(outcome) => outcome,
            Started::Pending(_) => {
                Err(Failure::msg("a handler that was declared blocking waits like an async one"))
            }
        }
    }
}

/// Why a handler does not run on another thread than the service's.
fn not_blocking(target: Target) -> Failure {
    Failure::msg(format!("{target:?} was not declared blocking, and runs on the service's thread alone"))
}

fn start(instance: &Arc<Pointer>, call: &Call<'_>, out: &mut Vec<u8>) -> Started {
    let (workflow_id, workflow_is_uuid) = workflow_id(call.workflow_id.as_ref());
    let raw = abi::Call {
        target: write_target(call.target),
        encoding: write_encoding(call.encoding, call.peer),
        args: slice(call.args),
        workflow_id,
        workflow_is_uuid,
        topic: optional(call.topic),
        until_us: write_time(call.until),
    };
    let before = out.len();
    let mut future = std::ptr::null_mut();
    // SAFETY: the instance lives; call, place and sink are lent for the call.
    let status =
        unsafe { (instance.table.start)(instance.pointer, &raw const raw, &raw mut future, sink(out)) };
    match status {
        abi::READY => Started::Ready(Ok(())),
        abi::PENDING if future.is_null() => {
            out.truncate(before);
            let text = "the plugin says that its handler goes on, and gives no future";
            Started::Ready(Err(Failure::msg(text)))
        }
        abi::PENDING => {
            out.truncate(before);
            let future = Task::new(future, instance.table.poll, instance.table.drop);
            Started::Pending(Pending { future, _instance: Some(Arc::clone(instance)), _thread: PhantomData })
        }
        other => Started::Ready(outcome(other, out.split_off(before)).map(|_| ())),
    }
}

/// What a function of the plugin's led to, by its status and what it wrote.
pub(super) fn outcome(status: u32, out: Vec<u8>) -> Result<Vec<u8>, Failure> {
    match status {
        abi::READY => Ok(out),
        abi::FAILED => Err(wire::decode(&out, Encoding::MessagePack, &Limits::default())
            .unwrap_or_else(|_| Failure::msg("the plugin failed without a reason"))),
        other => Err(Failure::msg(format!("the plugin gave the status {other}, which there is not"))),
    }
}

/// A future of a plugin; dropped once.
#[derive(Debug)]
struct Task {
    pointer: *mut c_void,
    poll: abi::Poll,
    drop: abi::Drop,
    is_over: bool,
}

impl Task {
    fn new(pointer: *mut c_void, poll: abi::Poll, drop: abi::Drop) -> Self {
        Self { pointer, poll, drop, is_over: false }
    }

    /// Goes on, appending return arguments to `out`.
    fn poll(&mut self, context: &Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Failure>> {
        if self.is_over {
            return Poll::Ready(Err(Failure::msg("it has ended already")));
        }
        let before = out.len();
        let waker = lend_host_waker(context.waker());
        // SAFETY: the future has not ended, is not dropped yet and is borrowed mutably; waker and sink are lent for the call.
        let status = unsafe { (self.poll)(self.pointer, &raw const waker, sink(out)) };
        if status == abi::PENDING {
            out.truncate(before);
            return Poll::Pending;
        }
        self.is_over = true;
        Poll::Ready(match status {
            abi::READY => Ok(()),
            other => outcome(other, out.split_off(before)).map(|_| ()),
        })
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
    /// Goes on. Return arguments are appended to `out`. After it is ready it is only to be dropped; polled again, it fails.
    pub fn poll(&mut self, context: &Context<'_>, out: &mut Vec<u8>) -> Poll<Result<(), Failure>> {
        self.future.poll(context, out)
    }
}

/// Background work that a service gave to its host. It goes to the service's thread and is polled there until it ends; polled elsewhere, it fails. It may be dropped
/// on any thread.
#[derive(Debug)]
pub struct Spawned {
    future: Task,
    /// The service's.
    thread: ThreadNumber,
}

impl Spawned {
    /// # Safety
    ///
    /// The functions fit the pointer, and nothing else drops it.
    pub(super) unsafe fn from_raw(
        pointer: *mut c_void,
        poll: abi::Poll,
        drop: abi::Drop,
        thread: ThreadNumber,
    ) -> Self {
        Self { future: Task::new(pointer, poll, drop), thread }
    }
}

// SAFETY: a spawned future is polled on the service's thread alone, which `poll` sees to; it does not care which thread it is dropped on, as `abi::Host` says.
unsafe impl Send for Spawned {}

impl Future for Spawned {
    type Output = Result<(), Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.thread != this_thread() {
            let text = "background work is polled on the service's thread alone";
            return Poll::Ready(Err(Failure::msg(text)));
        }
        self.future.poll(context, &mut Vec::new())
    }
}
