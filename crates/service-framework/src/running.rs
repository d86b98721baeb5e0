//! A service in a plugin: made from its config, called by its host, ended.

mod handler;

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult};

use service_framework_core::declaration::{Declaration, Hook};
use service_framework_core::plugin::guest::{self, Guest, Host, Movable, Outcome, Started};
use service_framework_core::plugin::{Call, Target, abi};
use service_framework_core::wire::{self, Encoding, Limits};

use crate::context::Shared;
use crate::declare::Declare;
use crate::logs::Logs;
use crate::own_runtime::OwnRuntime;
use crate::surroundings::Surroundings;
use crate::{Error, Exported, Model, Result, Value, panics};

pub(crate) use handler::{
    HOST_HAS_BOUNDED, Handler, asynchronous, asynchronous_mut, blocking, inline, inline_mut, target,
};

/// The table of a service, for [`export!`](crate::export).
pub const fn table<S: Exported>() -> abi::Plugin {
    guest::table::<Running<S>>()
}

/// A service that runs.
pub(crate) struct Running<S> {
    // The host calls handlers by the rules of `&self` and `&mut self`, so that nobody ever waits for this lock; it is here so that no host can break them.
    service: RwLock<S>,
    declare: Declare<S>,
    shared: Arc<Shared>,
}

impl<S> std::fmt::Debug for Running<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Running").field(&self.declare).finish()
    }
}

/// What of a service any thread may use: the handlers that block.
pub(crate) struct Blocking {
    shared: Arc<Shared>,
    handlers: HashMap<Target, handler::Blocking>,
    /// Ends with the service, whichever thread that ends on.
    runtime: OwnRuntime,
}

impl<S: Exported> Guest for Running<S> {
    type Blocking = Blocking;

    const MOVABLE: Option<Movable<Self>> = match S::MOVABLE {
        Some(crate::export::Movable(proof)) => Some(proof),
        None => None,
    };

    fn declare() -> Declaration {
        Declare::<S>::of().declaration
    }

    fn setup(hook: Hook, input: Value) -> Result<Value> {
        match Declare::<S>::of().setups.get(&hook) {
            Some(setup) => setup(input),
            None => Err(Error::msg(format!("the service has no `{hook}`"))),
        }
    }

    fn create(host: Host, config: &[u8]) -> Result<(Arc<Self>, Blocking)> {
        let logs = Logs::new(host.clone());
        let runtime = OwnRuntime::start(S::WITH, &logs)?;
        let around = Surroundings::new(logs, runtime.entrance());
        let service =
            around.during(|| S::new(wire::decode(config, Encoding::MessagePack, &Limits::default())?))?;
        let declare = Declare::<S>::of();
        let states = declare.hold();
        let shared = Arc::new(Shared::new::<Self>(host, around, &declare.declaration, states));
        shared.around.during(|| shared.start_states())?;
        let running = Arc::new(Self { service: RwLock::new(service), declare, shared });
        let shared = Arc::clone(&running.shared);
        let blocking = Blocking { shared, handlers: running.bind(), runtime };
        Ok((running, blocking))
    }

    fn start(self: &Arc<Self>, blocking: &Blocking, call: Call<'_>) -> Started {
        let handler = match call.target {
            Target::Connection(number) => self.declare.handler(number as usize),
            Target::State(position) => return Started::Ready(Self::feed(&self.shared, position, &call)),
            Target::Hook(hook) => self.declare.hooks.get(&hook),
        };
        match handler {
            Some(Handler::Here(handler)) => self.shared.around.during(|| handler(self, call)),
            Some(Handler::Anywhere(_)) => Started::Ready(Self::run(blocking, call)),
            None => {
                Started::Ready(Err(Error::msg(format!("the service has no handler for {:?}", call.target))))
            }
        }
    }

    fn run(blocking: &Blocking, call: Call<'_>) -> Outcome {
        if let Target::State(position) = call.target {
            return Self::feed(&blocking.shared, position, &call);
        }
        match blocking.handlers.get(&call.target) {
            Some(handler) => blocking.shared.around.during(|| handler(call)),
            None => Err(Error::msg(format!("the handler for {:?} was not declared blocking", call.target))),
        }
    }

    fn end(running: Option<Arc<Self>>, blocking: Blocking) {
        // The runtime ends after the service, and in any case.
        let Blocking { shared, handlers, runtime: _runtime } = blocking;
        shared.around.during(|| drop((handlers, running)));
    }

    fn watch<T>(step: impl FnOnce() -> T) -> T {
        panics::watch(step)
    }

    fn panic_message(payload: &(dyn Any + Send)) -> String {
        panics::message(payload)
    }
}

impl<S> Running<S> {
    /// Takes what the host tells of a copy.
    fn feed(shared: &Shared, position: u32, call: &Call<'_>) -> Outcome {
        shared.around.during(|| shared.feed(position, call))
    }

    /// The blocking handlers, each with what it needs of this instance.
    fn bind(self: &Arc<Self>) -> HashMap<Target, handler::Blocking> {
        let handlers = self.declare.handlers.iter().chain(&self.declare.updates).enumerate();
        let handlers = handlers
            .filter_map(|(number, handler)| Some((Target::Connection(number as u32), handler.as_ref()?)));
        let hooks = self.declare.hooks.iter().map(|(hook, handler)| (Target::Hook(*hook), handler));
        let bound = handlers.chain(hooks).filter_map(|(target, handler)| match handler {
            Handler::Anywhere(bind) => Some((target, bind(self))),
            Handler::Here(_) => None,
        });
        bound.collect()
    }

    fn lend(&self) -> Result<RwLockReadGuard<'_, S>> {
        unpoisoned(self.service.try_read())
    }

    fn exclusive(&self) -> Result<RwLockWriteGuard<'_, S>> {
        unpoisoned(self.service.try_write())
    }
}

/// A panic of a `&mut self` handler poisons the lock. Whoever called the handler was told; the service goes on, as after any panic.
fn unpoisoned<G>(locked: TryLockResult<G>) -> Result<G> {
    match locked {
        Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
        other => other.map_err(|_| misuse()),
    }
}

fn misuse() -> Error {
    Error::msg("a fault of the runtime: it ran a handler beside one that has the service to itself")
}

/// A value as a model, by way of its bytes.
pub(crate) fn convert<T: Model>(value: &Value) -> Result<T> {
    let bytes = wire::encode(value, Encoding::MessagePack)?;
    Ok(wire::decode(&bytes, Encoding::MessagePack, &Limits::default())?)
}
