//! Messages that are handed on where they are read.

use std::rc::{Rc, Weak};

use crate::engine::{Frames, Receiver};

/// Messages go where they are delivered to for as long as this is there.
pub struct Delivery(Rc<dyn Receiver>);

impl Delivery {
    pub(crate) fn new(receive: impl Fn(Frames) + 'static) -> Self {
        Self(Rc::new(Receive(receive)))
    }

    pub(crate) fn receiver(&self) -> Weak<dyn Receiver> {
        Rc::downgrade(&self.0)
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}

struct Receive<F>(F);

impl<F: Fn(Frames)> Receiver for Receive<F> {
    fn receive(&self, frames: Frames) {
        (self.0)(frames);
    }
}
