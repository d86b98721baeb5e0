//! Messages that a test hands to a service, and exchanges that go on.

use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use service_framework_core::declaration::ConnectionKind;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::workflow::WorkflowId;

use super::arrival::Incoming;
use super::driver::Driver;
use super::setup;
use crate::{Error, Model, Result};

/// A message that a test hands to a service.
///
/// ```
/// # use service_framework::prelude::*;
/// # struct Service;
/// # impl Serve for Service {
/// #     const NAME: &'static str = "service";
/// #     type Config = Empty;
/// #     fn new(_: Empty) -> Result<Self> { Ok(Self) }
/// #     fn declare(service: &mut Declare<Self>) {
/// #         service.replyer("id").handle_inline(|_: &Self, _: Empty, cx: &Context| Ok(Value::from(cx.workflow_id())));
/// #     }
/// # }
/// # export!(Service);
/// # fn main() -> Result<()> {
/// let harness = Harness::<Service>::new(())?;
/// let id: Value = harness.message("id", &()).workflow_id("order-7").deadline(Duration::from_secs(2)).request()?;
/// assert_eq!(id.as_text(), Some("order-7"));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before it is started"]
pub struct Message<'h, A> {
    driver: &'h Rc<Driver>,
    connection: &'h str,
    args: &'h A,
    encoding: Encoding,
    workflow_id: WorkflowId<'static>,
    topic: Option<String>,
    deadline: Option<Duration>,
}

impl<A> std::fmt::Debug for Message<'_, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Message").field(&self.connection).finish()
    }
}

impl<'h, A: Model> Message<'h, A> {
    pub(super) fn new(driver: &'h Rc<Driver>, connection: &'h str, args: &'h A) -> Self {
        let (encoding, workflow_id) = (Encoding::MessagePack, WorkflowId::new());
        Self { driver, connection, args, encoding, workflow_id, topic: None, deadline: None }
    }

    /// Makes it part of a workflow; else it starts one.
    pub fn workflow_id(mut self, id: &str) -> Self {
        self.workflow_id = WorkflowId::text(id.to_owned());
        self
    }

    /// Gives it a topic; else it has that of its connection, if any.
    pub fn topic(mut self, topic: &str) -> Self {
        self.topic = Some(topic.to_owned());
        self
    }

    /// Waits that long at most, by the service's time; else for as long as it takes.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Writes it as JSON; else it is MessagePack.
    pub fn json(mut self) -> Self {
        self.encoding = Encoding::Json;
        self
    }

    /// Sends it as a request, and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`Harness::request`](super::Harness::request).
    pub fn request<R: Model>(self) -> Result<R> {
        self.send(Some(ConnectionKind::Replyer))?.wait()
    }

    /// Sends it as a publication, and waits until its handler is done.
    ///
    /// # Errors
    ///
    /// As [`Harness::publish`](super::Harness::publish).
    pub fn publish(self) -> Result<()> {
        self.send(Some(ConnectionKind::Subscriber))?.wait()
    }

    /// Sends it, and lets its handler run as far as it goes without waiting.
    ///
    /// # Errors
    ///
    /// As [`Harness::start`](super::Harness::start).
    pub fn start<R: Model>(self) -> Result<Pending<R>> {
        self.send(None)
    }

    fn send<R: Model>(self, kind: Option<ConnectionKind>) -> Result<Pending<R>> {
        let number = setup::incoming(self.driver.declaration(), self.connection, kind)?;
        let args = wire::encode(self.args, self.encoding)?;
        let incoming = Incoming {
            args,
            encoding: self.encoding,
            workflow_id: self.workflow_id,
            topic: self.topic,
            deadline: self.deadline,
        };
        Ok(Pending::new(self.driver, self.driver.deliver(number, incoming)?))
    }
}

/// An exchange that goes on whenever the harness does, waited for or not.
pub struct Pending<R> {
    driver: Rc<Driver>,
    call: u64,
    returns: PhantomData<fn() -> R>,
}

impl<R> std::fmt::Debug for Pending<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pending").field(&self.call).finish()
    }
}

impl<R: Model> Pending<R> {
    pub(super) fn new(driver: &Rc<Driver>, call: u64) -> Self {
        Self { driver: Rc::clone(driver), call, returns: PhantomData }
    }

    /// Whether it has ended; nothing goes on because of the question.
    pub fn is_done(&self) -> bool {
        self.driver.has_ended(self.call)
    }

    /// Waits for the outcome.
    ///
    /// # Errors
    ///
    /// As [`Harness::request`](super::Harness::request).
    pub fn wait(self) -> Result<R> {
        let returned = self.driver.wait(self.call)?;
        wire::decode(&returned, Encoding::of(&returned), &Limits::default()).map_err(|fault| {
            Error::new("bad_return", format!("not what the test expects: {}", fault.within("return_args")))
        })
    }
}

impl<R> Drop for Pending<R> {
    fn drop(&mut self) {
        self.driver.forget(self.call);
    }
}
