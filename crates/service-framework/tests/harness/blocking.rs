//! Handlers that block a thread.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use service_framework::prelude::*;

use super::exported::exported;

const AUDIT: Requester<Value, Value> = Requester::new("audit");
const TICKS: Publisher<Value> = Publisher::new("ticks");

/// A value that is set from outside, so that a thread can be held up for as long as a test wants.
static GATES: Mutex<Vec<Receiver<()>>> = Mutex::new(Vec::new());

struct Blocker;

impl Serve for Blocker {
    const NAME: &'static str = "blocker";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&AUDIT).uses(&TICKS);
        service.replyer("sleep").handle_blocking(|_: &Self, args: Value, cx: &BlockingContext| {
            cx.sleep(Duration::from_secs(args.as_f64().unwrap() as u64));
            cx.publish(&TICKS, &args)?;
            Ok(args)
        });
        service
            .replyer("ask")
            .handle_blocking(|_: &Self, args: Value, cx: &BlockingContext| cx.request(&AUDIT, &args));
        service.replyer("compute").handle_blocking(|_: &Self, _: Value, _: &BlockingContext| {
            let gate = GATES.lock().unwrap().pop().unwrap();
            _ = gate.recv();
            Ok(Value::from("computed"))
        });
        service.replyer("quick").handle(async |_: &Self, args: Value, cx: &Context| {
            cx.sleep(Duration::from_secs(3)).await;
            cx.publish(&TICKS, &args)?;
            Ok(args)
        });
        service.main_blocking(|_: &Self, cx: &BlockingContext| {
            let mut count = 0;
            while cx.sleep(Duration::from_secs(60)) {
                count += 1;
                cx.publish(&TICKS, &Value::from(count))?;
            }
            assert!(cx.is_stopping());
            Ok(())
        });
    }
}

exported!(Blocker);

#[test]
fn threads_share_the_virtual_time() {
    let harness = Harness::<Blocker>::new(()).unwrap();
    let slow = harness.start::<_, Value>("sleep", &Value::from(5)).unwrap();
    let middle = harness.start::<_, Value>("quick", &Value::from(3)).unwrap();
    let fast = harness.start::<_, Value>("sleep", &Value::from(1)).unwrap();
    assert_eq!(slow.wait().unwrap(), Value::from(5));
    assert!(middle.is_done() && fast.is_done());
    assert_eq!(harness.published(&TICKS), [1, 3, 5].map(Value::from));
    assert_eq!(harness.elapsed(), Duration::from_secs(5));
}

#[test]
fn a_blocking_handler_requests() {
    let harness = Harness::<Blocker>::new(()).unwrap();
    harness.answer_after(&AUDIT, Duration::from_secs(1), Ok);
    let answer: Value = harness.request("ask", &value!({"a": 1})).unwrap();
    assert_eq!(answer, value!({"a": 1}));
}

#[test]
fn time_stands_still_while_a_thread_computes() {
    let harness = Harness::<Blocker>::new(()).unwrap();
    let (open, gate) = channel();
    GATES.lock().unwrap().push(gate);
    let slow = harness.start::<_, Value>("compute", &Value::Null).unwrap();
    let quick = harness.start::<_, Value>("quick", &Value::Null).unwrap();
    harness.set_patience(Duration::from_millis(20));
    let failure = harness.advance(Duration::from_secs(10)).unwrap_err();
    assert_eq!(failure.message(), "the service has not come to rest for 20ms: `compute`: its thread runs");
    assert!(!quick.is_done());
    harness.set_patience(Duration::from_secs(30));
    open.send(()).unwrap();
    assert_eq!(slow.wait().unwrap(), Value::from("computed"));
    quick.wait().unwrap();
}

#[test]
fn a_blocking_main_goes_on_until_the_service_stops() {
    let harness = Harness::<Blocker>::new(()).unwrap();
    let main = harness.start_main().unwrap();
    harness.advance(Duration::from_secs(150)).unwrap();
    assert_eq!(harness.published(&TICKS), [1, 2].map(Value::from));
    harness.stop().unwrap();
    main.wait().unwrap();
}

#[test]
fn a_thread_that_outlives_its_service_gets_nothing_more() {
    let harness = Harness::<Blocker>::new(()).unwrap();
    harness.ignore(&AUDIT);
    let pending = harness.start::<_, Value>("ask", &Value::Null).unwrap();
    harness.settle().unwrap();
    drop(pending);
    drop(harness);
}
