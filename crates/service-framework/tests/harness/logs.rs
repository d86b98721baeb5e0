//! Records of a service.

use std::sync::atomic::{AtomicU32, Ordering};

use service_framework::harness::Level;
use service_framework::prelude::*;

use super::exported::exported;

/// Counts how often it is formatted.
#[derive(Debug, Default)]
struct Formatted(AtomicU32);

impl std::fmt::Display for Formatted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "formatted {}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Logger {
    formatted: Formatted,
}

impl Drop for Logger {
    fn drop(&mut self) {
        tracing::info!("dropped");
    }
}

impl Serve for Logger {
    const NAME: &'static str = "logger";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        tracing::info!("made");
        Ok(Self::default())
    }

    fn declare(service: &mut Declare<Self>) {
        service.replyer("say").handle(async |this: &Self, _: Empty, cx: &Context| {
            tracing::debug!(n = 1, text = "a", "before {}", this.formatted);
            cx.sleep(Duration::from_secs(1)).await;
            tracing::warn!("after");
            Ok(())
        });
        service.replyer("say_at_once").handle_inline(|_: &Self, _: Empty, _: &Context| {
            tracing::error!("at once");
            Ok(())
        });
        service.replyer("say_blocking").handle_blocking(|_: &Self, _: Empty, cx: &BlockingContext| {
            cx.sleep(Duration::from_secs(1));
            tracing::trace!("blocking");
            Ok(())
        });
        service.replyer("say_beside").handle_inline(|_: &Self, _: Empty, cx: &Context| {
            cx.spawn(async |cx| {
                cx.sleep(Duration::from_secs(1)).await;
                tracing::info!("beside");
                panic!("beside");
            });
            Ok(())
        });
        service.main(async |_: &Self, _: &Context| {
            tracing::info!("main");
            Ok(())
        });
    }
}

exported!(Logger);

/// The records since `new`, as level, text and workflow.
fn records(harness: &Harness<Logger>) -> Vec<(Level, String, Option<String>)> {
    let logs = harness.logs().into_iter().skip(1);
    logs.map(|log| (log.level, log.message, log.workflow_id)).collect()
}

fn record(level: Level, message: &str, id: &str) -> (Level, String, Option<String>) {
    (level, message.into(), (!id.is_empty()).then(|| id.into()))
}

#[test]
fn records_carry_the_workflow_of_their_handler() {
    let harness = Harness::<Logger>::new(()).unwrap();
    assert_eq!(harness.logs()[0].message, "made");
    assert_eq!(harness.logs()[0].target, "harness::harness::logs");
    let first = harness.message("say", &()).workflow_id("1").start::<()>().unwrap();
    let second = harness.message("say", &()).workflow_id("2").start::<()>().unwrap();
    first.wait().unwrap();
    second.wait().unwrap();
    let expected = [
        record(Level::Debug, "before formatted 0 n=1 text=a", "1"),
        record(Level::Debug, "before formatted 1 n=1 text=a", "2"),
        record(Level::Warn, "after", "1"),
        record(Level::Warn, "after", "2"),
    ];
    assert_eq!(records(&harness), expected);
}

#[test]
fn all_kinds_of_handlers_log() {
    let harness = Harness::<Logger>::new(()).unwrap();
    for connection in ["say_at_once", "say_blocking", "say_beside"] {
        harness.message(connection, &()).workflow_id(connection).request::<()>().unwrap();
    }
    harness.run_main().unwrap();
    harness.advance(Duration::from_secs(1)).unwrap();
    harness.stop().unwrap();
    let mut records = records(&harness);
    let panicked = records.remove(4);
    assert!(panicked.1.starts_with("background work ended: panicked: beside at "), "{panicked:?}");
    let expected = [
        record(Level::Error, "at once", "say_at_once"),
        record(Level::Trace, "blocking", "say_blocking"),
        record(Level::Info, "main", ""),
        record(Level::Info, "beside", "say_beside"),
        record(Level::Info, "dropped", ""),
    ];
    assert_eq!(records, expected);
}

#[test]
fn a_record_that_is_not_wanted_is_not_built() {
    let harness = Harness::<Logger>::new(()).unwrap();
    harness.set_log_level(Some(Level::Warn));
    let () = harness.request("say", &()).unwrap();
    assert_eq!(records(&harness).len(), 1);
    harness.set_log_level(None);
    let () = harness.request("say", &()).unwrap();
    assert_eq!(records(&harness).len(), 1);
    harness.set_log_level(Some(Level::Debug));
    let () = harness.request("say", &()).unwrap();
    assert_eq!(records(&harness)[1].1, "before formatted 0 n=1 text=a");
}

#[test]
fn two_services_keep_their_records_apart() {
    let (one, other) = (Harness::<Logger>::new(()).unwrap(), Harness::<Logger>::new(()).unwrap());
    let () = one.request("say_at_once", &()).unwrap();
    assert_eq!((records(&one).len(), records(&other).len()), (1, 0));
}
