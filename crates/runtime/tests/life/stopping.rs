//! Stopping drains: what was begun ends, what comes late is told so, and what does not end in time is named.

use std::rc::Rc;
use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, Raw, address, counters, request, run, until_async, wired};

const NEXT: Requester<Value, Value> = Requester::new("next").deadline_s(60.0);

#[derive(Model)]
struct Door {
    door: String,
}

/// Waits at doors.
struct Waiting {
    scene: Arc<Scene>,
}

struct Left(Arc<Scene>, &'static str);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

#[service(uses(NEXT))]
impl Waiting {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[replyer]
    async fn wait(&self, args: Door, cx: &Context) -> Result<Value> {
        let _left = Left(Arc::clone(&self.scene), "left");
        self.scene.note(format!("at {}", args.door));
        self.scene.pass(&args.door, cx).await;
        Ok(value!({"passed": true}))
    }

    #[replyer]
    async fn wait_alone(&mut self, args: Door, cx: &Context) -> Result<Value> {
        self.scene.note(format!("alone at {}", args.door));
        self.scene.pass(&args.door, cx).await;
        Ok(value!({"passed": true}))
    }

    #[replyer(blocking)]
    fn block(&self, args: Door) -> Result<Value> {
        self.scene.note(format!("blocks at {}", args.door));
        self.scene.block(&args.door);
        Ok(value!({"passed": true}))
    }

    #[replyer]
    async fn ask_next(&self, args: Value, cx: &Context) -> Result<Value> {
        self.scene.note("asks");
        cx.request(&NEXT, &args).await
    }

    #[replyer]
    async fn spawn(&self, cx: &Context) -> Result<Empty> {
        let left = Left(Arc::clone(&self.scene), "spawned left");
        cx.spawn(|_| async move {
            let _left = left;
            std::future::pending().await
        });
        Ok(())
    }

    #[subscriber]
    async fn heard(&self, args: Door, cx: &Context) -> Result<()> {
        self.scene.note(format!("heard {}", args.door));
        self.scene.pass(&args.door, cx).await;
        Ok(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.scene.note("dropped");
    }
}

service_framework::link!(Waiting);

fn waiting(scene: &Scene, drain_s: f64, next: &str, heard: &str) -> Service {
    let names = ["wait", "wait_alone", "block", "ask_next", "spawn"];
    let mut entries: Map = names.map(|name| (name, value!({"replyer": "127.0.0.1:0"}))).into_iter().collect();
    entries.insert("heard", value!({"subscriber": heard}));
    let book = value!({
        "in": (Value::Map(entries)),
        "out": {"next": {"requester": next}},
        "settings": {"drain_s": drain_s},
    });
    let mut service = Service::of::<Waiting>(Options { config: scene.config().into(), ..wired(book) });
    service.start().unwrap();
    service
}

const NOBODY: &str = "127.0.0.1:9";

#[test]
fn what_was_begun_ends_and_is_answered() {
    let scene = Scene::new();
    let mut service = waiting(&scene, 60.0, NOBODY, NOBODY);
    run(async {
        let client = Rc::new(Client::to(&address(&service, "wait")));
        let blocking = Client::to(&address(&service, "block"));
        let begun = Rc::clone(&client);
        let begun = tokio::task::spawn_local(async move { begun.ask(value!({"door": "a"})).await });
        let blocked = tokio::task::spawn_local(async move { blocking.ask(value!({"door": "b"})).await });
        scene.noted("at a").await;
        scene.noted("blocks at b").await;
        let stopping = tokio::task::spawn_blocking(move || (service.stop(), service));
        // Late ones are told so, while the first is still in work.
        scene.open("open");
        while client.ask(value!({"door": "open"})).await.outcome.is_ok() {}
        assert_eq!(client.ask(value!({"door": "open"})).await.code(), "stopping");
        assert!(!begun.is_finished() && !blocked.is_finished());
        scene.open("a");
        assert_eq!(begun.await.unwrap().ok(), value!({"passed": true}));
        scene.open("b");
        assert_eq!(blocked.await.unwrap().ok(), value!({"passed": true}));
        let (ended, service) = stopping.await.unwrap();
        assert_eq!(ended.unwrap().not_drained, Vec::<String>::new());
        assert!(counters(&service, "wait").refused["stopping"] >= 1);
    });
}

#[test]
fn what_does_not_end_in_time_is_named_and_its_askers_are_told() {
    let scene = Scene::new();
    let mut service = waiting(&scene, 0.3, NOBODY, NOBODY);
    run(async {
        let ask = |connection: &str, door: &str| {
            let (client, door) = (Client::to(&address(&service, connection)), value!({"door": door}));
            tokio::task::spawn_local(async move { client.ask(door).await })
        };
        let mut asked = vec![ask("wait", "never"), ask("wait", "never"), ask("block", "after")];
        scene.noted("blocks at after").await;
        until_async(|| counters(&service, "wait").messages_in == 2).await;
        asked.push(ask("wait_alone", "never"));
        until_async(|| counters(&service, "wait_alone").messages_in == 1).await;
        let ended = tokio::task::spawn_blocking(move || service.stop().unwrap());
        for asked in asked {
            assert_eq!(asked.await.unwrap().code(), "stopping");
        }
        assert_eq!(ended.await.unwrap().not_drained, ["wait (2)", "wait_alone (1)", "block (1)"]);
    });
    // The thread that blocks has the instance; the futures went before it.
    assert_eq!(scene.notes().iter().filter(|note| *note == "left").count(), 2);
    assert!(!scene.has("dropped"));
    scene.open("after");
    scene.wait_for("dropped");
    assert!(!scene.has("alone at never"));
}

#[test]
fn futures_are_dropped_before_their_instance() {
    let scene = Scene::new();
    let mut service = waiting(&scene, 0.05, NOBODY, NOBODY);
    run(async {
        Client::to(&address(&service, "spawn")).ask(value!({})).await.ok();
        let client = Client::to(&address(&service, "wait"));
        let asked = tokio::task::spawn_local(async move { client.ask(value!({"door": "never"})).await });
        scene.noted("at never").await;
        let ended = tokio::task::spawn_blocking(move || service.stop().unwrap());
        assert_eq!(asked.await.unwrap().code(), "stopping");
        assert_eq!(ended.await.unwrap().not_drained, ["wait (1)"]);
    });
    let mut notes = scene.notes();
    assert_eq!(notes.pop().as_deref(), Some("dropped"), "the instance goes last: {notes:?}");
    assert!(notes.contains(&"left".into()) && notes.contains(&"spawned left".into()), "{notes:?}");
}

#[test]
fn calls_in_flight_may_end_while_the_service_drains_and_are_told_when_it_gives_up() {
    for is_answered in [true, false] {
        let scene = Scene::new();
        run(async {
            let (peer, at) = Raw::bind(Role::Router).await;
            let mut service = waiting(&scene, if is_answered { 60.0 } else { 0.3 }, &at.to_string(), NOBODY);
            let client = Client::to(&address(&service, "ask_next"));
            let asked = tokio::task::spawn_local(async move { client.ask(value!({"a": 1})).await });
            let frames = peer.recv().await;
            let late = Client::to(&address(&service, "wait"));
            let ended = tokio::task::spawn_blocking(move || service.stop().unwrap());
            if is_answered {
                scene.open("open");
                while late.ask(value!({"door": "open"})).await.outcome.is_ok() {}
                let reply = b"\x82\xabreturn_args\x81\xa1b\x02\xabworkflow_id\xa1w";
                peer.send(&[&frames[0], &frames[1], &frames[2], reply]);
                assert_eq!(asked.await.unwrap().ok(), value!({"b": 2}));
                assert_eq!(ended.await.unwrap().not_drained, Vec::<String>::new());
            } else {
                assert_eq!(asked.await.unwrap().code(), "stopping");
                assert_eq!(ended.await.unwrap().not_drained, ["ask_next (1)"]);
            }
        });
    }
}

#[test]
fn messages_that_wait_are_handled_before_a_subscriber_stops() {
    let scene = Scene::new();
    run(async {
        let (publisher, at) = Raw::bind(Role::Publish).await;
        let mut service = waiting(&scene, 60.0, NOBODY, &at.to_string());
        until_async(|| {
            publisher.send(&[b"\xc1"]);
            counters(&service, "heard").messages_in > 0
        })
        .await;
        let publish = |door: &str| publisher.send(&[&request(&value!({"door": door}))]);
        publish("first");
        scene.noted("heard first").await;
        for number in 0..100 {
            scene.open(&number.to_string());
            publish(&number.to_string());
        }
        let arrived = || {
            let counters = counters(&service, "heard");
            counters.messages_in - counters.refused["bad_message"]
        };
        until_async(|| arrived() == 101).await;
        let ended = tokio::task::spawn_blocking(move || service.stop().unwrap());
        scene.open("first");
        assert_eq!(ended.await.unwrap().not_drained, Vec::<String>::new());
        assert_eq!(scene.notes()[..101][100], "heard 99");
    });
    let scene = Scene::new();
    run(async {
        let (publisher, at) = Raw::bind(Role::Publish).await;
        let mut service = waiting(&scene, 0.1, NOBODY, &at.to_string());
        until_async(|| {
            publisher.send(&[&request(&value!({"door": "never"}))]);
            counters(&service, "heard").messages_in >= 3
        })
        .await;
        let arrived = counters(&service, "heard").messages_in;
        let not_drained = service.stop().unwrap().not_drained;
        let named: u64 =
            not_drained[0].strip_prefix("heard (").unwrap().trim_end_matches(')').parse().unwrap();
        assert!(named >= arrived, "{not_drained:?}");
        assert_eq!(scene.notes().iter().filter(|note| *note == "heard never").count(), 1);
    });
}

#[test]
fn a_stop_from_a_handler_answers_that_handler() {
    let scene = Scene::new();
    let mut service = waiting(&scene, 10.0, NOBODY, NOBODY);
    run(async {
        scene.open("a");
        Client::to(&address(&service, "wait")).ask(value!({"door": "a"})).await.ok();
    });
    assert!(service.is_running());
    service.stop().unwrap();
    assert!(!service.is_running());
}
