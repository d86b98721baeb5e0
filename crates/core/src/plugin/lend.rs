//! What the two halves of the boundary lend each other: bytes, sinks that take bytes, and wakers.
#![expect(unsafe_code, reason = "what both halves of the plugin boundary do alike")]

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::abi;
use crate::failure::Failure;
use crate::wire::text::utf8;
use crate::workflow::WorkflowId;

/// Lends bytes.
pub(super) fn slice(bytes: &[u8]) -> abi::Slice {
    abi::Slice { bytes: bytes.as_ptr(), len: bytes.len() }
}

/// Lends a text; none is a null slice.
pub(super) fn optional(text: Option<&str>) -> abi::Slice {
    text.map_or(abi::Slice { bytes: std::ptr::null(), len: 0 }, |text| slice(text.as_bytes()))
}

/// A sink that appends to `out`, which is borrowed for as long as the sink is used.
pub(super) fn sink(out: &mut Vec<u8>) -> abi::Sink {
    unsafe extern "C" fn write(context: *mut c_void, bytes: *const u8, len: usize) {
        if len > 0 {
            // SAFETY: the context is the vector that the sink was made from, and the writer gives that many bytes.
            let (out, bytes) =
                unsafe { (&mut *context.cast::<Vec<u8>>(), std::slice::from_raw_parts(bytes, len)) };
            match out.capacity() {
                // To make room for all at once takes a fraction of growing.
                0 => *out = bytes.to_vec(),
                _ => out.extend_from_slice(bytes),
            }
        }
    }
    abi::Sink { context: std::ptr::from_mut(out).cast(), write }
}

/// The bytes of a slice.
///
/// # Safety
///
/// The slice is valid for as long as the result is used.
pub(super) unsafe fn bytes<'a>(slice: abi::Slice) -> &'a [u8] {
    if slice.bytes.is_null() {
        return &[];
    }
    // SAFETY: a slice that is not null has that many bytes, for as long as the caller says.
    unsafe { std::slice::from_raw_parts(slice.bytes, slice.len) }
}

/// The text of a slice, or `None` for a null one.
///
/// # Safety
///
/// As for [`bytes`].
pub(super) unsafe fn text<'a>(slice: abi::Slice) -> Result<Option<&'a str>, Failure> {
    if slice.bytes.is_null() {
        return Ok(None);
    }
    // SAFETY: passed on to the caller.
    let bytes = unsafe { bytes(slice) };
    utf8(bytes).map(Some).ok_or_else(not_text)
}

/// Lends a workflow id, and whether it is a UUID on the wire; none is a null slice.
pub(super) fn workflow_id(id: Option<&WorkflowId<'_>>) -> (abi::Slice, u32) {
    match id {
        Some(id) => (slice(id.as_bytes()), id.is_uuid().into()),
        None => (optional(None), 0),
    }
}

/// The workflow id of a slice, or `None` for a null one. Nobody takes the other side's word for it that it is a UUID.
///
/// # Safety
///
/// As for [`bytes`].
pub(super) unsafe fn lent_workflow_id<'a>(
    slice: abi::Slice,
    is_uuid: u32,
) -> Result<Option<WorkflowId<'a>>, Failure> {
    if slice.bytes.is_null() {
        return Ok(None);
    }
    // SAFETY: passed on to the caller.
    let bytes = unsafe { bytes(slice) };
    WorkflowId::claimed(bytes, is_uuid == 1).map(Some).ok_or_else(not_text)
}

fn not_text() -> Failure {
    Failure::msg("a text that crossed the plugin boundary is not UTF-8")
}

/// Runs a step of somebody else's, of which nothing may unwind into the other side of the boundary.
pub(super) fn contained<T>(step: impl FnOnce() -> T) -> Option<T> {
    // What a panic carries may panic in its turn when it is dropped.
    catch_unwind(AssertUnwindSafe(step)).map_err(std::mem::forget).ok()
}

/// A waker of Rust's for the other side of the boundary, lent for as long as `waker` is.
///
/// One that is the other side's own goes back as it came, so that what a handler waits for wakes the handler's caller without a detour.
pub(super) fn lend_waker(waker: &Waker) -> abi::Waker {
    lend(waker, clone_own)
}

/// The same for a waker of the host's, which [`lent_host_waker`] knows again.
pub(super) fn lend_host_waker(waker: &Waker) -> abi::Waker {
    lend(waker, clone_of_host)
}

fn lend(waker: &Waker, clone: Clone) -> abi::Waker {
    if [&LENT, &OWNED].into_iter().any(|table| std::ptr::eq(waker.vtable(), table)) {
        // SAFETY: the data of a waker with one of these tables is a pointer to a waker of the other side's.
        return unsafe { *waker.data().cast::<abi::Waker>() };
    }
    abi::Waker { data: std::ptr::from_ref(waker).cast(), clone, wake: wake_own, drop: drop_own }
}

