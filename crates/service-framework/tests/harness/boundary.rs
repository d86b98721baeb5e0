//! What must not cross the plugin boundary, or must not break on it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use expect_test::expect;
use service_framework::harness::Pending;
use service_framework::prelude::*;

use super::exported::exported;

static KEPT: Mutex<Option<Context>> = Mutex::new(None);

const AUDIT: Requester<Value, Value> = Requester::new("audit");

/// Counts its drops, and panics in them if it is told to.
#[derive(Default)]
struct Dropped {
    panics: bool,
}

static DROPPED: AtomicU32 = AtomicU32::new(0);

impl Drop for Dropped {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics, "in drop");
    }
}

/// A waker that panics when it is used, and when it is dropped.
struct Grumpy;

impl Wake for Grumpy {
    fn wake(self: Arc<Self>) {
        panic!("woken");
    }
}

impl Drop for Grumpy {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "dropped");
    }
}

struct Fragile {
    _dropped: Dropped,
}

impl Serve for Fragile {
    const NAME: &'static str = "fragile";
    type Config = Value;

    fn new(config: Value) -> Result<Self> {
        let is = |name: &str| config.get(name).is_some();
        assert!(!is("panic"), "in new");
        if is("payload") {
            std::panic::panic_any(7_u32);
        }
        Ok(Self { _dropped: Dropped { panics: is("panic_in_drop") } })
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&AUDIT);
        service
            .replyer("inline")
            .handle_inline(|_: &Self, _: Empty, _: &Context| -> Result<()> { panic!("inline") });
        service.replyer("before").handle(async |_: &Self, _: Empty, cx: &Context| -> Result<()> {
            if cx.workflow_id().is_some() {
                panic!("before {}", 1);
            }
            cx.sleep(Duration::from_secs(1)).await;
            Ok(())
        });
        service.replyer("after").handle(async |_: &Self, _: Empty, cx: &Context| -> Result<()> {
            cx.sleep(Duration::from_secs(1)).await;
            panic!("after")
        });
        service
            .replyer("blocking")
            .handle_blocking(|_: &Self, _: Empty, _: &BlockingContext| -> Result<()> { panic!("blocking") });
        service
            .replyer("payload")
            .handle_inline(|_: &Self, _: Empty, _: &Context| -> Result<()> { std::panic::panic_any(7_u32) });
        service.replyer("bomb").handle_inline(|_: &Self, _: Empty, _: &Context| -> Result<()> {
            std::panic::panic_any(Dropped { panics: true })
        });
        service.replyer("half").handle(async |_: &Self, _: Empty, cx: &Context| -> Result<()> {
            let _dropped = Dropped { panics: true };
            cx.request(&AUDIT, &Value::Null).await?;
            Ok(())
        });
        service.replyer("tokio").handle(async |_: &Self, _: Empty, _: &Context| -> Result<()> {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        });
        service.replyer("bad_waker").handle(async |_: &Self, _: Empty, cx: &Context| -> Result<()> {
            let waker = Waker::from(Arc::new(Grumpy));
            let mut sleep = std::pin::pin!(cx.sleep(Duration::from_secs(1)));
            assert!(sleep.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
            drop(waker);
            // The host wakes its own meanwhile, and then drops it.
            cx.sleep(Duration::from_secs(2)).await;
            sleep.await;
            Ok(())
        });
        service.replyer("keep").handle_inline(|_: &Self, _: Empty, cx: &Context| {
            *KEPT.lock().unwrap() = Some(cx.clone());
            Ok(())
        });
        service.replyer("fine").handle_inline(|_: &Self, _: Empty, _: &Context| Ok(()));
    }
}

exported!(Fragile);

fn fragile() -> Harness<Fragile> {
    Harness::new(value!({})).unwrap()
}

/// The failure of a request, without the place in this file; the service goes on after it.
#[track_caller]
fn check(connection: &str, expected: expect_test::Expect) {
    let harness = fragile();
    let failure = harness.request::<_, ()>(connection, &()).unwrap_err();
    let text = failure.to_string();
    let place = text.find(" at crates").map_or(text.len(), |at| at);
    let rest = &text[place..];
    assert!(rest.is_empty() || rest.contains("boundary.rs:"), "{text}");
    expected.assert_eq(&text[..place]);
    let () = harness.request("fine", &()).unwrap();
}

