//! A stop reaches a service at any time: before it is up, during `init`, and while its own code holds its thread.

use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_runtime::{Ended, Error as ServiceError, Mode, Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, address, run, until, wired};

const NEWS: Publisher<Value> = Publisher::new("news").wait_after_creation_s(0.0);

#[derive(Model)]
struct How {
    scene: u64,
    /// Which of its methods holds the thread until a door of that name is open.
    holds: String,
}

/// Waits at doors, on its way up and on its way down.
struct Slow {
    scene: Arc<Scene>,
    holds: String,
}

impl Slow {
    fn hold(&self, here: &str) {
        hold(&self.scene, &self.holds, here);
    }
}

fn hold(scene: &Scene, holds: &str, here: &str) {
    scene.note(here);
    if holds == here {
        scene.block(here);
    }
}

#[service(uses(NEWS))]
impl Slow {
    fn setup_connections(config: How) -> Result<Map> {
        hold(&At { scene: config.scene }.scene(), &config.holds, "setup_connections");
        Ok(Map::new())
    }

    fn new(config: How) -> Result<Self> {
        let slow = Self { scene: At { scene: config.scene }.scene(), holds: config.holds };
        slow.hold("new");
        Ok(slow)
    }

    async fn init(&self, cx: &Context) -> Result<()> {
        self.hold("init");
        if self.holds == "init waits" {
            self.scene.note("init waits");
            self.scene.pass("init waits", cx).await;
            self.scene.note("init is done");
        }
        Ok(())
    }

