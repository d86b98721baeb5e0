//! Collects what a service declares: connections with their handlers, ports, states, and optional methods.

mod updating;

use std::collections::HashMap;
use std::marker::PhantomData;

use service_framework_core::declaration::{
    ConnectionKind, ConnectionModel, Declaration, Hook, Run, StateModel,
};
use service_framework_core::model;

use crate::ports::{Function, Port, StateIn};
use crate::running::{self, Handler};
use crate::states::{Held, Make, States};
use crate::{BlockingContext, Context, Map, Model, Result, Serve, Value};

pub use updating::{Unread, UpdateOf, Updating};

/// What a service declares. [`Serve::declare`] fills it.
///
/// Each connection has a name of its own that is not empty; a service that declares others is refused when it is loaded.
pub struct Declare<S> {
    pub(crate) declaration: Declaration,
    /// By the number of the connection; those without a handler have none.
    pub(crate) handlers: Vec<Option<Handler<S>>>,
    /// The handlers of updates, by the positions of their states.
    pub(crate) updates: Vec<Option<Handler<S>>>,
    states: Vec<Make>,
    pub(crate) hooks: HashMap<Hook, Handler<S>>,
    pub(crate) setups: HashMap<Hook, Setup>,
}

/// Runs a hook that needs no instance.
pub(crate) type Setup = Box<dyn Fn(Value) -> Result<Value> + Send + Sync>;

impl<S> std::fmt::Debug for Declare<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Declare").field(&self.declaration).finish()
    }
}

impl<S: Serve> Declare<S> {
    /// What a service declares, its config included.
    pub(crate) fn of() -> Self {
        let mut declaration = Declaration::new(S::NAME, S::VERSION);
        declaration.doc = S::DOC.to_owned();
        declaration.config = model::describe::<S::Config>();
        let mut declare = Self {
            declaration,
            handlers: Vec::new(),
            updates: Vec::new(),
            states: Vec::new(),
            hooks: HashMap::new(),
            setups: HashMap::new(),
        };
        S::declare(&mut declare);
        declare
    }

