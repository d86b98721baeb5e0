//! Which handlers run beside one another.

use expect_test::expect;
use service_framework::prelude::*;

use super::exported::exported;

#[derive(Model, Clone)]
struct Step {
    name: String,
}

const STEPS: Publisher<Step> = Publisher::new("steps");

struct Steps;

impl Serve for Steps {
    const NAME: &'static str = "steps";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&STEPS);
        service.replyer("shared").handle(async |_: &Self, step: Step, cx: &Context| walk(step, cx).await);
        service
            .replyer("alone")
            .handle_mut(async |_: &mut Self, step: Step, cx: &Context| walk(step, cx).await);
        service
            .replyer("alone_at_once")
            .handle_inline_mut(|_: &mut Self, step: Step, cx: &Context| say(cx, &step.name));
        service.replyer("fall").handle_mut(async |_: &mut Self, _: Step, cx: &Context| -> Result<()> {
            cx.sleep(Duration::from_secs(1)).await;
            panic!("fell");
        });
        service.subscriber("one").handle(async |_: &Self, step: Step, cx: &Context| walk(step, cx).await);
        service.subscriber("other").handle(async |_: &Self, step: Step, cx: &Context| walk(step, cx).await);
    }
}

exported!(Steps);

fn say(cx: &Context, text: &str) -> Result<()> {
    cx.publish(&STEPS, &Step { name: text.into() })
}

async fn walk(step: Step, cx: &Context) -> Result<()> {
    say(cx, &format!("{}(", step.name))?;
    cx.sleep(Duration::from_secs(1)).await;
    say(cx, &format!("{})", step.name))
}

/// Starts exchanges one after the other, waits for all, and gives what they did in which order.
#[track_caller]
fn check(calls: &[&str], expected: expect_test::Expect) {
    let harness = Harness::<Steps>::new(()).unwrap();
    let start = |(i, connection): (usize, &&str)| {
        harness.start::<_, ()>(connection, &Step { name: i.to_string() }).unwrap()
    };
    let pending: Vec<_> = calls.iter().enumerate().map(start).collect();
    for pending in pending {
        pending.wait().unwrap();
    }
    let steps: Vec<_> = harness.published(&STEPS).into_iter().map(|step| step.name).collect();
    expected.assert_eq(&steps.join(" "));
}

#[test]
fn shared_handlers_interleave() {
    check(&["shared", "shared", "shared"], expect!["0( 1( 2( 0) 1) 2)"]);
}

#[test]
fn an_exclusive_handler_waits_until_none_runs_and_runs_alone() {
    check(&["shared", "alone", "shared"], expect!["0( 0) 1( 1) 2( 2)"]);
}

#[test]
fn order_of_arrival_is_kept() {
    check(
        &["alone", "shared", "shared", "alone_at_once", "alone", "shared"],
        expect!["0( 0) 1( 2( 1) 2) 3 4( 4) 5( 5)"],
    );
}

#[test]
fn messages_of_one_subscriber_are_handled_one_at_a_time() {
    check(&["one", "one", "other"], expect!["0( 2( 0) 1( 2) 1)"]);
}

#[test]
fn subscribers_keep_to_the_rule_too() {
    check(&["one", "alone", "one"], expect!["0( 0) 1( 1) 2( 2)"]);
}

#[test]
fn after_a_panic_of_an_exclusive_handler_the_service_goes_on() {
    let harness = Harness::<Steps>::new(()).unwrap();
    let step = Step { name: "a".into() };
    let fall = harness.start::<_, ()>("fall", &step).unwrap();
    let shared = harness.start::<_, ()>("shared", &step).unwrap();
    let alone = harness.start::<_, ()>("alone", &step).unwrap();
    assert_eq!(fall.wait().unwrap_err().code(), "panicked");
    shared.wait().unwrap();
    alone.wait().unwrap();
}

#[test]
fn whoever_gives_up_lets_the_next_in() {
    let harness = Harness::<Steps>::new(()).unwrap();
    let step = Step { name: "a".into() };
    let first = harness.start::<_, ()>("shared", &step).unwrap();
    let hurried = harness.message("alone", &step).deadline(Duration::from_millis(10)).start::<()>().unwrap();
    let second = harness.start::<_, ()>("shared", &step).unwrap();
    assert_eq!(hurried.wait().unwrap_err().code(), "deadline");
    assert_eq!(harness.published(&STEPS).len(), 2, "the one behind it has begun");
    first.wait().unwrap();
    second.wait().unwrap();
}

#[test]
fn too_many_requests_are_refused() {
    let harness = Harness::<Steps>::new(()).unwrap();
    let step = Step { name: "a".into() };
    let mut pending: Vec<_> = (0..1025).map(|_| harness.start::<_, ()>("alone", &step).unwrap()).collect();
    assert_eq!(pending.pop().unwrap().wait().unwrap_err().code(), "busy");
    assert!(pending.into_iter().all(|pending| pending.wait().is_ok()));
}

#[test]
fn many_inline_handlers_in_a_queue_need_no_deep_stack() {
    let harness = Harness::<Steps>::new(()).unwrap();
    let step = Step { name: "a".into() };
    let first = harness.start::<_, ()>("shared", &step).unwrap();
    let pending: Vec<_> =
        (0..1000).map(|_| harness.start::<_, ()>("alone_at_once", &step).unwrap()).collect();
    first.wait().unwrap();
    assert!(pending.into_iter().all(|pending| pending.wait().is_ok()));
}
