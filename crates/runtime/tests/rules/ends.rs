//! Where a service ends: on its own thread, and on another one only if its type may go there.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, address, run, wired};

/// Blocks until the door is open, and notes when its thread is over and all that was done on it.
const OUTSIDE: ExternalTarget<At, Empty> = ExternalTarget::new("outside", |at| {
    thread_local! {
        static OVER: RefCell<Option<Noted>> = const { RefCell::new(None) };
    }
    OVER.set(Some(Noted(at.scene())));
    at.scene().note("outside");
    at.scene().block("door");
    Ok(())
});

struct Noted(Arc<Scene>);

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.note("thread over");
    }
}

/// Notes where it ends.
struct Home {
    at: At,
    thread: ThreadId,
}

impl Home {
    fn new(at: At) -> Self {
        Self { at, thread: std::thread::current().id() }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let is_home = std::thread::current().id() == self.thread;
        self.at.scene().note(if is_home { "ended at home" } else { "ended elsewhere" });
    }
}

/// May not leave its thread.
struct Homebody(Rc<RefCell<Home>>);

#[service(uses(OUTSIDE))]
impl Homebody {
    fn new(at: At) -> Result<Self> {
        Ok(Self(Rc::new(RefCell::new(Home::new(at)))))
    }

    #[replyer]
    async fn ask(&self, cx: &Context) -> Result<Empty> {
        let at = self.0.borrow().at.clone();
        cx.call(&OUTSIDE, &at).await
    }
}

service_framework::link!(Homebody);

/// May go anywhere, one thread at a time.
struct Traveller(RefCell<Home>);

#[service(uses(OUTSIDE))]
impl Traveller {
    fn new(at: At) -> Result<Self> {
        Ok(Self(RefCell::new(Home::new(at))))
    }

    #[replyer]
    async fn ask(&self, cx: &Context) -> Result<Empty> {
        let at = self.0.borrow().at.clone();
        cx.call(&OUTSIDE, &at).await
    }
}

service_framework::link!(Traveller);

/// Stops a service while its external target blocks; gives what was noted of its end.
fn stop_while_outside(
    service: impl FnOnce(Options) -> Service,
    drain_s: f64,
    before_stop: impl FnOnce(&Scene),
) -> Vec<String> {
    let scene = Scene::new();
    let book = value!({"in": {"ask": {"replyer": "127.0.0.1:0"}}, "settings": {"drain_s": drain_s}});
    let mut service = service(Options { config: scene.config().into(), ..wired(book) });
    service.start().unwrap();
    run(async {
        let client = Client::to(&address(&service, "ask"));
        let asked = tokio::task::spawn_local(async move { client.ask(value!({})).await });
        scene.noted("outside").await;
        before_stop(&scene);
        let stopping = tokio::task::spawn_blocking(move || service.stop().unwrap());
        asked.await.unwrap();
        stopping.await.unwrap();
    });
    scene.open("door");
    scene.wait_for("thread over");
    scene.notes().into_iter().filter(|note| note.starts_with("ended")).collect()
}

#[test]
fn a_service_that_may_not_leave_its_thread_is_not_ended_on_another() {
    let nowhere: [&str; 0] = [];
    assert_eq!(stop_while_outside(Service::of::<Homebody>, 0.05, |_| ()), nowhere);
}

#[test]
fn a_service_that_may_leave_its_thread_ends_with_the_target_that_outlives_it() {
    assert_eq!(stop_while_outside(Service::of::<Traveller>, 0.05, |_| ()), ["ended elsewhere"]);
}

#[test]
fn a_service_whose_targets_return_in_time_ends_at_home() {
    let open = |scene: &Scene| scene.open("door");
    assert_eq!(stop_while_outside(Service::of::<Homebody>, 60.0, open), ["ended at home"]);
}

/// Is declared blocking when it is described, and otherwise when it is made.
struct Fickle;

impl Serve for Fickle {
    const NAME: &'static str = "fickle";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        static IS_DESCRIBED: AtomicBool = AtomicBool::new(false);
        let handling = service.replyer::<Empty>("ask");
        if IS_DESCRIBED.swap(true, Ordering::SeqCst) {
            handling.handle_inline(|_: &Self, _: Empty, _: &Context| Ok(()));
        } else {
            handling.handle_blocking(|_: &Self, _: Empty, _: &BlockingContext| Ok(()));
        }
    }
}

service_framework::link!(Fickle);

#[test]
fn what_was_not_declared_blocking_never_runs_on_another_thread() {
    let mut service = Service::of::<Fickle>(wired(value!({"in": {"ask": {"replyer": "127.0.0.1:0"}}})));
    service.start().unwrap();
    run(async {
        let (code, message) = Client::to(&address(&service, "ask")).ask(value!({})).await.error();
        assert_eq!(code, "failed");
        assert!(message.contains("was not declared blocking"), "{message}");
    });
    service.stop().unwrap();
}
