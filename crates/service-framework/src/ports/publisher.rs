//! The port of a publisher.

use std::marker::PhantomData;

use service_framework_core::declaration::{ConnectionKind, Run};
use service_framework_core::settings::SlowSubscriber;

use super::Port;
use super::settings::{Settings, common, for_peers};
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

    /// Publishes under a topic.
    #[must_use]
    pub const fn topic(mut self, topic: &'static str) -> Self {
        self.settings.topic = Some(topic);
        self
    }

    /// Connects, to a proxy or to subscribers that bind, instead of binding.
    #[must_use]
    pub const fn x_pub(mut self) -> Self {
        self.settings.is_x_pub = true;
        self
    }

    /// Waits that many seconds after the socket is open, so that subscribers may find it; 0.15 if nobody says.
    #[must_use]
    pub const fn wait_after_creation_s(mut self, seconds: f64) -> Self {
        self.settings.wait_after_creation_s = Some(seconds);
        self
    }

    /// Ends that wait when so many have subscribed; 1 if nobody says, and 0 for none.
    #[must_use]
    pub const fn wait_for_subscribers(mut self, count: u32) -> Self {
        self.settings.wait_for_subscribers = Some(count);
        self
    }

    /// Says what becomes of a publication when the queue of a subscriber is full; it is dropped for that subscriber if nobody says.
    #[must_use]
    pub const fn slow_subscriber(mut self, choice: SlowSubscriber) -> Self {
        self.settings.slow_subscriber = Some(choice);
        self
    }
}

common!(Publisher<A>);
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
