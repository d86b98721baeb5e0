//! A service in a plugin: decodes what arrives, calls its handlers, encodes what they return.

use std::any::Any;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, TryLockResult};

use service_framework_core::declaration::{Declaration, Hook};
use service_framework_core::failure::code;
use service_framework_core::plugin::guest::{self, Guest, Host, Outcome, Started};
use service_framework_core::plugin::{Call, Target, abi};
use service_framework_core::wire::{self, Encoding, Limits, Peer, Writer};

use crate::context::Shared;
use crate::declare::{Declare, Handler};
use crate::logs::Logs;
use crate::ports::Function;
use crate::{BlockingContext, Context, Error, Exported, Model, Result, Serve, Value, panics};

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

impl<S: Exported> Guest for Running<S> {
    fn declare() -> Declaration {
        panics::watch(|| Declare::<S>::of().declaration)
    }

    fn setup(hook: Hook, input: Value) -> Result<Value> {
        panics::watch(|| match Declare::<S>::of().setups.get(&hook) {
            Some(setup) => setup(input),
            None => Err(Error::msg(format!("the service has no `{hook}`"))),
        })
    }

    fn create(host: Host, config: &[u8]) -> Result<Arc<Self>> {
        let logs = Logs::new(host.clone());
        let service =
            logs.during(|| S::new(wire::decode(config, Encoding::MessagePack, &Limits::default())?))?;
        let declare = Declare::<S>::of();
        let shared = Arc::new(Shared::new::<Self>(host, logs, &declare.declaration));
        Ok(Arc::new(Self { service: RwLock::new(service), declare, shared }))
    }

    fn start(self: &Arc<Self>, call: Call<'_>) -> Started {
        let handler = match call.target {
            Target::Connection(number) => self.declare.handlers.get(number as usize).and_then(Option::as_ref),
            Target::Hook(hook) => self.declare.hooks.get(&hook),
        };
        match handler {
            Some(handler) => self.shared.logs.during(|| handler(self, call)),
            None => {
                Started::Ready(Err(Error::msg(format!("the service has no handler for {:?}", call.target))))
            }
        }
    }

    fn end(self: Arc<Self>) {
        let shared = Arc::clone(&self.shared);
        shared.logs.during(|| drop(self));
    }

    fn surround<T>(step: impl FnOnce() -> T) -> T {
        panics::watch(|| S::surround(step))
    }

    fn panic_message(payload: &(dyn Any + Send)) -> String {
        panics::message(payload)
    }
}

impl<S> Running<S> {
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

/// The host knows the limits that the operator has set, and has refused what is beyond them.
pub(crate) const HOST_HAS_BOUNDED: Limits =
    Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };

/// The arguments, the context and how to answer, for any kind of handler.
fn prepare<S, A: Model>(running: &Running<S>, call: &Call<'_>) -> Result<(A, Context, Answer)> {
    let answer = Answer { encoding: call.encoding, peer: call.peer };
    let args = match call.target {
        // Hooks have no arguments; nothing stands there.
        Target::Hook(_) => wire::decode(&[0x80], Encoding::MessagePack, &Limits::default()),
        Target::Connection(_) => wire::decode(call.args, call.encoding, &HOST_HAS_BOUNDED),
    };
    let args = args.map_err(|fault| Error::new(code::BAD_ARGS, fault.within("args").to_string()))?;
    Ok((args, Context::of_call(Arc::clone(&running.shared), call), answer))
}

/// How the return arguments are written.
#[derive(Clone, Copy)]
struct Answer {
    encoding: Encoding,
    peer: Peer,
}

impl Answer {
    fn encode<R: Model>(self, service: &str, returned: Result<R>) -> Outcome {
        let returned = returned.map_err(|failure| failure.of_handler(service))?;
        let mut writer = Writer::new(self.encoding, self.peer);
        returned.encode(&mut writer);
        writer.finish().map_err(|fault| Error::new(code::BAD_RETURN, fault.within("return_args").to_string()))
    }
}

