//! Handlers as their host calls them: decodes what arrives, calls the author's function, encodes what it returns.

use std::sync::Arc;

use service_framework_core::failure::code;
use service_framework_core::plugin::guest::{Outcome, Started};
use service_framework_core::plugin::{Call, Target};
use service_framework_core::wire::{self, Encoding, Limits, Peer, Writer};

use super::Running;
use crate::context::Shared;
use crate::ports::Function;
use crate::{BlockingContext, Context, Error, Model, Result, Serve};

/// A handler, by where it may run.
pub(crate) enum Handler<S> {
    /// On the service's thread.
    Here(Box<Start<S>>),
    /// On any thread, with what it needs of an instance.
    Anywhere(Box<Bind<S>>),
}

type Start<S> = dyn Fn(&Arc<Running<S>>, Call<'_>) -> Started + Send + Sync;

type Bind<S> = dyn Fn(&Arc<Running<S>>) -> Blocking + Send + Sync;

/// A blocking handler of one instance.
pub(crate) type Blocking = Box<dyn Fn(Call<'_>) -> Outcome + Send + Sync>;

impl<S> Handler<S> {
    fn here(start: impl Fn(&Arc<Running<S>>, Call<'_>) -> Started + Send + Sync + 'static) -> Self {
        Self::Here(Box::new(start))
    }

    fn anywhere<B: Fn(Call<'_>) -> Outcome + Send + Sync + 'static>(
        bind: impl Fn(&Arc<Running<S>>) -> B + Send + Sync + 'static,
    ) -> Self {
        Self::Anywhere(Box::new(move |running| Box::new(bind(running))))
    }
}

/// The host knows the limits that the operator has set, and has refused what is beyond them.
pub(crate) const HOST_HAS_BOUNDED: Limits =
    Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };

/// The arguments, the context and how to answer, for any kind of handler.
fn prepare<A: Model>(shared: &Arc<Shared>, call: &Call<'_>) -> Result<(A, Context, Answer)> {
    let answer = Answer { encoding: call.encoding, peer: call.peer };
    let args = match call.target {
        // Hooks have no arguments; nothing stands there.
        Target::Hook(_) => wire::decode(&[0x80], Encoding::MessagePack, &Limits::default()),
        Target::Connection(_) | Target::State(_) => wire::decode(call.args, call.encoding, &HOST_HAS_BOUNDED),
    };
    let args = args.map_err(|fault| Error::new(code::BAD_ARGS, fault.within("args").to_string()))?;
    Ok((args, Context::of_call(Arc::clone(shared), call), answer))
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
    handler: impl AsyncFn(&S, A, &Context) -> Result<R> + Copy + Send + Sync + 'static,
) -> Handler<S> {
    Handler::here(move |running, call| {
        let (args, cx, answer) = match prepare::<A>(&running.shared, &call) {
            Ok(prepared) => prepared,
            Err(failure) => return Started::Ready(Err(failure)),
        };
        let running = Arc::clone(running);
        poll_once(async move {
            let work = async {
                let service = running.lend()?;
                answer.encode(S::NAME, handler(&service, args, &cx).await)
            };
            cx.within(work).await
        })
    })
}

/// A handler that waits on the service's thread and has the service to itself.
#[expect(clippy::await_holding_lock, reason = "nobody waits for the lock: the host lets in who fits")]
pub(crate) fn asynchronous_mut<S: Serve, A: Model + 'static, R: Model + 'static>(
    handler: impl AsyncFn(&mut S, A, &Context) -> Result<R> + Copy + Send + Sync + 'static,
) -> Handler<S> {
    Handler::here(move |running, call| {
        let (args, cx, answer) = match prepare::<A>(&running.shared, &call) {
            Ok(prepared) => prepared,
            Err(failure) => return Started::Ready(Err(failure)),
        };
        let running = Arc::clone(running);
        poll_once(async move {
            let work = async {
                let mut service = running.exclusive()?;
                answer.encode(S::NAME, handler(&mut service, args, &cx).await)
            };
            cx.within(work).await
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
    handler: impl Fn(&S, A, &Context) -> Result<R> + Copy + Send + Sync + 'static,
) -> Handler<S> {
    Handler::here(move |running, call| {
        Started::Ready(prepare::<A>(&running.shared, &call).and_then(|(args, cx, answer)| {
            let service = running.lend()?;
            answer.encode(S::NAME, cx.during(|| handler(&service, args, &cx)))
        }))
    })
}

/// A handler that runs on the service's thread to its end and has the service to itself.
pub(crate) fn inline_mut<S: Serve, A: Model + 'static, R: Model + 'static>(
    handler: impl Fn(&mut S, A, &Context) -> Result<R> + Copy + Send + Sync + 'static,
) -> Handler<S> {
    Handler::here(move |running, call| {
        Started::Ready(prepare::<A>(&running.shared, &call).and_then(|(args, cx, answer)| {
            let mut service = running.exclusive()?;
            answer.encode(S::NAME, cx.during(|| handler(&mut service, args, &cx)))
        }))
    })
}

/// A handler that blocks a thread of a pool.
pub(crate) fn blocking<S: Serve + Send + Sync, A: Model + 'static, R: Model + 'static>(
    handler: impl Fn(&S, A, &BlockingContext) -> Result<R> + Copy + Send + Sync + 'static,
) -> Handler<S> {
    Handler::anywhere(move |running: &Arc<Running<S>>| {
        let running = Arc::clone(running);
        move |call: Call<'_>| {
            let (args, cx, answer) = prepare::<A>(&running.shared, &call)?;
            let service = running.lend()?;
            let cx = BlockingContext::new(cx);
            answer.encode(S::NAME, cx.during(|| handler(&service, args, &cx)))
        }
    })
}

/// The function of an external target. It has nothing of the service, which may not be one for other threads.
pub(crate) fn target<S: Serve, A: Model + 'static, R: Model + 'static>(
    function: Function<A, R>,
) -> Handler<S> {
    match function {
        Function::Blocking(function) => Handler::anywhere(move |running: &Arc<Running<S>>| {
            let shared = Arc::clone(&running.shared);
            move |call: Call<'_>| {
                let (args, cx, answer) = prepare::<A>(&shared, &call)?;
                answer.encode(S::NAME, cx.during(|| function(args)))
            }
        }),
        Function::Async(function) => Handler::here(move |running, call| {
            let (args, cx, answer) = match prepare::<A>(&running.shared, &call) {
                Ok(prepared) => prepared,
                Err(failure) => return Started::Ready(Err(failure)),
            };
            poll_once(async move {
                let work = async { answer.encode(S::NAME, function(args).await) };
                cx.within(work).await
            })
        }),
    }
}
