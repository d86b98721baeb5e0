//! What a stop waits for, and what it ends.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use expect_test::expect;
use service_framework::prelude::*;

use super::exported::exported;

const STEPS: Publisher<Value> = Publisher::new("steps");

/// Tells by `steps` how far it came.
struct Stopped;

fn step(cx: &Context, name: &str) -> Result<()> {
    cx.publish(&STEPS, &value!({"step": name}))
}

/// Whether the endless work was dropped, which one test begins.
static IS_DROPPED: AtomicBool = AtomicBool::new(false);

struct Endless;

impl Drop for Endless {
    fn drop(&mut self) {
        IS_DROPPED.store(true, Relaxed);
    }
}

impl Serve for Stopped {
    const NAME: &'static str = "stopped";
    type Config = Empty;

    fn new((): Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&STEPS);
        service.replyer("slow").handle(async |_: &Self, _: Empty, cx: &Context| {
            cx.sleep(Duration::from_secs(20)).await;
            step(cx, "slow")
        });
        service.replyer("heeding").handle_inline(|_: &Self, _: Empty, cx: &Context| {
            cx.spawn(async |cx| {
                cx.stopping().await;
                cx.sleep(Duration::from_secs(10)).await;
                step(&cx, "heeding")
            });
            Ok(())
        });
        service.replyer("endless").handle_inline(|_: &Self, _: Empty, cx: &Context| {
            cx.spawn(async |cx| {
                let _endless = Endless;
                loop {
                    cx.sleep(Duration::from_secs(15)).await;
                    step(&cx, "endless")?;
                }
            });
            Ok(())
        });
        service.replyer("late").handle_inline(|_: &Self, _: Empty, cx: &Context| {
            cx.spawn(async |cx| {
                cx.stopping().await;
                cx.sleep(Duration::from_secs(31)).await;
                Ok(())
            });
            Ok(())
        });
        service.replyer("quick").handle_inline(|_: &Self, _: Empty, _: &Context| Ok(()));
        service.main(async |_: &Self, cx: &Context| {
            loop {
                cx.sleep(Duration::from_secs(1)).await;
                step(cx, "main")?;
            }
        });
    }
}

exported!(Stopped);

fn stopped() -> Harness<Stopped> {
    Harness::new(()).unwrap()
}

fn steps(harness: &Harness<Stopped>) -> Vec<String> {
    let steps = harness.published(&STEPS);
    steps.iter().map(|sent| sent.get("step").and_then(Value::as_text).unwrap().to_owned()).collect()
}

#[test]
fn background_work_that_asked_for_the_stop_is_waited_for() {
    let harness = stopped();
    let () = harness.request("heeding", &()).unwrap();
    harness.stop().unwrap();
    assert_eq!(steps(&harness), ["heeding"]);
}

#[test]
fn background_work_that_outlasts_the_stop_is_named() {
    let harness = stopped();
    let () = harness.request("late", &()).unwrap();
    let failure = harness.stop().unwrap_err();
    expect!["stopping: not ended when the service stopped: `background work`: it waits for 31s to pass"]
        .assert_eq(&failure.to_string());
}

#[test]
fn other_background_work_goes_on_as_long_as_handlers_do_and_is_dropped() {
    let harness = stopped();
    let () = harness.request("endless", &()).unwrap();
    let slow = harness.start::<_, ()>("slow", &()).unwrap();
    harness.stop().unwrap();
    slow.wait().unwrap();
    assert_eq!(steps(&harness), ["endless", "slow"]);
    assert!(IS_DROPPED.load(Relaxed));
}

#[test]
fn a_main_that_never_asks_is_ended_at_once() {
    let harness = stopped();
    let main = harness.start_main().unwrap();
    harness.advance(Duration::from_secs(2)).unwrap();
    let slow = harness.start::<_, ()>("slow", &()).unwrap();
    harness.stop().unwrap();
    slow.wait().unwrap();
    assert_eq!(main.wait().unwrap_err().code(), "stopping");
    assert_eq!(steps(&harness), ["main", "main", "slow"]);
}

#[test]
fn main_takes_no_place_of_a_request() {
    let harness = stopped();
    let _main = harness.start_main().unwrap();
    let in_work: Vec<_> = (0..1_024).map(|_| harness.start::<_, ()>("slow", &()).unwrap()).collect();
    let refused = harness.start::<_, ()>("quick", &()).unwrap().wait().unwrap_err();
    assert_eq!(refused.code(), "busy");
    for pending in in_work {
        pending.wait().unwrap();
    }
}
