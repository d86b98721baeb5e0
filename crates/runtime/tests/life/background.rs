//! What a stop means to work beside the handlers, and to a `main`: whoever asked for it is waited for, and nobody else.

use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, address, run, wired};

const NEXT: Requester<Value, Value> = Requester::new("next").deadline_s(60.0);

#[derive(Model)]
struct How {
    how: String,
}

/// Spawns work, and has a `main` that goes on for ever and never asks.
struct Busy {
    scene: Arc<Scene>,
}

struct Left(Arc<Scene>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.note("left");
    }
}

#[service(uses(NEXT))]
impl Busy {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    async fn main(&self) -> Result<()> {
        std::future::pending().await
    }

    #[replyer]
    fn spawn(&self, args: How, cx: &Context) -> Result<Empty> {
        let scene = Arc::clone(&self.scene);
        cx.spawn(move |cx| async move {
            let _left = Left(Arc::clone(&scene));
            scene.note("begun");
            match &*args.how {
                "heeds" => {
                    cx.stopping().await;
                    scene.note("told");
                    scene.pass("door", &cx).await;
                    scene.note("done");
                }
                "heeds for ever" => {
                    cx.stopping().await;
                    return std::future::pending().await;
                }
                "leaves work behind" => {
                    cx.stopping().await;
                    cx.spawn(move |cx| async move {
                        cx.stopping().await;
                        scene.pass("door", &cx).await;
                        scene.note("done");
                        Ok(())
                    });
                }
                "requests" => _ = cx.request(&NEXT, &value!({})).await?,
                "holds" => scene.block("door"),
                other => return Err(Error::msg(format!("what is {other}?"))),
            }
            Ok(())
        });
        Ok(())
    }

    /// Asks whether the service is to stop, and goes on.
    #[replyer]
    async fn ask(&self, cx: &Context) -> Result<Empty> {
        _ = cx.timeout(Duration::ZERO, cx.stopping()).await;
        Ok(())
    }

    #[replyer(blocking)]
    fn ask_blocking(&self, cx: &BlockingContext) -> Result<Empty> {
        assert!(!cx.is_stopping());
        Ok(())
    }

    /// Waits for work that never asks whether the service is to stop.
    #[replyer]
    async fn relay(&self, cx: &Context) -> Result<Value> {
        let scene = Arc::clone(&self.scene);
        cx.spawn(move |cx| async move {
            scene.note("relays");
            scene.pass("door", &cx).await;
            scene.note("relayed");
            Ok(())
        });
        self.scene.noted("relayed").await;
        Ok(value!({"relayed": true}))
    }
}

service_framework::link!(Busy);

fn busy(scene: &Scene, drain_s: f64) -> Service {
    let any = || value!({"replyer": "127.0.0.1:0"});
    let book = value!({
        "in": {"spawn": (any()), "ask": (any()), "ask_blocking": (any()), "relay": (any())},
        "out": {"next": {"requester": "127.0.0.1:9"}},
        "settings": {"drain_s": drain_s},
    });
    Service::of::<Busy>(Options { config: scene.config().into(), ..wired(book) })
}

async fn spawn(service: &Service, scene: &Scene, how: &str) {
    Client::to(&address(service, "spawn")).ask(value!({"how": how})).await.ok();
    scene.noted("begun").await;
}

const NOTHING: [&str; 0] = [];

#[test]
fn work_that_has_asked_for_the_stop_is_waited_for() {
    for how in ["heeds", "leaves work behind"] {
        let scene = Scene::new();
        let mut service = busy(&scene, 60.0);
        service.start().unwrap();
        run(async {
            spawn(&service, &scene, how).await;
            let stopping = tokio::task::spawn_blocking(move || service.stop().unwrap());
            if how == "heeds" {
                scene.noted("told").await;
            }
            assert!(!stopping.is_finished());
            scene.open("door");
            assert_eq!(stopping.await.unwrap().not_drained, NOTHING, "{how}");
        });
        assert!(scene.has("done"), "{how}: {:?}", scene.notes());
    }
}

#[test]
fn work_that_has_asked_for_the_stop_and_does_not_end_is_named() {
    let scene = Scene::new();
    let mut service = busy(&scene, 0.1);
    service.start().unwrap();
    run(async {
        spawn(&service, &scene, "heeds for ever").await;
        spawn(&service, &scene, "heeds for ever").await;
        scene.noted_times("begun", 2).await;
    });
    assert_eq!(service.stop().unwrap().not_drained, ["background work (2)"]);
    assert_eq!(scene.notes().iter().filter(|note| *note == "left").count(), 2);
}

#[test]
fn work_that_has_not_asked_is_cut_without_a_word() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut service = busy(&scene, 3600.0);
    service.options_mut().log_path = Some(log.clone());
    service.options_mut().file_level = Level::Warn;
    service.start().unwrap();
    run(spawn(&service, &scene, "requests"));
    assert_eq!(service.stop().unwrap().not_drained, NOTHING);
    assert!(scene.has("left"));
    assert_eq!(std::fs::read_to_string(log).unwrap(), "");
}

#[test]
fn a_handler_that_waits_for_such_work_gets_it_while_the_service_drains() {
    let scene = Scene::new();
    let mut service = busy(&scene, 60.0);
    service.start().unwrap();
    run(async {
        let (client, late) = (Client::to(&address(&service, "relay")), Client::to(&address(&service, "ask")));
        let asked = tokio::task::spawn_local(async move { client.ask(value!({})).await });
        scene.noted("relays").await;
        let stopping = tokio::task::spawn_blocking(move || service.stop().unwrap());
        while late.ask(value!({})).await.outcome.is_ok() {}
        scene.open("door");
        assert_eq!(asked.await.unwrap().ok(), value!({"relayed": true}));
        assert_eq!(stopping.await.unwrap().not_drained, NOTHING);
    });
}

#[test]
fn a_handler_or_work_that_asks_makes_nobody_wait_for_a_main_that_does_not() {
    for asker in ["ask", "ask_blocking", "spawn"] {
        let scene = Scene::new();
        scene.open("door");
        let mut service = busy(&scene, 1.0);
        service.start_main().unwrap();
        let args = if asker == "spawn" { value!({"how": "heeds"}) } else { value!({}) };
        run(async {
            Client::to(&address(&service, asker)).ask(args).await.ok();
        });
        assert_eq!(service.stop().unwrap().not_drained, NOTHING, "{asker}");
    }
}

#[test]
fn work_that_never_lets_go_of_the_thread_is_given_up_and_named() {
    let scene = Scene::new();
    let mut service = busy(&scene, 0.1);
    service.start().unwrap();
    run(async {
        let client = Client::to(&address(&service, "spawn"));
        _ = tokio::task::spawn_local(async move { client.ask(value!({"how": "holds"})).await });
        scene.noted("begun").await;
        let stopping = tokio::task::spawn_blocking(move || service.stop().unwrap());
        assert_eq!(stopping.await.unwrap().not_drained, ["background work"]);
    });
    scene.open("door");
    scene.wait_for("left");
}
