//! Makes a libzmq publisher wait for a slow subscriber instead of dropping messages.
#![expect(unsafe_code, reason = "the zmq crate has no name for ZMQ_XPUB_NODROP")]

use std::ffi::c_int;

/// Sets `ZMQ_XPUB_NODROP`.
///
/// # Errors
///
/// When libzmq refuses it, as for a socket that publishes nothing.
pub(crate) fn set(publisher: &mut zmq::Socket) -> std::io::Result<()> {
    let yes: c_int = 1;
    // SAFETY: the socket is open as long as it is borrowed, and libzmq reads one int from where `yes` is.
    let refused = unsafe {
        zmq_sys::zmq_setsockopt(
            publisher.as_mut_ptr(),
            zmq_sys::ZMQ_XPUB_NODROP as c_int,
            std::ptr::from_ref(&yes).cast(),
            size_of::<c_int>(),
        )
    };
    if refused == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}
