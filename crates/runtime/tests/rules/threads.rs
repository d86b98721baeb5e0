//! What may block: handlers on a bounded pool, `main` on a thread of its own; and the watchdog for those who must not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, address, counters, run, until, wired};

#[derive(Model)]
struct Job {
    name: String,
}

/// Works on threads.
struct Workshop {
    scene: Arc<Scene>,
    working: AtomicUsize,
    most: AtomicUsize,
}

#[service]
impl Workshop {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene(), working: 0.into(), most: 0.into() })
    }

    #[replyer(blocking)]
    fn work(&self, args: Job, cx: &BlockingContext) -> Result<Value> {
        let working = self.working.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(working, Ordering::SeqCst);
        self.scene.note(format!("+{}", args.name));
        self.scene.block(&args.name);
        self.working.fetch_sub(1, Ordering::SeqCst);
        let left = cx.remaining().map_or(-1, |left| left.as_millis() as i64);
        Ok(value!({"thread": (format!("{:?}", std::thread::current().id())), "left_ms": left}))
    }

    #[replyer]
    fn at_once(&self) -> Result<Value> {
        Ok(value!({"thread": (format!("{:?}", std::thread::current().id()))}))
    }

    #[replyer]
    fn most(&self) -> Result<Value> {
        Ok(value!({"most": (self.most.load(Ordering::SeqCst) as i64)}))
    }

    #[replyer]
    fn hold_the_thread(&self, args: Job) -> Result<Empty> {
        self.scene.note("held");
        self.scene.block(&args.name);
        Ok(())
    }

    #[replyer]
    async fn hold_it_later(&self, args: Job, cx: &Context) -> Result<Empty> {
        cx.sleep(Duration::from_millis(1)).await;
        self.scene.note("held");
        self.scene.block(&args.name);
        Ok(())
    }
}

service_framework::link!(Workshop);

fn workshop(scene: &Scene, settings: Value, options: Options) -> Service {
    let names = ["work", "at_once", "most", "hold_the_thread", "hold_it_later"];
    let entries: Map = names.map(|name| (name, value!({"replyer": "127.0.0.1:0"}))).into_iter().collect();
    let book = value!({"in": (Value::Map(entries)), "settings": (settings)});
    let options = Options { config: scene.config().into(), addresses: book.into(), ..options };
    let mut service = Service::of::<Workshop>(options);
    service.start().unwrap();
    service
}

#[test]
fn blocking_handlers_run_on_other_threads_as_many_at_once_as_are_set() {
    let scene = Scene::new();
    let mut service = workshop(&scene, value!({"blocking_threads": 2}), wired(value!({})));
    run(async {
        let worker = std::rc::Rc::new(Client::to(&address(&service, "work")));
        let jobs: Vec<_> = (0..6)
            .map(|number| {
                let worker = std::rc::Rc::clone(&worker);
                tokio::task::spawn_local(
                    async move { worker.ask(value!({"name": (format!("{number}"))})).await },
                )
            })
            .collect();
        crate::support::until_async(|| counters(&service, "work").messages_in == 6).await;
        for note in ["+0", "+1"] {
            scene.noted(note).await;
        }
        // The service's own thread is free, and a third job has had every chance to begin.
        let inline = Client::to(&address(&service, "at_once"));
        let mut own = Value::Null;
        for _ in 0..200 {
            own = inline.ask(value!({})).await.ok();
        }
        (0..6).for_each(|number| scene.open(&number.to_string()));
        for job in jobs {
            assert_ne!(job.await.unwrap().ok().get("thread"), own.get("thread"));
        }
        let most = Client::to(&address(&service, "most")).ask(value!({})).await.ok();
        assert_eq!(most, value!({"most": 2}));
        let mut notes = scene.notes();
        notes.sort();
        assert_eq!(notes, ["+0", "+1", "+2", "+3", "+4", "+5"]);
    });
    service.stop().unwrap();
}

#[test]
fn a_blocking_handler_whose_time_was_over_before_a_thread_was_free_is_not_run() {
    let scene = Scene::new();
    let mut service = workshop(&scene, value!({"blocking_threads": 1}), wired(value!({})));
    run(async {
        let worker = std::rc::Rc::new(Client::to(&address(&service, "work")));
        let first = std::rc::Rc::clone(&worker);
        let first = tokio::task::spawn_local(async move { first.ask(value!({"name": "first"})).await });
        scene.noted("+first").await;
        let late = worker.ask_with(value!({"name": "late"}), "deadline_ms", value!(50)).await;
        assert_eq!(late.code(), "deadline");
        scene.open("first");
        assert_eq!(first.await.unwrap().ok().get("left_ms"), Some(&Value::Int(-1)));
        scene.open("next");
        let next = worker.ask_with(value!({"name": "next"}), "deadline_ms", value!(50_000)).await.ok();
        let Some(Value::Int(left)) = next.get("left_ms") else { panic!("{next:?}") };
        assert!((1..=50_000).contains(left), "{left}");
        assert_eq!(scene.notes(), ["+first", "+next"]);
    });
    service.stop().unwrap();
}

#[test]
fn a_handler_that_holds_the_thread_is_named_in_the_log() {
    for connection in ["hold_the_thread", "hold_it_later"] {
        let scene = Scene::new();
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let options = Options { log_path: Some(log.clone()), file_level: Level::Error, ..wired(value!({})) };
        let mut service = workshop(&scene, value!({"watchdog_s": 0.5}), options);
        run(async {
            let client = Client::to(&address(&service, connection));
            let held = tokio::task::spawn_local(async move { client.ask(value!({"name": "held"})).await });
            scene.noted("held").await;
            let named = format!("the handler of `{connection}` has held the thread");
            crate::support::until_async(|| {
                std::fs::read_to_string(&log).unwrap_or_default().contains(&named)
            })
            .await;
            scene.open("held");
            held.await.unwrap().ok();
        });
        service.stop().unwrap();
        until("it is told once", || std::fs::read_to_string(&log).unwrap().matches("has held").count() == 1);
    }
}

#[test]
fn a_watchdog_of_no_seconds_names_nobody() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let log = |name: &str| folder.path().join(name);
    let options =
        |name: &str| Options { log_path: Some(log(name)), file_level: Level::Error, ..wired(value!({})) };
    let mut services = [("off", 0.0), ("on", 0.05)]
        .map(|(name, watchdog_s)| workshop(&scene, value!({"watchdog_s": watchdog_s}), options(name)));
    let told = |name: &str| std::fs::read_to_string(log(name)).unwrap_or_default();
    run(async {
        let mut held = Vec::new();
        for service in &services {
            let client = Client::to(&address(service, "hold_the_thread"));
            held.push(tokio::task::spawn_local(async move {
                client.ask(value!({"name": "held"})).await.ok();
            }));
        }
        scene.noted_times("held", 2).await;
        // The one that was held as long, and is watched, is named.
        crate::support::until_async(|| told("on").contains("has held the thread")).await;
        scene.open("held");
        for held in held {
            held.await.unwrap();
        }
    });
    services.iter_mut().for_each(|service| _ = service.stop().unwrap());
    assert_eq!(told("off"), "");
}
