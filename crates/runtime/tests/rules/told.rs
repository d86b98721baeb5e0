//! At which level the log tells why a message came to nothing: what whoever sends messages decides fills no log.

use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, Raw, address, counters, request, run, until_async, wired};

/// Comes to nothing in each way that there is.
struct Judge {
    scene: Arc<Scene>,
}

#[derive(Model)]
struct Case {
    way: String,
}

#[service]
impl Judge {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[replyer]
    async fn judge(&self, case: Case, cx: &Context) -> Result<Empty> {
        self.scene.note(&*case.way);
        match &*case.way {
            "names" => Err(Error::named("dismissed", "no case")),
            "fails" => Err(Error::msg("no law")),
            "panics" => panic!("no order"),
            "holds" => {
                self.scene.pass("holds", cx).await;
                Ok(())
            }
            way => panic!("there is no way {way}"),
        }
    }

    /// Judges nothing in time.
    #[replyer(deadline_s = 0.05)]
    async fn ponder(&self, _: Empty) -> Result<Empty> {
        std::future::pending().await
    }

    #[subscriber]
    fn hear(&self, _: Empty) -> Result<()> {
        Err(Error::named("deaf", "nobody is told"))
    }
}

service_framework::link!(Judge);

#[test]
fn what_peers_decide_is_logged_at_debug_and_what_the_service_does_wrong_above() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let scene = Scene::new();
    run(async {
        let (publisher, heard) = Raw::bind(Role::Publish).await;
        let book = value!({
            "in": {
                "judge": {"replyer": "127.0.0.1:0"},
                "ponder": {"replyer": "127.0.0.1:0"},
                "hear": {"subscriber": (heard.to_string())},
            },
            "settings": {"in_flight": 1},
        });
        let mut service = Service::of::<Judge>(Options {
            config: scene.config().into(),
            log_path: Some(log.clone()),
            file_level: Level::Debug,
            ..wired(book)
        });
        service.start().unwrap();
        let client = Client::to(&address(&service, "judge"));
        let ask = |way: &str| client.ask(value!({"way": way}));
        let late = client.ask_with(value!({"way": "fails"}), "deadline_ms", value!(0)).await;
        assert_eq!(late.code(), "deadline");
        let (held, ()) = tokio::join!(ask("holds"), async {
            scene.noted("holds").await;
            assert_eq!(ask("fails").await.code(), "busy");
            scene.open("holds");
        });
        held.ok();
        for (way, code) in [("names", ".dismissed"), ("fails", "failed"), ("panics", "panicked")] {
            let told = ask(way).await.code();
            assert!(told.ends_with(code), "{told}");
        }
        assert_eq!(client.ask(value!({})).await.code(), "bad_args");
        let pondering = Client::to(&address(&service, "ponder"));
        assert_eq!(pondering.ask(value!({})).await.code(), "deadline");
        until_async(|| {
            publisher.send(&[&request(&value!({}))]);
            counters(&service, "hear").messages_in > 0
        })
        .await;
        service.stop().unwrap();
    });
    let log = std::fs::read_to_string(&log).unwrap();
    let levels = |text: &str| {
        let lines = log.lines().filter(|line| line.contains(text));
        let levels = lines.map(|line| line.split(" - ").nth(3).unwrap_or_default().trim());
        let mut levels: Vec<_> = levels.collect();
        levels.dedup();
        levels
    };
    for (text, level) in [
        ("`judge`: deadline: the time for the answer was over before it was begun", "DEBUG"),
        ("`judge`: busy: ", "DEBUG"),
        ("`judge`: bad_args: ", "DEBUG"),
        (".dismissed: no case", "DEBUG"),
        ("`judge` failed: failed: no law", "WARNING"),
        ("`judge` panicked: ", "ERROR"),
        ("`ponder` failed: deadline: ", "WARNING"),
        (".deaf: nobody is told", "WARNING"),
    ] {
        assert_eq!(levels(text), [level], "{text} in\n{log}");
    }
}
