//! What waits for ever is said to.

use std::cell::RefCell;
use std::task::{Poll, Waker};

use expect_test::expect;
use service_framework::prelude::*;

use super::exported::exported;

#[derive(Default)]
struct Stuck {
    held: RefCell<Vec<Waker>>,
}

impl Serve for Stuck {
    const NAME: &'static str = "stuck";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self::default())
    }

    fn declare(service: &mut Declare<Self>) {
        service.replyer("until_stop").handle(async |_: &Self, _: Empty, cx: &Context| {
            cx.stopping().await;
            Ok(())
        });
        service
            .replyer("nothing")
            .handle(async |_: &Self, _: Empty, _: &Context| -> Result<()> { std::future::pending().await });
        service.replyer("held").handle(async |this: &Self, _: Empty, _: &Context| -> Result<()> {
            std::future::poll_fn(|context| {
                this.held.borrow_mut().push(context.waker().clone());
                Poll::Pending
            })
            .await
        });
        service.replyer("thread").handle(async |_: &Self, _: Empty, _: &Context| {
            let mut thread = None;
            std::future::poll_fn(|context| {
                let waker = context.waker().clone();
                let thread = thread.get_or_insert_with(|| {
                    std::thread::spawn(move || {
                        let clone = waker.clone();
                        drop(waker);
                        clone.wake();
                    })
                });
                if thread.is_finished() {
                    Poll::Ready(())
                } else {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
            })
            .await;
            Ok(())
        });
        service.replyer("alone").handle_mut(async |_: &mut Self, _: Empty, _: &Context| Ok(()));
        service.replyer("spin").handle(async |_: &Self, _: Empty, _: &Context| -> Result<()> {
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await
        });
        service.main(async |_: &Self, cx: &Context| {
            loop {
                cx.sleep(Duration::from_secs(1)).await;
            }
        });
    }
}

exported!(Stuck);

#[track_caller]
fn check(connection: &str, expected: expect_test::Expect) {
    let harness = Harness::<Stuck>::new(()).unwrap();
    harness.set_patience(Duration::from_millis(10));
    let failure = harness.request::<_, ()>(connection, &()).unwrap_err();
    expected.assert_eq(&failure.to_string());
}

#[test]
fn the_reason_is_named() {
    check("until_stop", expect!["failed: `until_stop` waits for ever: it waits for the service to stop"]);
    check(
        "nothing",
        expect!["failed: `nothing` waits for ever: it waits for something outside of the harness"],
    );
    check(
        "held",
        expect!["failed: `held` has not ended for 10ms: it waits for something outside of the harness"],
    );
    check(
        "spin",
        expect![
            "failed: `spin` goes on for ever (1000000 steps in no time): it waits for something outside of the harness"
        ],
    );
}

#[test]
fn a_turn_that_never_comes_is_named() {
    let harness = Harness::<Stuck>::new(()).unwrap();
    let first = harness.start::<_, ()>("nothing", &()).unwrap();
    let failure = harness.request::<_, ()>("alone", &()).unwrap_err();
    expect!["failed: `alone` waits for ever: it is not its turn while `nothing` runs"]
        .assert_eq(&failure.to_string());
    drop(first);
}

#[test]
fn a_main_without_an_end_is_named() {
    let failure = Harness::<Stuck>::new(()).unwrap().run_main().unwrap_err();
    expect!["failed: `main` goes on for ever (100000 waits): it waits for 1s to pass"]
        .assert_eq(&failure.to_string());
}

#[test]
fn wakes_of_other_threads_are_waited_for() {
    let harness = Harness::<Stuck>::new(()).unwrap();
    let () = harness.request("thread", &()).unwrap();
}
