//! Tests a service without sockets: a second host, beside the runtime, that drives it through the same table of C functions.

mod arrival;
mod call;
mod clock;
mod driver;
mod host;
mod message;
mod operation;
mod ports;
mod setup;
mod states;
mod stuck;
mod threads;
mod turn;
mod world;

use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use service_framework_core::declaration::{ConnectionKind, Hook};

pub use message::{Message, Pending};
pub use ports::Sent;
use service_framework_core::plugin::host::{Linked, Plugin};

pub use service_framework_core::plugin::Level;
pub(crate) use threads::Watch;
pub use world::Log;

use crate::{Exported, ExternalTarget, Map, Model, Publisher, Requester, Result, Value};
use driver::Driver;
use ports::Answer;

/// A service under test, with nothing around it but this.
///
/// Requests and publications are handed to its handlers by name. What it sends is recorded, its requests are answered by closures of the test, and its external
/// targets run for real until the test [replaces](Self::replace) them. All of it happens while a method of the harness runs, on the thread of the test; blocking handlers
/// get threads.
///
/// **Time** is virtual: whenever nothing else can go on, it jumps to what ends next, so that a handler that sleeps for an hour takes no time, and the order is always
/// the same. A service exported with `export!(.., tokio)` has clocks of its own, and so has real time here, as after [`use_real_time`](Self::use_real_time).
///
/// **Nothing hangs.** A handler that waits for what will never come gives an error that says for what. What goes on outside of the harness's sight, such as a blocking handler that computes,
/// is given 30 s ([`set_patience`](Self::set_patience)).
///
/// **`init`** runs before the first thing that the test asks for, so that answers can be given before; or when [`init`](Self::init) is called.
///
/// ```
/// use service_framework::prelude::*;
///
/// #[derive(Model, Debug, PartialEq)]
/// struct Order { id: String }
///
/// const AUDIT: Requester<Order, Empty> = Requester::new("audit");
///
/// struct Gateway;
///
/// impl Serve for Gateway {
///     const NAME: &'static str = "gateway";
///     type Config = Empty;
///     fn new(_: Empty) -> Result<Self> {
///         Ok(Self)
///     }
///     fn declare(service: &mut Declare<Self>) {
///         service.uses(&AUDIT);
///         service.replyer("cancel").handle(Self::cancel);
///     }
/// }
///
/// impl Gateway {
///     async fn cancel(&self, order: Order, cx: &Context) -> Result<()> {
///         cx.sleep(Duration::from_secs(3600)).await;
///         cx.request(&AUDIT, &order).await
///     }
/// }
///
/// export!(Gateway);
///
/// # fn main() -> Result<()> {
/// let harness = Harness::<Gateway>::new(())?;
/// harness.answer(&AUDIT, |_| Ok(()));
/// let () = harness.request("cancel", &Order { id: "7".into() })?;
/// assert_eq!(harness.requests(&AUDIT), [Order { id: "7".into() }]);
/// # Ok(())
/// # }
/// ```
pub struct Harness<S> {
    driver: Rc<Driver>,
    service: PhantomData<fn() -> S>,
}

impl<S> std::fmt::Debug for Harness<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Harness").field(&self.driver.declaration().name).finish()
    }
}

/// A signal that ends a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, as of Ctrl-C.
    Interrupt,
    /// SIGTERM, as of a supervisor.
    Terminate,
}

impl<S: Exported + Linked> Harness<S> {
    /// Makes the service from its config, as the runtime does: `setup_config` first, then the check, then `new`.
    ///
    /// # Errors
    ///
    /// If one of these says so, or panics.
    #[expect(clippy::needless_pass_by_value, reason = "a service is given its config, and so is this")]
    pub fn new(config: S::Config) -> Result<Self> {
        Self::with_config_value(setup::to_value(&config)?)
    }

    /// Makes the service from a config that is data, to see what becomes of a wrong one.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); every fault of the config is named.
    pub fn with_config_value(config: Value) -> Result<Self> {
        let driver = setup::start(Plugin::of::<S>(), config, S::WITH.has_own_clock())?;
        Ok(Self { driver: Rc::new(driver), service: PhantomData })
    }
}

