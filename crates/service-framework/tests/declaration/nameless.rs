//! Services with a connection whose name is empty: only by hand can one be written.

use service_framework::prelude::*;

macro_rules! nameless {
    ($name:ident, |$service:ident| $declare:expr) => {
        pub(super) struct $name;

        impl Serve for $name {
            const NAME: &'static str = "nameless";
            const VERSION: &'static str = env!("CARGO_PKG_VERSION");

            type Config = Empty;

            fn new((): Empty) -> Result<Self> {
                Ok(Self)
            }

            fn declare($service: &mut Declare<Self>) {
                $declare;
            }
        }

        service_framework::link!($name);
    };
}

nameless!(Replyer, |service| service.replyer("").handle_inline(|_: &Self, _: Map, _: &Context| Ok(())));
nameless!(Port, |service| service.uses(&Requester::<Map, Map>::new("")));
