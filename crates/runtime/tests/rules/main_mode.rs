//! Services that start work of their own: on the service's thread or on another, with inbound connections beside it.

use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Mode, Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, address, counters, logged, run, until, wired};

const ECHO: Requester<Value, Value> = Requester::new("to_echo");
const NOTES: Publisher<Value> = Publisher::new("notes").wait_after_creation_s(0.0);

/// Answers.
struct Echo;

#[service]
impl Echo {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        Ok(args)
    }
}

service_framework::link!(Echo);

fn echo() -> Service {
    let mut echo = Service::of::<Echo>(wired(value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}})));
    echo.start().unwrap();
    echo
}

/// Has a `main` that blocks a thread of its own.
struct Blocking {
    scene: Arc<Scene>,
}

#[service(uses(ECHO, NOTES))]
impl Blocking {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    fn main(&self, cx: &BlockingContext) -> Result<()> {
        self.scene.note(format!("main on {:?}", std::thread::current().id()));
        for number in 0..10_i64 {
            let args = value!({"number": number});
            assert_eq!(cx.request(&ECHO, &args)?, args);
            assert_eq!(cx.send("to_echo", &args)?, args);
            cx.publish(&NOTES, &args)?;
        }
        assert!(cx.sleep(Duration::from_millis(1)));
        assert!(!cx.is_stopping());
        self.scene.note("asked");
        // Until the service is to stop.
        while cx.sleep(Duration::from_secs(600)) {}
        assert!(cx.is_stopping());
        self.scene.note("ended");
        Ok(())
    }

    #[replyer]
    fn thread(&self) -> Result<Value> {
        Ok(value!({"thread": (format!("main on {:?}", std::thread::current().id()))}))
    }
}

service_framework::link!(Blocking);

fn options(scene: &Scene, book: Value) -> Options {
    Options { config: scene.config().into(), ..wired(book) }
}

#[test]
fn a_plain_main_blocks_a_thread_of_its_own_while_the_service_answers() {
    let scene = Scene::new();
    let mut echo = echo();
    let book = value!({
        "in": {"thread": {"replyer": "127.0.0.1:0"}},
        "out": {
            "to_echo": {"requester": (address(&echo, "echo").to_string())},
            "notes": {"publisher": "127.0.0.1:0"},
        },
    });
    let mut service = Service::of::<Blocking>(options(&scene, book));
    service.start_main().unwrap();
    scene.wait_for("asked");
    run(async {
        let answer = Client::to(&address(&service, "thread")).ask(value!({})).await.ok();
        assert_ne!(answer.get("thread").and_then(Value::as_text), Some(&*scene.notes()[0]));
    });
    assert!(service.is_running());
    assert_eq!(counters(&service, "to_echo").messages_out, 20);
    assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
    assert_eq!(scene.notes()[1..], ["asked", "ended"]);
    assert_eq!(counters(&echo, "echo").messages_in, 20);
    echo.stop().unwrap();
}

/// Has a `main` on the service's thread, which does as it is told.
struct Told {
    scene: Arc<Scene>,
    how: String,
}

#[derive(Model)]
struct How {
    scene: u64,
    how: String,
}

struct Dropped(Arc<Scene>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.note("dropped");
    }
}

#[service]
impl Told {
    fn new(config: How) -> Result<Self> {
        let scene = At { scene: config.scene }.scene();
        Ok(Self { scene, how: config.how })
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        self.scene.note("main");
        match &*self.how {
            "ends" => Ok(()),
            "fails" => Err(Error::named("no_exchange", "it is closed")),
            "panics" => panic!("main is wrong"),
            "panics_later" => {
                cx.sleep(Duration::from_millis(1)).await;
                panic!("main is wrong");
            }
            "heeds" => {
                cx.stopping().await;
                cx.sleep(Duration::from_millis(1)).await;
                self.scene.note("ended");
                Ok(())
            }
            "heeds_and_fails" => {
                cx.stopping().await;
                Err(Error::msg("there was more to do"))
            }
            "heeds_and_goes_on" => {
                cx.stopping().await;
                let _dropped = Dropped(Arc::clone(&self.scene));
                std::future::pending().await
            }
            "does_not_heed" => {
                let _dropped = Dropped(Arc::clone(&self.scene));
                std::future::pending().await
            }
            "stops" => {
                cx.stop();
                cx.stopping().await;
                self.scene.note("ended");
                Ok(())
            }
            "spawns" => {
                for name in ["one", "two"] {
                    let scene = Arc::clone(&self.scene);
                    cx.spawn(move |cx| async move {
                        cx.sleep(Duration::from_millis(1)).await;
                        scene.note(name);
                        Ok(())
                    });
                }
                cx.spawn(|_| async { Err(Error::msg("the third failed")) });
                cx.spawn(|_| async { panic!("the fourth panicked") });
                let dropped = Dropped(Arc::clone(&self.scene));
                cx.spawn(|_| async move {
                    let _dropped = dropped;
                    std::future::pending().await
                });
                self.scene.noted("one").await;
                self.scene.noted("two").await;
                Ok(())
            }
            other => Err(Error::msg(format!("what is {other}?"))),
        }
    }

    #[replyer]
    async fn answer(&self, cx: &Context) -> Result<Empty> {
        cx.sleep(Duration::ZERO).await;
        Ok(())
    }

    #[replyer]
    fn stop(&self, cx: &Context) -> Result<Empty> {
        cx.stop();
        Ok(())
    }
}

service_framework::link!(Told);