#[test]
fn a_panic_in_a_handler_is_an_error() {
    check("inline", expect!["panicked: inline"]);
    check("before", expect!["panicked: before 1"]);
    check("after", expect!["panicked: after"]);
    check("blocking", expect!["panicked: blocking"]);
}

#[test]
fn a_panic_without_a_text_is_one_too() {
    check("payload", expect!["panicked: a panic without a text"]);
    check("bomb", expect!["panicked: a panic without a text"]);
}

#[test]
fn a_panic_in_new_is_an_error() {
    let failure = |config| Harness::<Fragile>::new(config).unwrap_err().to_string();
    assert!(failure(value!({"panic": true})).starts_with("panicked: new: in new at "));
    assert!(failure(value!({"payload": true})).starts_with("panicked: new: a panic without a text at "));
}

#[test]
fn a_panic_in_drop_harms_nobody() {
    let before = DROPPED.load(Ordering::SeqCst);
    let harness = Harness::<Fragile>::new(value!({"panic_in_drop": true})).unwrap();
    let () = harness.request("fine", &()).unwrap();
    harness.stop().unwrap();
    assert!(DROPPED.load(Ordering::SeqCst) > before);
}

#[test]
fn a_future_is_dropped_half_way_even_if_its_drop_panics() {
    let harness = fragile();
    harness.ignore(&AUDIT);
    let failure = harness.message("half", &()).deadline(Duration::from_secs(1)).request::<()>().unwrap_err();
    assert_eq!(failure.code(), "deadline");
    let pending = harness.start::<_, ()>("half", &()).unwrap();
    harness.settle().unwrap();
    let before = DROPPED.load(Ordering::SeqCst);
    drop((harness, pending));
    assert!(DROPPED.load(Ordering::SeqCst) > before);
}

#[test]
fn a_waker_of_the_authors_that_panics_harms_nobody() {
    let harness = fragile();
    let () = harness.request("bad_waker", &()).unwrap();
}

#[test]
fn a_service_may_end_with_the_thread_that_kept_it() {
    thread_local! {
        static KEPT: RefCell<Option<(Harness<Fragile>, Pending<()>)>> = const { RefCell::new(None) };
    }
    let before = DROPPED.load(Ordering::SeqCst);
    let thread = std::thread::spawn(|| {
        // What a thread keeps ends in the order opposite to that in which it was first looked at: what is behind panics and logs goes before the service.
        KEPT.set(None);
        let harness = Harness::<Fragile>::new(value!({"panic_in_drop": true})).unwrap();
        harness.request::<_, ()>("inline", &()).unwrap_err();
        harness.ignore(&AUDIT);
        let half = harness.start::<_, ()>("half", &()).unwrap();
        harness.settle().unwrap();
        KEPT.set(Some((harness, half)));
    });
    thread.join().unwrap();
    assert!(DROPPED.load(Ordering::SeqCst) >= before + 2, "the half handler ends, and the service");
}

#[test]
fn tokio_without_a_runtime_names_the_remedy() {
    let failure = fragile().request::<_, ()>("tokio", &()).unwrap_err();
    assert_eq!(failure.code(), "panicked");
    assert!(failure.message().starts_with("tokio was used at "), "{failure}");
    assert!(failure.message().ends_with(" without a runtime: export the service with `export!(.., tokio)`"));
}

#[test]
fn a_context_that_outlives_its_service_gets_nothing_more() {
    let harness = fragile();
    harness.message("keep", &()).workflow_id("w").request::<()>().unwrap();
    drop(harness);
    let cx = KEPT.lock().unwrap().take().unwrap();
    assert_eq!(cx.workflow_id(), Some("w"));
    let waker = Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    let null = Value::Null;
    let mut request = std::pin::pin!(cx.request(&AUDIT, &null));
    let std::task::Poll::Ready(outcome) = request.as_mut().poll(&mut context) else { panic!("it waits") };
    expect!["stopping: the service is gone"].assert_eq(&outcome.unwrap_err().to_string());
    let mut sleep = std::pin::pin!(cx.sleep(Duration::from_secs(1)));
    assert!(sleep.as_mut().poll(&mut context).is_ready());
    cx.spawn(async |_| panic!("it is never polled"));
    cx.stop();
}
