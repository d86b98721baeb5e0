//! Has more sockets than some limits allow.

use service_framework::prelude::*;

/// How many there are.
pub const COUNT: usize = 100;

/// A service with many connections.
#[derive(Debug)]
pub struct Crowd;

impl Serve for Crowd {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        for number in 0..COUNT {
            service.replyer(&format!("one_{number}")).handle_inline(|_: &Self, _: Empty, _: &Context| Ok(()));
        }
    }
}

export!(Crowd);
