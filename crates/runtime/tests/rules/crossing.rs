//! What a service waits for may go to another thread, half done, and back, and be given up anywhere.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread::ThreadId;

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, Raw, address, run, until_async, wired};

const NEXT: Requester<Value, Value> = Requester::new("next").deadline_s(60.0);

/// Waits for ever, and notes where it is given up.
const OUTSIDE: ExternalTarget<At, Empty> = ExternalTarget::new_async("outside", |at| {
    let _left = Left(at.scene(), std::thread::current().id());
    Box::pin(async move {
        let _left = _left;
        std::future::pending().await
    })
});

struct Left(Arc<Scene>, ThreadId);

impl Drop for Left {
    fn drop(&mut self) {
        let is_home = std::thread::current().id() == self.1;
        self.0.note(if is_home { "given up at home" } else { "given up elsewhere" });
    }
}

type Work<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// Goes on with what must not be done yet, as far as it goes.
async fn poll_once<T>(work: &mut Work<T>) {
    let is_pending =
        std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_pending())).await;
    assert!(is_pending, "nobody has answered");
}

/// Runs a future on another thread.
async fn elsewhere<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (done, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        _ = done.send(runtime.block_on(future));
    });
    wait.await.expect("the thread does not panic")
}

/// Waits on one thread after the other.
struct Wanderer(At);

#[service(uses(NEXT, OUTSIDE))]
impl Wanderer {
    fn new(at: At) -> Result<Self> {
        Ok(Self(at))
    }

    fn ask(cx: &Context, args: Value) -> Work<Value> {
        let cx = cx.clone();
        Box::pin(async move { cx.request(&NEXT, &args).await })
    }

    #[replyer]
    async fn away(&self, args: Value, cx: &Context) -> Result<Value> {
        let (mut asked, scene) = (Self::ask(cx, args), self.0.scene());
        poll_once(&mut asked).await;
        elsewhere(async move {
            poll_once(&mut asked).await;
            scene.note("away");
            asked.await
        })
        .await
    }

    #[replyer]
    async fn back(&self, args: Value, cx: &Context) -> Result<Value> {
        let (mut asked, scene) = (Self::ask(cx, args), self.0.scene());
        poll_once(&mut asked).await;
        let asked = elsewhere(async move {
            poll_once(&mut asked).await;
            (asked,)
        });
        let (mut asked,) = asked.await;
        poll_once(&mut asked).await;
        scene.note("back");
        asked.await
    }

    #[replyer]
    async fn give_up(&self, cx: &Context) -> Result<Empty> {
        for is_polled_away in [false, true] {
            let (cx, at) = (cx.clone(), self.0.clone());
            let mut called: Work<Empty> = Box::pin(async move { cx.call(&OUTSIDE, &at).await });
            poll_once(&mut called).await;
            elsewhere(async move {
                if is_polled_away {
                    poll_once(&mut called).await;
                }
                drop(called);
            })
            .await;
        }
        Ok(())
    }

    #[replyer]
    async fn outlive(&self, args: Value, cx: &Context) -> Result<Empty> {
        let (mut asked, scene) = (Self::ask(cx, args), self.0.scene());
        poll_once(&mut asked).await;
        elsewhere(async move {
            scene.note("away");
            scene.block("door");
            scene.note(asked.await.unwrap_err().code());
        })
        .await;
        Ok(())
    }
}

impl Drop for Wanderer {
    fn drop(&mut self) {
        self.0.scene().note("dropped");
    }
}

service_framework::link!(Wanderer);

fn wanderer(scene: &Scene, next: &str, drain_s: f64) -> Service {
    let names = ["away", "back", "give_up", "outlive"];
    let entries: Map = names.map(|name| (name, value!({"replyer": "127.0.0.1:0"}))).into_iter().collect();
    let book = value!({
        "in": (Value::Map(entries)),
        "out": {"next": {"requester": next}},
        "settings": {"drain_s": drain_s},
    });
    let mut service = Service::of::<Wanderer>(Options { config: scene.config().into(), ..wired(book) });
    service.start().unwrap();
    service
}

#[test]
fn a_request_is_answered_on_the_thread_that_it_went_to() {
    for where_to in ["away", "back"] {
        let scene = Scene::new();
        run(async {
            let (peer, at) = Raw::bind(Role::Router).await;
            let mut service = wanderer(&scene, &at.to_string(), 60.0);
            let client = Client::to(&address(&service, where_to));
            let asked = tokio::task::spawn_local(async move { client.ask(value!({"a": 1})).await });
            let frames = peer.recv().await;
            scene.noted(where_to).await;
            let reply = b"\x82\xabreturn_args\x81\xa1b\x02\xabworkflow_id\xa1w";
            peer.send(&[&frames[0], &frames[1], &frames[2], reply]);
            assert_eq!(asked.await.unwrap().ok(), value!({"b": 2}));
            assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
        });
        assert!(scene.has("dropped"));
    }
}

#[test]
fn a_call_that_is_dropped_elsewhere_is_given_up_at_home() {
    let scene = Scene::new();
    run(async {
        let mut service = wanderer(&scene, "127.0.0.1:9", 60.0);
        Client::to(&address(&service, "give_up")).ask(value!({})).await.ok();
        until_async(|| scene.notes().len() == 2).await;
        assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
    });
    assert_eq!(scene.notes(), ["given up at home", "given up at home", "dropped"]);
}

#[test]
fn a_request_that_outlives_its_service_is_told_so_and_keeps_nothing_of_it() {
    let scene = Scene::new();
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let mut service = wanderer(&scene, &at.to_string(), 0.05);
        let client = Client::to(&address(&service, "outlive"));
        let asked = tokio::task::spawn_local(async move { client.ask(value!({"a": 1})).await });
        peer.recv().await;
        scene.noted("away").await;
        let ended = tokio::task::spawn_blocking(move || service.stop().unwrap());
        assert_eq!(asked.await.unwrap().code(), "stopping");
        assert_eq!(ended.await.unwrap().not_drained, ["outlive (1)"]);
    });
    assert_eq!(scene.notes(), ["away", "dropped"]);
    scene.open("door");
    scene.wait_for("stopping");
}

#[test]
fn a_request_that_was_moved_is_given_up_with_its_handler() {
    let scene = Scene::new();
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let mut service = wanderer(&scene, &at.to_string(), 0.05);
        let client = Client::to(&address(&service, "back"));
        let asked = tokio::task::spawn_local(async move { client.ask(value!({"a": 1})).await });
        peer.recv().await;
        scene.noted("back").await;
        let ended = tokio::task::spawn_blocking(move || service.stop().unwrap());
        assert_eq!(asked.await.unwrap().code(), "stopping");
        assert_eq!(ended.await.unwrap().not_drained, ["back (1)"]);
    });
    assert_eq!(scene.notes(), ["back", "dropped"]);
}