fn told(scene: &Scene, how: &str) -> Service {
    let mut config = scene.config();
    if let Value::Map(config) = &mut config {
        config.insert("how", how);
    }
    let book = value!({
        "in": {"answer": {"replyer": "127.0.0.1:0"}, "stop": {"replyer": "127.0.0.1:0"}},
        "settings": {"drain_s": 0.3},
    });
    Service::of::<Told>(Options { config: config.into(), ..wired(book) })
}

#[test]
fn main_takes_no_place_that_a_request_needs() {
    let scene = Scene::new();
    let mut service = told(&scene, "does_not_heed");
    let any = || value!({"replyer": "127.0.0.1:0"});
    let book = value!({"in": {"answer": (any()), "stop": (any())}, "settings": {"in_flight": 1}});
    service.options_mut().addresses = book.into();
    service.start_main().unwrap();
    scene.wait_for("main");
    run(async {
        Client::to(&address(&service, "answer")).ask(value!({})).await.ok();
    });
    service.stop().unwrap();
}

#[test]
fn a_service_ends_with_its_main() {
    let scene = Scene::new();
    let mut service = told(&scene, "ends");
    service.start_main().unwrap();
    assert_eq!(service.wait().unwrap().not_drained, Vec::<String>::new());
    assert!(!service.is_running());
}

#[test]
fn how_main_fails_reaches_whoever_holds_the_service() {
    for (how, text) in [
        (
            "fails",
            "`main` of service `service-framework-runtime` failed: service-framework-runtime.no_exchange: it is closed",
        ),
        ("panics", "failed: panicked: main is wrong at crates/runtime/tests/rules/main_mode.rs:"),
        ("panics_later", "failed: panicked: main is wrong at crates/runtime/tests/rules/main_mode.rs:"),
    ] {
        let scene = Scene::new();
        let mut service = told(&scene, how);
        service.start_main().unwrap();
        let error = service.wait().unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert!(
            matches!(&error, service_framework_runtime::Error::Method { method: "main", .. }),
            "{error:?}"
        );
        assert_eq!(error.exit_code(), 1);
    }
}

#[test]
fn a_main_that_heeds_the_stop_ends_by_itself() {
    let scene = Scene::new();
    let mut service = told(&scene, "heeds");
    service.start_main().unwrap();
    run(async {
        Client::to(&address(&service, "answer")).ask(value!({})).await.ok();
    });
    assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
    assert_eq!(scene.notes(), ["main", "ended"]);

    let scene = Scene::new();
    let mut service = told(&scene, "heeds_and_fails");
    service.start_main().unwrap();
    scene.wait_for("main");
    assert!(service.stop().unwrap_err().to_string().contains("there was more to do"));
}

#[test]
fn a_main_that_goes_on_is_dropped_and_told_of_if_it_knew() {
    let scene = Scene::new();
    let mut service = told(&scene, "does_not_heed");
    service.start_main().unwrap();
    scene.wait_for("main");
    assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
    assert_eq!(scene.notes(), ["main", "dropped"]);

    let scene = Scene::new();
    let mut service = told(&scene, "heeds_and_goes_on");
    service.start_main().unwrap();
    scene.wait_for("main");
    assert_eq!(service.stop().unwrap().not_drained, ["main"]);
    assert_eq!(scene.notes(), ["main", "dropped"]);
}

#[test]
fn a_service_may_stop_itself() {
    let scene = Scene::new();
    let mut service = told(&scene, "stops");
    service.start_main().unwrap();
    service.wait().unwrap();
    assert_eq!(scene.notes(), ["main", "ended"]);

    let mut service = told(&Scene::new(), "ends");
    service.start().unwrap();
    run(async {
        Client::to(&address(&service, "stop")).ask(value!({})).await.ok();
    });
    service.wait().unwrap();
}

#[test]
fn work_that_is_spawned_runs_beside_main_and_ends_with_the_service() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut service = told(&scene, "spawns");
    service.options_mut().log_path = Some(log.clone());
    service.options_mut().file_level = Level::Error;
    service.start_main().unwrap();
    service.wait().unwrap();
    let mut notes = scene.notes();
    notes.sort();
    assert_eq!(notes, ["dropped", "main", "one", "two"]);
    let log = logged(&log);
    assert!(log.contains("the third failed"), "{log}");
    assert!(log.contains("the fourth panicked at crates/runtime/tests/rules/main_mode.rs"), "{log}");
}

#[test]
fn a_service_without_main_is_refused_as_main() {
    let mut echo = Service::of::<Echo>(wired(value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}})));
    let error = echo.start_main().unwrap_err();
    let expected = "service `service-framework-runtime` has no `main`: start it without -m";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.exit_code(), 78);
    echo.start().unwrap();
    echo.stop().unwrap();
}

/// What the attribute refuses to write.
struct Torn;

impl Serve for Torn {
    const NAME: &'static str = "torn";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        service.main(async |_: &Self, _: &Context| Ok(()));
        service.replyer("add").handle_inline_mut(|_: &mut Self, _: Empty, _: &Context| Ok(()));
    }
}

service_framework::link!(Torn);

#[test]
fn a_handler_that_would_never_have_the_service_to_itself_is_refused_beside_main() {
    let book = value!({"in": {"add": {"replyer": "127.0.0.1:0"}}});
    let mut torn = Service::of::<Torn>(wired(book));
    let error = torn.check(Mode::Main).unwrap_err();
    assert!(error.to_string().contains("the handler of `add` would never have it to itself"), "{error}");
    torn.start().unwrap();
    run(async {
        Client::to(&address(&torn, "add")).ask(value!({})).await.ok();
    });
    torn.stop().unwrap();
    until("it has stopped", || !torn.is_running());
}
