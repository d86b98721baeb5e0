//! The table of C functions that a plugin exports.
#![expect(unsafe_code, reason = "takes the host's pointers")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::host::Host;
use super::{Guest, Pending, Started};
use crate::failure::{Failure, code};
use crate::plugin::lend::{bytes, lent_waker, lent_workflow_id, text};
use crate::plugin::numbers::{read_encoding, read_hook, read_target, read_time};
use crate::plugin::this_thread::{ThreadNumber, this_thread};
use crate::plugin::{Call, abi};
use crate::wire::{self, Encoding, Limits};

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

/// An instance, behind the pointer that the host has.
struct Instance<G: Guest> {
    /// The service's.
    thread: ThreadNumber,
    /// For the service's thread alone.
    guest: Arc<G>,
    /// For all threads.
    blocking: G::Blocking,
}

impl<G: Guest> Instance<G> {
    fn is_here(&self) -> bool {
        self.thread == this_thread()
    }
}

/// A future of a service, behind the pointer that the host has.
pub(super) struct Task<G>(Pending, std::marker::PhantomData<G>);

impl<G> Task<G> {
    /// Gives a future away, to be ended by [`drop_future`].
    pub(super) fn into_raw(pending: Pending) -> *mut c_void {
        let task: Box<Self> = Box::new(Self(pending, std::marker::PhantomData));
        Box::into_raw(task).cast()
    }
}

/// Runs what must not unwind into C, and says what a panic meant.
fn guarded<G: Guest, T>(step: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(|| G::watch(step))).unwrap_or_else(|payload| {
        // The author's own text may panic in its turn when it is dropped; nothing of it may cross.
        let message = catch_unwind(AssertUnwindSafe(|| G::panic_message(&*payload)));
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        let message = message.unwrap_or_else(|again| {
            std::mem::forget(again);
            "a panic".into()
        });
        Err(Failure::new(code::PANICKED, message))
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
        let hook = read_hook(hook).ok_or_else(|| Failure::msg(format!("there is no hook {hook}")))?;
        let output = G::setup(hook, wire::decode(input, Encoding::MessagePack, &Limits::default())?)?;
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
    if (size as usize) < abi::Host::FIRST_SIZE {
        let due = abi::Host::FIRST_SIZE;
        let failure =
            Failure::msg(format!("the host's table has {size} bytes, this plugin needs at least {due}"));
        // SAFETY: the host lends the sink for this call.
        return unsafe { finish(&Err::<Vec<u8>, _>(failure), out) };
    }
    // SAFETY: the host lends its table, which is large enough, and the config for this call.
    let (host, config) = unsafe { (Host::retained(&*host), bytes(config)) };
    let outcome = guarded::<G, _>(|| {
        let (guest, blocking) = G::create(host, config)?;
        Ok(Box::new(Instance { thread: this_thread(), guest, blocking }))
    });
    let outcome = outcome.map(|created| {
        // SAFETY: the host gives a place for the pointer.
        unsafe { *instance = Box::into_raw(created).cast() };
        []
    });
    // SAFETY: the host lends the sink for this call.
    unsafe { finish(&outcome, out) }
}

unsafe extern "C" fn destroy<G: Guest>(instance: *mut c_void) {
    // SAFETY: the pointer came from `create` of this table, and the host destroys an instance once.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<G>>()) };
    let may_end = instance.is_here() || G::MOVABLE.is_some();
    let Instance { guest, blocking, .. } = *instance;
    let guest = if may_end {
        Some(guest)
    } else {
        std::mem::forget(guest);
        None
    };
    // An author's `drop` may panic; there is nobody left to tell.
    _ = guarded::<G, _>(|| {
        G::end(guest, blocking);
        Ok(())
    });
}

unsafe extern "C" fn start<G: Guest>(
    instance: *mut c_void,
    call: *const abi::Call,
    future: *mut *mut c_void,
    out: abi::Sink,
) -> u32 {
    // SAFETY: the pointer came from `create`, and the instance is not destroyed before its calls have returned. Of what it has, other
    // threads than the service's use only the blocking handlers.
    let instance = unsafe { &*instance.cast::<Instance<G>>() };
    // SAFETY: the host lends the call until this function returns.
    let call = unsafe { read_call(&*call) };
    let started = guarded::<G, _>(|| {
        let call = call?;
        Ok(match instance.is_here() {
            true => instance.guest.start(&instance.blocking, call),
            false => Started::Ready(G::run(&instance.blocking, call)),
        })
    });
    match started.unwrap_or_else(|failure| Started::Ready(Err(failure))) {
        // SAFETY: the host lends the sink for this call.
        Started::Ready(outcome) => unsafe { finish(&outcome, out) },
        Started::Pending(pending) => {
            // SAFETY: the host gives a place for the pointer.
            unsafe { *future = Task::<G>::into_raw(pending) };
            abi::PENDING
        }
    }
}

/// # Safety
///
/// The slices of the call are valid for as long as the result is used.
unsafe fn read_call<'a>(call: &abi::Call) -> Result<Call<'a>, Failure> {
    let target =
        read_target(call.target).ok_or_else(|| Failure::msg("the host called a hook that there is not"))?;
    // SAFETY: passed on to the caller.
    let (args, topic) = unsafe { (bytes(call.args), text(call.topic)?) };
    // SAFETY: passed on to the caller.
    let workflow_id = unsafe { lent_workflow_id(call.workflow_id, call.workflow_is_uuid)? };
    let (encoding, peer) = read_encoding(call.encoding);
    Ok(Call { target, encoding, peer, args, workflow_id, topic, until: read_time(call.until_us) })
}

/// # Safety
///
/// The future came from [`Task::into_raw`]; the waker and the sink are lent for the call.
pub(super) unsafe extern "C" fn poll<G: Guest>(
    future: *mut c_void,
    waker: *const abi::Waker,
    out: abi::Sink,
) -> u32 {
    // SAFETY: the pointer came from `start` or `spawn`, and the host polls a future from one thread at a time.
    let Task(pending, _) = unsafe { &mut *future.cast::<Task<G>>() };
    // SAFETY: the host lends the waker for this call.
    let waker = unsafe { lent_waker(&*waker) };
    let polled = guarded::<G, _>(|| match pending.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Pending => Ok(None),
        Poll::Ready(outcome) => outcome.map(Some),
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

/// # Safety
///
/// The future came from [`Task::into_raw`], and is dropped once.
pub(super) unsafe extern "C" fn drop_future<G: Guest>(future: *mut c_void) {
    // SAFETY: the pointer came from `start` or `spawn`, and the host drops a future once.
    let task = unsafe { Box::from_raw(future.cast::<Task<G>>()) };
    _ = guarded::<G, _>(|| {
        drop(task);
        Ok(())
    });
}
