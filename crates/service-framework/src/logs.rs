//! Hands `tracing` records of the service over to its host, which writes them.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use service_framework_core::plugin::guest::Host;
use service_framework_core::plugin::{self, Record};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};

use crate::Context;

thread_local! {
    /// The call whose handler runs on this thread.
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// Where the records of one service go.
#[derive(Debug)]
pub(crate) struct Logs {
    dispatch: Dispatch,
    // With only one dispatcher in a process, a callsite that is first met on a thread without one is off for good.
    _second: Dispatch,
}

impl Logs {
    pub(crate) fn new(host: Host) -> Self {
        let dispatch = Dispatch::new(ToHost { host: host.clone(), next_span: AtomicU64::new(1) });
        let second = Dispatch::new(ToHost { host, next_span: AtomicU64::new(1) });
        Self { dispatch, _second: second }
    }

    /// Runs a step whose records go to the host.
    pub(crate) fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        tracing::dispatcher::with_default(&self.dispatch, step)
    }

    /// For threads that are the service's from their start to their end.
    #[cfg(feature = "tokio")]
    pub(crate) fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
    }
}

/// Runs a step whose records carry the workflow of a call.
pub(crate) fn enter<T>(cx: &Context, step: impl FnOnce() -> T) -> T {
    struct Leave(Option<Context>);
    impl Drop for Leave {
        fn drop(&mut self) {
            _ = CURRENT.try_with(|current| current.replace(self.0.take()));
        }
    }
    // A service may end when its thread has let go of this already; what it says then has no workflow.
    let before = CURRENT.try_with(|current| current.replace(Some(cx.clone())));
    let _leave = before.map(Leave);
    step()
}

/// A subscriber that has no spans and no levels of its own.
struct ToHost {
    host: Host,
    next_span: AtomicU64,
}

impl Subscriber for ToHost {
    // The host's level may change, so it is asked each time; that is one call of a C function.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && self.host.log_level().is_some_and(|level| level_of(metadata) <= level)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        None
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.next_span.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let metadata = event.metadata();
        let log = |cx: Option<&Context>| {
            self.host.log(&Record {
                level: level_of(metadata),
                target: metadata.target(),
                message: &text.0,
                workflow_id: cx.and_then(Context::workflow_id),
            });
        };
        if CURRENT.try_with(|current| log(current.borrow().as_ref())).is_err() {
            log(None);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn level_of(metadata: &Metadata<'_>) -> plugin::Level {
    match *metadata.level() {
        tracing::Level::ERROR => plugin::Level::Error,
        tracing::Level::WARN => plugin::Level::Warn,
        tracing::Level::INFO => plugin::Level::Info,
        tracing::Level::DEBUG => plugin::Level::Debug,
        tracing::Level::TRACE => plugin::Level::Trace,
    }
}

/// The message of an event, then its fields as `key=value`.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let space = if self.0.is_empty() { "" } else { " " };
        // A value whose own formatting fails is left out; the record is still worth having.
        _ = match field.name() {
            "message" if self.0.is_empty() => write!(self.0, "{value:?}"),
            "message" => {
                let fields = std::mem::take(&mut self.0);
                write!(self.0, "{value:?} {fields}")
            }
            name => write!(self.0, "{space}{name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}
