//! The port of a requester.

use std::marker::PhantomData;

use service_framework_core::declaration::{ConnectionKind, Run};

use super::Port;
use super::settings::{Settings, common, for_peers, for_python, options};
use crate::{Declare, Model, Serve};

/// Sends requests with `A` and waits for replies with `R`.
///
/// ```
/// # use service_framework::prelude::*;
/// # #[derive(Model)] struct Order { id: String }
/// const AUDIT: Requester<Order, Empty> = Requester::new("audit").deadline_s(2.0);
/// ```
pub struct Requester<A, R> {
    name: &'static str,
    settings: Settings,
    types: PhantomData<fn(A) -> R>,
}

impl<A: Model, R: Model> Requester<A, R> {
    /// A requester called `name` in the address book.
    pub const fn new(name: &'static str) -> Self {
        Self { name, settings: Settings::NONE, types: PhantomData }
    }

    /// Waits at most that many seconds for each reply; 5 if nobody says.
    #[must_use]
    pub const fn deadline_s(mut self, seconds: f64) -> Self {
        self.settings.deadline_s = Some(seconds);
        self
    }

    /// Says that a request may be done twice: one that was sent when its peer was lost is then sent once more, within its deadline and a budget.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.settings.idempotent = true;
        self
    }
}

common!(Requester<A, R>);
for_peers!(Requester<A, R>);

impl<A: Model, R: Model> Port for Requester<A, R> {
    fn declare<S: Serve>(&self, service: &mut Declare<S>) {
        service.add_port(self.settings.connection::<A, R>(self.name, ConnectionKind::Requester, Run::Inline));
    }
}
