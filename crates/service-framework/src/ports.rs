//! The typed names by which handlers use outgoing connections.

use std::marker::PhantomData;
use std::pin::Pin;

use service_framework_core::declaration::{ConnectionKind, ConnectionModel, Run};
use service_framework_core::model;
use service_framework_core::settings::SlowSubscriber;

use crate::{Declare, Map, Model, Result, Serve, Value};

/// An outgoing connection that a service declares with `uses(..)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no port",
    label = "`uses(..)` takes ports",
    note = "a port is a constant, as in `const AUDIT: Requester<Cancelled, Empty> = Requester::new(\"audit\");`, or a `Publisher` or `ExternalTarget`"
)]
pub trait Port {
    /// Adds the connection to what a service declares.
    fn declare<S: Serve>(&self, service: &mut Declare<S>);
}

/// What an author may set for a port. The address book of whoever runs the service wins over it.
#[derive(Clone, Copy, Debug, Default)]
struct Settings {
    doc: &'static str,
    deadline_s: Option<f64>,
    topic: Option<&'static str>,
    is_x_pub: bool,
    idempotent: bool,
    wait_after_creation_s: Option<f64>,
    wait_for_subscribers: Option<u32>,
    slow_subscriber: Option<SlowSubscriber>,
    python: bool,
    json: bool,
}

impl Settings {
    const NONE: Self = Self {
        doc: "",
        deadline_s: None,
        topic: None,
        is_x_pub: false,
        idempotent: false,
        wait_after_creation_s: None,
        wait_for_subscribers: None,
        slow_subscriber: None,
        python: false,
        json: false,
    };

    fn model<A: Model, R: Model>(&self, name: &str, kind: ConnectionKind, run: Run) -> ConnectionModel {
        let flag = |is_set: bool, value: &'static str| is_set.then(|| Value::from(value));
        let settings = [
            ("deadline_s", self.deadline_s.map(Value::from)),
            ("topic", self.topic.map(Value::from)),
            ("is_x_pub", self.is_x_pub.then(|| Value::from(true))),
            ("idempotent", self.idempotent.then(|| Value::from(true))),
            ("wait_after_creation_s", self.wait_after_creation_s.map(Value::from)),
            ("wait_for_subscribers", self.wait_for_subscribers.map(Value::from)),
            ("slow_subscriber", self.slow_subscriber.map(|choice| Value::from(choice.name()))),
            ("peer", flag(self.python, "python")),
            ("encoding", flag(self.json, "json")),
        ];
        ConnectionModel {
            name: name.to_owned(),
            doc: self.doc.to_owned(),
            kind,
            args: model::describe::<A>(),
            returns: model::describe::<R>(),
            run,
            exclusive: false,
            settings: settings.into_iter().filter_map(|(key, value)| Some((key, value?))).collect::<Map>(),
        }
    }
}

macro_rules! common {
    ($type:ident<$($param:ident),+>) => {
        impl<$($param),+> $type<$($param),+> {
            /// Says what the connection is for, in exported models.
            #[must_use]
            pub const fn doc(mut self, doc: &'static str) -> Self {
                self.settings.doc = doc;
                self
            }

            /// The name that addresses, counters and errors call it by.
            pub const fn name(&self) -> &'static str {
                self.name
            }
        }

        impl<$($param),+> std::fmt::Debug for $type<$($param),+> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($type)).field(&self.name).finish()
            }
        }
    };
}

macro_rules! for_peers {
    ($type:ident<$($param:ident),+>) => {
        impl<$($param),+> $type<$($param),+> {
            /// Sends only what the Python original understands.
            #[must_use]
            pub const fn python(mut self) -> Self {
                self.settings.python = true;
                self
            }

            /// Sends JSON instead of MessagePack.
            #[must_use]
            pub const fn json(mut self) -> Self {
                self.settings.json = true;
                self
            }
        }
    };
}

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
        service.add_port(self.settings.model::<A, R>(self.name, ConnectionKind::Requester, Run::Inline));
    }
}

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
        service.add_port(self.settings.model::<A, ()>(self.name, ConnectionKind::Publisher, Run::Inline));
    }
}

/// The future of an external target.
pub type TargetFuture<R> = Pin<Box<dyn Future<Output = Result<R>>>>;

/// Calls a function of the service's own that deals with the world outside, such as an exchange or a file.
///
/// Arguments and return are checked against their models, the call has a deadline, a counter and a log line, and a test can replace the function.
///
/// ```
/// # use service_framework::prelude::*;
/// # #[derive(Model)] struct Line { text: String }
/// const LOG: ExternalTarget<Line, Empty> = ExternalTarget::new("append_to_file", append);
///
/// fn append(line: Line) -> Result<()> {
///     println!("{}", line.text);
///     Ok(())
/// }
/// ```
pub struct ExternalTarget<A, R> {
    name: &'static str,
    settings: Settings,
    pub(crate) function: Function<A, R>,
}

pub(crate) enum Function<A, R> {
    Blocking(fn(A) -> Result<R>),
    Async(fn(A) -> TargetFuture<R>),
}

impl<A, R> Clone for Function<A, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, R> Copy for Function<A, R> {}

impl<A: Model, R: Model> ExternalTarget<A, R> {
    /// A target whose function may block; it runs on a thread of a pool.
    ///
    /// If it goes on when the service has stopped without it, the service is dropped on its thread when it returns; one that is not `Send` is then not dropped at all.
    pub const fn new(name: &'static str, function: fn(A) -> Result<R>) -> Self {
        Self { name, settings: Settings::NONE, function: Function::Blocking(function) }
    }

    /// A target whose function waits without blocking: `ExternalTarget::new_async("cancel", |args| Box::pin(cancel(args)))`.
    pub const fn new_async(name: &'static str, function: fn(A) -> TargetFuture<R>) -> Self {
        Self { name, settings: Settings::NONE, function: Function::Async(function) }
    }

    /// Waits at most that many seconds for each call.
    #[must_use]
    pub const fn deadline_s(mut self, seconds: f64) -> Self {
        self.settings.deadline_s = Some(seconds);
        self
    }
}

common!(ExternalTarget<A, R>);

impl<A: Model + 'static, R: Model + 'static> Port for ExternalTarget<A, R> {
    fn declare<S: Serve>(&self, service: &mut Declare<S>) {
        let run = match self.function {
            Function::Blocking(_) => Run::Blocking,
            Function::Async(_) => Run::Async,
        };
        let model = self.settings.model::<A, R>(self.name, ConnectionKind::ExternalTarget, run);
        service.add_target(model, self.function);
    }
}