impl<S> Harness<S> {
    /// Asks a replyer and waits for its answer.
    ///
    /// # Errors
    ///
    /// What the handler said, with code `panicked` if it panicked, `bad_args` if the arguments are not of its model, `stopping` after a stop; and if it waits for ever.
    pub fn request<A: Model, R: Model>(&self, replyer: &str, args: &A) -> Result<R> {
        self.message(replyer, args).request()
    }

    /// Hands a publication to a subscriber, and waits until its handler is done.
    ///
    /// # Errors
    ///
    /// What the handler said, which the runtime would log.
    pub fn publish<A: Model>(&self, subscriber: &str, args: &A) -> Result<()> {
        self.message(subscriber, args).publish()
    }

    /// As [`publish`](Self::publish), with the topic that the message came with.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub fn publish_to<A: Model>(&self, subscriber: &str, topic: &str, args: &A) -> Result<()> {
        self.message(subscriber, args).topic(topic).publish()
    }

    /// A message whose workflow id, deadline, topic or encoding matters, or that is not to be waited for at once.
    pub fn message<'h, A: Model>(&'h self, connection: &'h str, args: &'h A) -> Message<'h, A> {
        Message::new(&self.driver, connection, args)
    }

    /// Starts an exchange, which goes on whenever the harness does: as a request of several at once.
    ///
    /// # Errors
    ///
    /// If there is no such connection, `init` failed, or the service stops.
    pub fn start<A: Model, R: Model>(&self, connection: &str, args: &A) -> Result<Pending<R>> {
        self.message(connection, args).start()
    }

    /// Runs `init` now, and not with the first message.
    ///
    /// # Errors
    ///
    /// What it says.
    pub fn init(&self) -> Result<()> {
        self.driver.init()
    }

    /// Runs `main` to its end.
    ///
    /// # Errors
    ///
    /// What it says; if the service has none; and if it goes on for ever: [`start_main`](Self::start_main) is for that.
    pub fn run_main(&self) -> Result<()> {
        self.start_main()?.wait()
    }

    /// Starts `main`, which goes on whenever the harness does.
    ///
    /// # Errors
    ///
    /// If the service has none, or `init` failed.
    pub fn start_main(&self) -> Result<Pending<()>> {
        self.driver.init()?;
        Ok(Pending::new(&self.driver, self.driver.start_hook(Hook::Main)?))
    }

    /// Lets time pass, and everything happen that does meanwhile.
    ///
    /// # Errors
    ///
    /// If a blocking handler runs for longer than the harness has [patience](Self::set_patience), or something goes round and round.
    pub fn advance(&self, duration: Duration) -> Result<()> {
        self.driver.advance(duration)
    }

    /// Lets everything happen that can without time passing.
    ///
    /// # Errors
    ///
    /// As [`advance`](Self::advance).
    pub fn settle(&self) -> Result<()> {
        self.driver.advance(Duration::ZERO)
    }

    /// Time since the harness was made, as the service sees it.
    pub fn elapsed(&self) -> Duration {
        self.driver.world().elapsed()
    }

    /// Lets time be real from now on, for services with threads or clocks of their own.
    pub fn use_real_time(&self) {
        self.driver.world().use_real_time();
    }

    /// How long to wait for what goes on outside of the harness's sight; 30 s.
    pub fn set_patience(&self, patience: Duration) {
        self.driver.set_patience(patience);
    }

    /// Does what a signal does: runs `on_sigint` or `on_sigterm` to its end, then asks the service to stop.
    ///
    /// # Errors
    ///
    /// What the hook says. The service is asked to stop all the same.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let hook = if signal == Signal::Interrupt { Hook::OnSigint } else { Hook::OnSigterm };
        let outcome = self.driver.run_hook_if_there(hook);
        self.driver.ask_to_stop();
        outcome
    }

    /// Whether the service was asked to stop, by the test or by itself.
    pub fn is_stopping(&self) -> bool {
        self.driver.world().is_stopping()
    }

    /// Stops the service: takes no messages any more, waits up to 30 s of its time, and drops it. What it sent and logged can still be read.
    ///
    /// As the runtime does, it waits for handlers, and for a `main` and work of [`spawn`](crate::Context::spawn) that have asked for the stop, by
    /// [`stopping`](crate::Context::stopping). Another `main` is ended at once, other background work when the rest has ended.
    ///
    /// # Errors
    ///
    /// If something had not ended by then; the error says what, and for what it waits.
    pub fn stop(&self) -> Result<()> {
        self.driver.stop()
    }

    /// Runs `setup_addresses` with an address book.
    ///
    /// # Errors
    ///
    /// What it says.
    pub fn setup_addresses(&self, addresses: &Map) -> Result<Map> {
        self.driver.setup_addresses(addresses)
    }

    /// Answers requests of the service from now on.
    ///
    /// # Panics
    ///
    /// If the service does not use the port, as all methods that take one.
    #[track_caller]
    pub fn answer<A: Model, R: Model>(
        &self,
        port: &Requester<A, R>,
        answer: impl FnMut(A) -> Result<R> + 'static,
    ) {
        self.answer_after(port, Duration::ZERO, answer);
    }

    /// Answers requests from now on, each reply that long after its request.
    #[track_caller]
    pub fn answer_after<A: Model, R: Model>(
        &self,
        port: &Requester<A, R>,
        delay: Duration,
        answer: impl FnMut(A) -> Result<R> + 'static,
    ) {
        let answer = Answer::new(delay, answer);
        self.driver.ports().answer(self.number(port.name(), ConnectionKind::Requester), answer);
    }

    /// Leaves requests without an answer from now on, as a peer that is not there: each runs into its deadline.
    #[track_caller]
    pub fn ignore<A: Model, R: Model>(&self, port: &Requester<A, R>) {
        self.driver.ports().answer(self.number(port.name(), ConnectionKind::Requester), Answer::Never);
    }

    /// Runs a closure in place of an external target's function from now on.
    #[track_caller]
    pub fn replace<A: Model, R: Model>(
        &self,
        target: &ExternalTarget<A, R>,
        function: impl FnMut(A) -> Result<R> + 'static,
    ) {
        let number = self.number(target.name(), ConnectionKind::ExternalTarget);
        self.driver.ports().answer(number, Answer::new(Duration::ZERO, function));
    }

    /// What the service published so far.
    #[track_caller]
    pub fn published<A: Model>(&self, port: &Publisher<A>) -> Vec<A> {
        self.sent_as(port.name(), ConnectionKind::Publisher)
    }

    /// The requests that the service made so far, in work or answered.
    #[track_caller]
    pub fn requests<A: Model, R: Model>(&self, port: &Requester<A, R>) -> Vec<A> {
        self.sent_as(port.name(), ConnectionKind::Requester)
    }

    /// The calls that the service made so far to an external target, replaced or not.
    #[track_caller]
    pub fn calls<A: Model, R: Model>(&self, target: &ExternalTarget<A, R>) -> Vec<A> {
        self.sent_as(target.name(), ConnectionKind::ExternalTarget)
    }

    /// All that the service sent by a connection or published of a state, with topics, workflow ids and times.
    pub fn sent(&self, connection: &str) -> Vec<Sent> {
        let declaration = self.driver.declaration();
        // An incoming connection may have the name of a state.
        let number = declaration.connection(connection).filter(|(_, model)| !model.kind.is_in());
        let number = number.map(|(number, _)| number);
        let of_state = || Some(declaration.connections.len() + declaration.state(connection)?.0);
        let number = number.or_else(of_state);
        self.driver.world().sent().into_iter().filter(|sent| Some(sent.number) == number).collect()
    }

    /// The log records of the service so far.
    pub fn logs(&self) -> Vec<Log> {
        self.driver.world().logs()
    }

    /// The least urgent records that the service may make from now on; `None` for none at all. At first it may make all.
    pub fn set_log_level(&self, level: Option<Level>) {
        self.driver.world().set_log_level(level);
    }

    #[track_caller]
    fn number(&self, name: &str, kind: ConnectionKind) -> usize {
        let declaration = self.driver.declaration();
        match declaration.connection(name) {
            Some((number, model)) if model.kind == kind => number,
            _ => panic!("service `{}` uses no {kind} `{name}`", declaration.name),
        }
    }

    #[track_caller]
    fn sent_as<A: Model>(&self, name: &str, kind: ConnectionKind) -> Vec<A> {
        let number = self.number(name, kind);
        let sent = self.driver.world().sent().into_iter().filter(|sent| sent.number == number);
        sent.map(|sent| {
            crate::running::convert(&sent.args).expect("the service has encoded it from the same model")
        })
        .collect()
    }
}