type Clone = unsafe extern "C" fn(*const c_void) -> *const c_void;

/// # Safety
///
/// `data` is lent by [`lend`], or came from here.
unsafe extern "C" fn clone_own(data: *const c_void) -> *const c_void {
    // SAFETY: the data of a lent waker and of a clone is a pointer to a waker.
    let waker = unsafe { &*data.cast::<Waker>() };
    let clone = contained(|| waker.clone()).unwrap_or_else(|| Waker::noop().clone());
    Box::into_raw(Box::new(clone)).cast_const().cast()
}

/// By this function a host knows its own wakers, also where a plugin is part of the same program: it does what no other does, so
/// that it is never one with another. A panic is not to be feared of a waker that a runtime makes.
///
/// # Safety
///
/// As for [`clone_own`].
unsafe extern "C" fn clone_of_host(data: *const c_void) -> *const c_void {
    // SAFETY: as in `clone_own`.
    let waker = unsafe { &*data.cast::<Waker>() };
    Box::into_raw(Box::new(waker.clone())).cast_const().cast()
}

/// # Safety
///
/// `data` is lent by [`lend`], or came from one of the two above.
unsafe extern "C" fn wake_own(data: *const c_void) {
    // SAFETY: as in `clone_own`.
    let waker = unsafe { &*data.cast::<Waker>() };
    contained(|| waker.wake_by_ref());
}

/// # Safety
///
/// `data` came from [`clone_own`] or [`clone_of_host`], and is dropped once.
unsafe extern "C" fn drop_own(data: *const c_void) {
    // SAFETY: the box was made in `clone_own`.
    let waker = unsafe { Box::from_raw(data.cast::<Waker>().cast_mut()) };
    contained(|| drop(waker));
}

/// A waker that is lent and not to be dropped.
pub(super) struct Lent(ManuallyDrop<Waker>);

impl Deref for Lent {
    type Target = Waker;

    fn deref(&self) -> &Waker {
        &self.0
    }
}

/// A waker of the other side's as one of Rust's.
///
/// # Safety
///
/// The waker is valid for as long as the result is used.
pub(super) unsafe fn lent_waker(waker: &abi::Waker) -> Lent {
    // SAFETY: the table turns a lent waker into an owned one when it is cloned, and this one is never dropped.
    Lent(ManuallyDrop::new(unsafe { Waker::new(std::ptr::from_ref(waker).cast(), &LENT) }))
}

/// The same for a host, which gets its own waker back as it was.
///
/// # Safety
///
/// As for [`lent_waker`].
pub(super) unsafe fn lent_host_waker(waker: &abi::Waker) -> Lent {
    if std::ptr::fn_addr_eq(waker.clone, clone_of_host as Clone) {
        // SAFETY: the host lent it, to whom its data is a pointer to a waker; the copy is never dropped.
        return Lent(ManuallyDrop::new(unsafe { std::ptr::read(waker.data.cast::<Waker>()) }));
    }
    // SAFETY: passed on to the caller.
    unsafe { lent_waker(waker) }
}

/// The data is a pointer to the host's waker.
static LENT: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: a lent waker is valid while it is used.
        let waker = unsafe { *data.cast::<abi::Waker>() };
        // SAFETY: the functions of a waker are valid for its data.
        let data = unsafe { (waker.clone)(waker.data) };
        RawWaker::new(Box::into_raw(Box::new(abi::Waker { data, ..waker })).cast(), &OWNED)
    },
    wake,
    wake,
    |_| (),
);

/// The data is a box with a waker that was cloned.
static OWNED: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: the box lives until the waker is dropped.
        let waker = unsafe { *data.cast::<abi::Waker>() };
        // SAFETY: the functions of a waker are valid for its data.
        let data = unsafe { (waker.clone)(waker.data) };
        RawWaker::new(Box::into_raw(Box::new(abi::Waker { data, ..waker })).cast(), &OWNED)
    },
    |data| {
        wake(data);
        end(data);
    },
    wake,
    end,
);

fn wake(data: *const ()) {
    // SAFETY: both tables keep a waker of the host's behind their data.
    let waker = unsafe { *data.cast::<abi::Waker>() };
    // SAFETY: the functions of a waker are valid for its data.
    unsafe { (waker.wake)(waker.data) };
}

fn end(data: *const ()) {
    // SAFETY: the box was made when the waker was cloned, and a waker is dropped once.
    let waker = unsafe { Box::from_raw(data.cast::<abi::Waker>().cast_mut()) };
    // SAFETY: the clone that the box held is ended here.
    unsafe { (waker.drop)(waker.data) };
}