/// A handler that waits on the service's thread.
#[expect(clippy::await_holding_lock, reason = "nobody waits for the lock: the host lets in who fits")]
pub(crate) fn asynchronous<S: Serve, A: Model + 'static, R: Model + 'static>(
    handler: impl AsyncFn(&S, A, &Context) -> Result<R> + Copy + 'static,
) -> Handler<S> {
    Box::new(move |running, call| {
        let (args, cx, answer) = match prepare::<S, A>(running, &call) {
            Ok(prepared) => prepared,
            Err(failure) => return Started::Ready(Err(failure)),
        };
        let running = Arc::clone(running);
        poll_once(async move {
            let service = running.lend()?;
            let returned = running.shared.logs.of(&cx, handler(&service, args, &cx)).await;
            answer.encode(S::NAME, returned)
        })
    })
}

/// A handler that waits on the service's thread and has the service to itself.
#[expect(clippy::await_holding_lock, reason = "nobody waits for the lock: the host lets in who fits")]
pub(crate) fn asynchronous_mut<S: Serve, A: Model + 'static, R: Model + 'static>(
    handler: impl AsyncFn(&mut S, A, &Context) -> Result<R> + Copy + 'static,
) -> Handler<S> {
    Box::new(move |running, call| {
        let (args, cx, answer) = match prepare::<S, A>(running, &call) {
            Ok(prepared) => prepared,
            Err(failure) => return Started::Ready(Err(failure)),
        };
        let running = Arc::clone(running);
        poll_once(async move {
            let mut service = running.exclusive()?;
            let returned = running.shared.logs.of(&cx, handler(&mut service, args, &cx)).await;
            answer.encode(S::NAME, returned)
        })
    })
}

/// Runs a future as far as it goes without waiting.
fn poll_once(future: impl Future<Output = Outcome> + 'static) -> Started {
    let mut future = Box::pin(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(outcome) => Started::Ready(outcome),
        std::task::Poll::Pending => Started::Pending(future),
    }
}

/// A handler that runs on the service's thread to its end.
pub(crate) fn inline<S: Serve, A: Model + 'static, R: Model + 'static>(
    handler: impl Fn(&S, A, &Context) -> Result<R> + Copy + 'static,
) -> Handler<S> {
    Box::new(move |running, call| {
        Started::Ready(prepare::<S, A>(running, &call).and_then(|(args, cx, answer)| {
            let service = running.lend()?;
            answer.encode(S::NAME, cx.enter(|| handler(&service, args, &cx)))
        }))
    })
}

/// A handler that runs on the service's thread to its end and has the service to itself.
pub(crate) fn inline_mut<S: Serve, A: Model + 'static, R: Model + 'static>(
    handler: impl Fn(&mut S, A, &Context) -> Result<R> + Copy + 'static,
) -> Handler<S> {
    Box::new(move |running, call| {
        Started::Ready(prepare::<S, A>(running, &call).and_then(|(args, cx, answer)| {
            let mut service = running.exclusive()?;
            answer.encode(S::NAME, cx.enter(|| handler(&mut service, args, &cx)))
        }))
    })
}

/// A handler that blocks a thread of a pool.
pub(crate) fn blocking<S: Serve + Send + Sync, A: Model + 'static, R: Model + 'static>(
    handler: impl Fn(&S, A, &BlockingContext) -> Result<R> + Copy + Send + Sync + 'static,
) -> Handler<S> {
    Box::new(move |running, call| {
        Started::Ready(prepare::<S, A>(running, &call).and_then(|(args, cx, answer)| {
            let service = running.lend()?;
            let cx = BlockingContext::new(cx);
            answer.encode(S::NAME, cx.enter(|| handler(&service, args, &cx)))
        }))
    })
}

/// The function of an external target.
pub(crate) fn target<S: Serve, A: Model + 'static, R: Model + 'static>(
    function: Function<A, R>,
) -> Handler<S> {
    Box::new(move |running, call| {
        let (args, cx, answer) = match prepare::<S, A>(running, &call) {
            Ok(prepared) => prepared,
            Err(failure) => return Started::Ready(Err(failure)),
        };
        match function {
            Function::Blocking(function) => {
                Started::Ready(answer.encode(S::NAME, cx.enter(|| function(args))))
            }
            Function::Async(function) => {
                let running = Arc::clone(running);
                poll_once(
                    async move { answer.encode(S::NAME, running.shared.logs.of(&cx, function(args)).await) },
                )
            }
        }
    })
}

/// A value as a model, by way of its bytes.
pub(crate) fn convert<T: Model>(value: &Value) -> Result<T> {
    let bytes = wire::encode(value, Encoding::MessagePack)?;
    Ok(wire::decode(&bytes, Encoding::MessagePack, &Limits::default())?)
}