    async fn main(&self) -> Result<()> {
        self.scene.note("main");
        if self.holds == "end of main" {
            let _held = Held(Arc::clone(&self.scene));
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        self.hold("echo");
        Ok(args)
    }
}

/// Holds the thread when it is dropped.
struct Held(Arc<Scene>);

impl Drop for Held {
    fn drop(&mut self) {
        hold(&self.0, "end of main", "end of main");
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.hold("drop");
    }
}

service_framework::link!(Slow);

fn slow(scene: &Scene, holds: &str, settings: Value, waits_s: f64) -> Service {
    let mut config = scene.config();
    if let Value::Map(config) = &mut config {
        config.insert("holds", holds);
    }
    let book = value!({
        "in": {"echo": {"replyer": "127.0.0.1:0"}},
        "out": {"news": {"publisher": {"address": "127.0.0.1:0", "wait_after_creation_s": waits_s}}},
        "settings": (settings),
    });
    Service::of::<Slow>(Options { config: config.into(), ..wired(book) })
}

/// Starts a service and stops it from another thread once this is noted; then does the rest. Gives how it ended.
fn stopped_at(
    scene: &Arc<Scene>,
    service: &mut Service,
    mode: Mode,
    at: &'static str,
    then: impl FnOnce() + Send + 'static,
) -> Result<Ended, ServiceError> {
    let (stopper, scene) = (service.stopper(), Arc::clone(scene));
    let stopping = std::thread::spawn(move || {
        scene.wait_for(at);
        stopper.stop();
        then();
    });
    let ended = service.start_as(mode).and_then(|()| service.wait());
    stopping.join().unwrap();
    assert!(!service.is_running());
    ended
}

const NOTHING: [&str; 0] = [];

#[test]
fn an_init_that_ends_while_the_service_drains_is_waited_for_and_nothing_is_begun_after_it() {
    let scene = Scene::new();
    let mut service = slow(&scene, "init waits", value!({"drain_s": 60}), 0.0);
    let open = {
        let scene = Arc::clone(&scene);
        move || scene.open("init waits")
    };
    let ended = stopped_at(&scene, &mut service, Mode::Main, "init waits", open).unwrap();
    assert_eq!(ended.not_drained, NOTHING);
    let notes = scene.notes();
    assert!(notes.contains(&"init is done".into()) && !notes.contains(&"main".into()), "{notes:?}");
}

#[test]
fn an_init_that_does_not_end_in_time_is_named() {
    let scene = Scene::new();
    let mut service = slow(&scene, "init waits", value!({"drain_s": 0.1}), 0.0);
    let ended = stopped_at(&scene, &mut service, Mode::Loop, "init waits", || {}).unwrap();
    assert_eq!(ended.not_drained, ["init"]);
    assert_eq!(scene.notes().last().map(String::as_str), Some("drop"));
}

#[test]
fn a_method_that_never_returns_is_given_up_and_named() {
    for (holds, named) in
        [("setup_connections", "start-up"), ("new", "start-up"), ("init", "init"), ("drop", "drop")]
    {
        let scene = Scene::new();
        let mut service = slow(&scene, holds, value!({"drain_s": 0.1}), 0.0);
        let ended = stopped_at(&scene, &mut service, Mode::Main, holds, || {}).unwrap();
        assert_eq!(ended.not_drained, [named], "{holds}");
        // Its thread goes on, and ends as soon as it can.
        scene.open(holds);
        if holds != "setup_connections" {
            scene.wait_for("drop");
        }
    }
}

#[test]
fn what_a_method_drops_and_never_returns_is_given_up_and_named() {
    let scene = Scene::new();
    let mut service = slow(&scene, "end of main", value!({"drain_s": 0.1}), 0.0);
    service.start_main().unwrap();
    scene.wait_for("main");
    let stopping = std::thread::spawn(move || service.stop().unwrap());
    until("it is given up", || stopping.is_finished());
    assert_eq!(stopping.join().unwrap().not_drained, ["main"]);
    scene.open("end of main");
    scene.wait_for("drop");
}

#[test]
fn a_handler_that_never_returns_is_given_up_and_named() {
    let scene = Scene::new();
    let mut service = slow(&scene, "echo", value!({"drain_s": 0.1}), 0.0);
    service.start().unwrap();
    run(async {
        let client = Client::to(&address(&service, "echo"));
        let asked = tokio::task::spawn_local(async move { client.ask(value!({})).await });
        scene.noted("echo").await;
        let ended = tokio::task::spawn_blocking(move || service.stop().unwrap()).await.unwrap();
        assert_eq!(ended.not_drained, ["echo"]);
        // It is answered if it returns after all.
        scene.open("echo");
        asked.await.unwrap().ok();
        scene.noted("drop").await;
    });
}

#[test]
fn a_stop_before_the_sockets_are_open_leaves_them_closed() {
    for holds in ["setup_connections", "new"] {
        let scene = Scene::new();
        let folder = tempfile::tempdir().unwrap();
        let mut service = slow(&scene, holds, value!({}), 3600.0);
        service.options_mut().ready = Some(folder.path().join("ready"));
        let open = {
            let scene = Arc::clone(&scene);
            move || scene.open(holds)
        };
        let ended = stopped_at(&scene, &mut service, Mode::Loop, holds, open).unwrap();
        assert_eq!(ended.not_drained, NOTHING);
        assert!(!scene.has("init"));
        assert!(!folder.path().join("ready").exists());
    }
}

#[test]
fn a_stop_ends_the_wait_after_a_publisher_was_opened() {
    let scene = Scene::new();
    let mut service = slow(&scene, "", value!({}), 3600.0);
    let ended = stopped_at(&scene, &mut service, Mode::Loop, "new", || {}).unwrap();
    assert_eq!(ended.not_drained, NOTHING);
    assert_eq!(scene.notes(), ["setup_connections", "new", "drop"]);
}

#[test]
fn a_service_that_was_stopped_on_its_way_up_starts_again() {
    let scene = Scene::new();
    let mut service = slow(&scene, "init waits", value!({"drain_s": 0.1}), 0.0);
    stopped_at(&scene, &mut service, Mode::Loop, "init waits", || {}).unwrap();
    scene.open("init waits");
    service.start().unwrap();
    run(async {
        Client::to(&address(&service, "echo")).ask(value!({})).await.ok();
    });
    service.stop().unwrap();
    until("it has stopped", || !service.is_running());
}
