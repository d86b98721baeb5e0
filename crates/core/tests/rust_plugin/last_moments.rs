//! It is called by a thread that has let go of everything it kept, as a thread does right before it is gone.

use std::ffi::c_void;
use std::sync::Arc;

use service_framework_core::declaration::Hook;
use service_framework_core::plugin::host::{BlockingInstance, Plugin};
use service_framework_core::plugin::{Call, Target};
use service_framework_core::wire::{Encoding, Peer};

use crate::homebody::{Homebody, Listener};

/// What a thread keeps by the means of the system, which lets go of it later than the standard library of its own.
struct Kept {
    key: libc::pthread_key_t,
    /// How often the system has come to it.
    rounds: u32,
    instance: BlockingInstance,
    listener: Arc<Listener>,
}

unsafe extern "C" fn let_go(kept: *mut c_void) {
    // SAFETY: it is what `keep` gave, and is freed below, once.
    let mut kept = unsafe { Box::from_raw(kept.cast::<Kept>()) };
    kept.rounds += 1;
    // The system comes again for what is kept again; the standard library is content with the second round.
    if kept.rounds < 4 {
        keep(kept);
        return;
    }
    let call = Call {
        target: Target::Hook(Hook::Main),
        encoding: Encoding::MessagePack,
        peer: Peer::Any,
        args: &[],
        workflow_id: None,
        topic: None,
        until: None,
    };
    let mut out = Vec::new();
    match kept.instance.run(&call, &mut out) {
        Ok(()) => kept.listener.hear(&String::from_utf8_lossy(&out)),
        Err(failure) => kept.listener.hear(&failure.to_string()),
    }
    drop(kept);
}

fn keep(kept: Box<Kept>) {
    let key = kept.key;
    // SAFETY: the key is one, and `let_go` takes the box back.
    let done = unsafe { libc::pthread_setspecific(key, Box::into_raw(kept).cast()) };
    assert_eq!(done, 0);
}

#[test]
fn a_thread_that_keeps_nothing_any_more_is_not_the_services() {
    let plugin = Plugin::of::<Homebody>();
    let declaration = plugin.describe().unwrap();
    let listener = Arc::new(Listener::default());
    let instance = plugin.create(&declaration, listener.clone(), &[0x80]).unwrap();
    let blocking = instance.for_blocking();
    drop(instance);
    let heard = Arc::clone(&listener);
    let thread = std::thread::spawn(move || {
        let mut key = 0;
        // SAFETY: the function takes what is kept with the key.
        assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(let_go)) }, 0);
        keep(Box::new(Kept { key, rounds: 0, instance: blocking, listener }));
    });
    thread.join().unwrap();
    assert_eq!(heard.heard(), ["elsewhere", "left where it is"]);
}