    /// A connection that answers requests. Give it a handler next.
    pub fn replyer<R>(&mut self, name: &str) -> Handling<'_, S, R> {
        Handling::new(self, name, ConnectionKind::Replyer)
    }

    /// A connection that takes what is published. Give it a handler next.
    pub fn subscriber(&mut self, name: &str) -> Handling<'_, S, ()> {
        Handling::new(self, name, ConnectionKind::Subscriber)
    }

    /// A copy whose updates are to be handled; it is declared now unless it was already. Give it a handler next; a second one takes the place of the first.
    ///
    /// ```
    /// # use service_framework::prelude::*;
    /// const BOOK: DeltaUpdateIn<Map> = DeltaUpdateIn::new("book");
    ///
    /// # struct Desk;
    /// fn declare(service: &mut Declare<Desk>) {
    ///     service.updated(&BOOK).handle(async |_: &Desk, update: Update<Map>, cx: &Context| {
    ///         tracing::info!(number = update.current_num, keys = cx.state(&BOOK)?.len());
    ///         Ok(())
    ///     });
    /// }
    /// # impl Serve for Desk {
    /// #     const NAME: &'static str = "desk";
    /// #     type Config = Empty;
    /// #     fn new(_: Empty) -> Result<Self> { Ok(Self) }
    /// #     fn declare(service: &mut Declare<Self>) { declare(service) }
    /// # }
    /// ```
    pub fn updated<P: StateIn>(&mut self, port: &P) -> Updating<'_, S, P::Update> {
        let is_it = |model: &StateModel| model.name == port.state_name();
        if !self.declaration.states.iter().any(is_it) {
            port.declare(self);
        }
        let position = self.declaration.states.iter().position(is_it);
        Updating::new(self, position.expect("it was declared above"))
    }

    /// Adds an outgoing connection, or a state.
    pub fn uses(&mut self, port: &impl Port) -> &mut Self {
        port.declare(self);
        self
    }

    pub(crate) fn add_port(&mut self, model: ConnectionModel) {
        self.add(model, None);
    }

    pub(crate) fn add_target<A: Model + 'static, R: Model + 'static>(
        &mut self,
        model: ConnectionModel,
        function: Function<A, R>,
    ) {
        self.add(model, Some(running::target(function)));
    }

    pub(crate) fn add_state(
        &mut self,
        model: StateModel,
        make: impl Fn() -> Box<dyn Held> + Send + Sync + 'static,
    ) {
        self.declaration.states.push(model);
        self.states.push(Box::new(make));
        self.updates.push(None);
    }

    /// What an instance holds of its states.
    pub(crate) fn hold(&self) -> States {
        States::new(&self.declaration.states, &self.states)
    }

    /// The handler of that number: those of states follow those of the connections.
    pub(crate) fn handler(&self, number: usize) -> Option<&Handler<S>> {
        let handler = match number.checked_sub(self.handlers.len()) {
            None => self.handlers.get(number),
            Some(position) => self.updates.get(position),
        };
        handler.and_then(Option::as_ref)
    }

    fn add(&mut self, model: ConnectionModel, handler: Option<Handler<S>>) {
        self.declaration.connections.push(model);
        self.handlers.push(handler);
    }

    /// The service starts work of its own, on its thread: an `async fn main(&self, cx: &Context)`.
    pub fn main(&mut self, main: impl AsyncFn(&S, &Context) -> Result<()> + Copy + Send + Sync + 'static) {
        self.hook(
            Hook::Main,
            Run::Async,
            running::asynchronous(async move |this: &S, (), cx: &Context| main(this, cx).await),
        );
    }

    /// The service starts work of its own, on a thread of its own: an `fn main(&self, cx: &BlockingContext)`.
    pub fn main_blocking(
        &mut self,
        main: impl Fn(&S, &BlockingContext) -> Result<()> + Copy + Send + Sync + 'static,
    ) where
        S: Send + Sync,
    {
        self.hook(
            Hook::Main,
            Run::Blocking,
            running::blocking(move |this: &S, (), cx: &BlockingContext| main(this, cx)),
        );
    }

    /// Called when the sockets are open, before main or the first message.
    pub fn init(&mut self, init: impl AsyncFn(&S, &Context) -> Result<()> + Copy + Send + Sync + 'static) {
        self.hook(
            Hook::Init,
            Run::Async,
            running::asynchronous(async move |this: &S, (), cx: &Context| init(this, cx).await),
        );
    }

    /// Called on SIGINT, before the service stops.
    pub fn on_sigint(
        &mut self,
        handler: impl AsyncFn(&S, &Context) -> Result<()> + Copy + Send + Sync + 'static,
    ) {
        self.hook(
            Hook::OnSigint,
            Run::Async,
            running::asynchronous(async move |this: &S, (), cx: &Context| handler(this, cx).await),
        );
    }

    /// Called on SIGTERM, before the service stops.
    pub fn on_sigterm(
        &mut self,
        handler: impl AsyncFn(&S, &Context) -> Result<()> + Copy + Send + Sync + 'static,
    ) {
        self.hook(
            Hook::OnSigterm,
            Run::Async,
            running::asynchronous(async move |this: &S, (), cx: &Context| handler(this, cx).await),
        );
    }

    fn hook(&mut self, hook: Hook, run: Run, handler: Handler<S>) {
        self.declaration.hooks.push((hook, run));
        self.hooks.insert(hook, handler);
    }

    /// Given the config as it was read, gives keys that overwrite it, before it is checked.
    pub fn setup_config(&mut self, setup: fn(&Map) -> Result<Map>) {
        self.setup(Hook::SetupConfig, move |input| {
            let config = input.as_map().cloned().unwrap_or_default();
            setup(&config).map(Value::Map)
        });
    }

    /// Given the address book as it was read, gives the whole book to use.
    pub fn setup_addresses(&mut self, setup: fn(Map, S::Config) -> Result<Map>) {
        self.setup(Hook::SetupAddresses, move |input| {
            let addresses = input.get("addresses").and_then(Value::as_map).cloned().unwrap_or_default();
            setup(addresses, config_of::<S>(&input)?).map(Value::Map)
        });
    }

    /// Gives settings per connection: a map of the connection's name to a map of settings.
    pub fn setup_connections(&mut self, setup: fn(S::Config) -> Result<Map>) {
        self.setup(Hook::SetupConnections, move |input| setup(config_of::<S>(&input)?).map(Value::Map));
    }

    /// Gives settings per state: a map of the state's name to a map of settings.
    pub fn setup_states(&mut self, setup: fn(S::Config) -> Result<Map>) {
        self.setup(Hook::SetupStates, move |input| setup(config_of::<S>(&input)?).map(Value::Map));
    }

    fn setup(&mut self, hook: Hook, setup: impl Fn(Value) -> Result<Value> + Send + Sync + 'static) {
        self.declaration.hooks.push((hook, Run::Inline));
        self.setups.insert(hook, Box::new(setup));
    }
}

