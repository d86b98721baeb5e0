//! The port of a publisher.

use std::marker::PhantomData;

use service_framework_core::declaration::{ConnectionKind, Run};
use service_framework_core::settings::SlowSubscriber;

use super::Port;
use super::settings::{Settings, common, for_peers, for_python, options, publishing};
use crate::{Declare, Model, Serve};

/// Publishes messages with `A`.
///
/// ```
/// # use service_framework::prelude::*;
/// # #[derive(Model)] struct Price { usd: Decimal }
/// const PRICES: Publisher<Price> = Publisher::new("prices").topic("BTC-USD");
/// ```
pub struct Publisher<A> {
    name: &'static str,
    settings: Settings,
    types: PhantomData<fn(A)>,
}

impl<A: Model> Publisher<A> {
    /// A publisher called `name` in the address book.
    pub const fn new(name: &'static str) -> Self {
        Self { name, settings: Settings::NONE, types: PhantomData }
    }

    /// Says what becomes of a publication when the queue of a subscriber is full; it is dropped for that subscriber if nobody says.
    #[must_use]
    pub const fn slow_subscriber(mut self, choice: SlowSubscriber) -> Self {
        self.settings.slow_subscriber = Some(choice);
        self
    }
}

common!(Publisher<A>);
publishing!(Publisher<A>);
for_peers!(Publisher<A>);

impl<A: Model> Port for Publisher<A> {
    fn declare<S: Serve>(&self, service: &mut Declare<S>) {
        service.add_port(self.settings.connection::<A, ()>(
            self.name,
            ConnectionKind::Publisher,
            Run::Inline,
        ));
    }
}