fn config_of<S: Serve>(input: &Value) -> Result<S::Config> {
    let config = input.get("config").cloned().unwrap_or_default();
    running::convert(&config)
}

/// An incoming connection that waits for its handler.
#[must_use = "a connection without a handler is not declared"]
pub struct Handling<'d, S, R> {
    declare: &'d mut Declare<S>,
    model: ConnectionModel,
    returns: PhantomData<fn() -> R>,
}

impl<S, R> std::fmt::Debug for Handling<'_, S, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handling").field(&self.model).finish()
    }
}

impl<'d, S: Serve, R> Handling<'d, S, R> {
    fn new(declare: &'d mut Declare<S>, name: &str, kind: ConnectionKind) -> Self {
        let model = ConnectionModel {
            name: name.to_owned(),
            doc: String::new(),
            kind,
            args: model::Shape::Any,
            returns: model::Shape::Any,
            run: Run::Inline,
            exclusive: false,
            settings: Map::new(),
        };
        Self { declare, model, returns: PhantomData }
    }

    /// Says what the connection is for, in exported models.
    pub fn doc(mut self, doc: &str) -> Self {
        self.model.doc = doc.to_owned();
        self
    }

    /// Gives the connection a setting, such as `topic`, which the address book may overwrite.
    pub fn set(mut self, setting: &str, value: impl Into<Value>) -> Self {
        self.model.settings.insert(setting, value);
        self
    }

    fn add<A: Model>(mut self, run: Run, exclusive: bool, handler: Handler<S>)
    where
        R: Model,
    {
        self.model.args = model::describe::<A>();
        self.model.returns = model::describe::<R>();
        self.model.run = run;
        self.model.exclusive = exclusive;
        self.declare.add(self.model, Some(handler));
    }

    /// An `async fn(&self, args: A, cx: &Context)`: waits on the service's thread, others run meanwhile.
    pub fn handle<A: Model + 'static>(
        self,
        handler: impl AsyncFn(&S, A, &Context) -> Result<R> + Copy + Send + Sync + 'static,
    ) where
        R: Model + 'static,
    {
        self.add::<A>(Run::Async, false, running::asynchronous(handler));
    }

    /// An `async fn(&mut self, ..)`: waits until no other handler runs, then runs alone across its awaits.
    pub fn handle_mut<A: Model + 'static>(
        self,
        handler: impl AsyncFn(&mut S, A, &Context) -> Result<R> + Copy + Send + Sync + 'static,
    ) where
        R: Model + 'static,
    {
        self.add::<A>(Run::Async, true, running::asynchronous_mut(handler));
    }

    /// An `fn(&self, ..)` that runs on the service's thread to its end: short work only.
    pub fn handle_inline<A: Model + 'static>(
        self,
        handler: impl Fn(&S, A, &Context) -> Result<R> + Copy + Send + Sync + 'static,
    ) where
        R: Model + 'static,
    {
        self.add::<A>(Run::Inline, false, running::inline(handler));
    }

    /// An `fn(&mut self, ..)` that runs on the service's thread to its end, when no other handler runs.
    pub fn handle_inline_mut<A: Model + 'static>(
        self,
        handler: impl Fn(&mut S, A, &Context) -> Result<R> + Copy + Send + Sync + 'static,
    ) where
        R: Model + 'static,
    {
        self.add::<A>(Run::Inline, true, running::inline_mut(handler));
    }

    /// An `fn(&self, .., cx: &BlockingContext)` that runs on a thread of a pool and may block.
    pub fn handle_blocking<A: Model + 'static>(
        self,
        handler: impl Fn(&S, A, &BlockingContext) -> Result<R> + Copy + Send + Sync + 'static,
    ) where
        S: Send + Sync,
        R: Model + 'static,
    {
        self.add::<A>(Run::Blocking, false, running::blocking(handler));
    }
}
