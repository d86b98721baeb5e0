//! `--service_loop_min_wait_time_s`: at least so much time between two rounds, and one message per connection in each.

use std::sync::Arc;
use std::time::Instant;

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, Raw, address, counters, request, run, until_async, wired};

/// Notes when it is called.
struct Slow {
    scene: Arc<Scene>,
}

#[service]
impl Slow {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[replyer]
    fn one(&self) -> Result<Empty> {
        self.scene.note("one");
        Ok(())
    }

    #[replyer]
    async fn other(&self, cx: &Context) -> Result<Empty> {
        self.scene.note("other");
        cx.sleep(Duration::from_millis(1)).await;
        Ok(())
    }

    #[subscriber]
    fn heard(&self) -> Result<()> {
        self.scene.note("heard");
        Ok(())
    }
}

service_framework::link!(Slow);

const LEAST: Duration = Duration::from_millis(60);

fn slow(scene: &Scene, publisher: &str) -> Service {
    let book = value!({"in": {
        "one": {"replyer": "127.0.0.1:0"},
        "other": {"replyer": "127.0.0.1:0"},
        "heard": {"subscriber": publisher},
    }});
    let options = Options { config: scene.config().into(), loop_wait: LEAST, ..wired(book) };
    let mut service = Service::of::<Slow>(options);
    service.start().unwrap();
    service
}

#[test]
fn a_round_takes_one_message_of_each_connection_and_rounds_keep_their_distance() {
    let scene = Scene::new();
    run(async {
        let (publisher, at) = Raw::bind(Role::Publish).await;
        let mut service = slow(&scene, &at.to_string());
        until_async(|| {
            publisher.send(&[b"\xc1"]);
            counters(&service, "heard").messages_in > 0
        })
        .await;
        until_async(|| {
            let heard = counters(&service, "heard");
            heard.refused.get("bad_message") == Some(&heard.messages_in)
        })
        .await;

        let start = Instant::now();
        (0..6).for_each(|_| publisher.send(&[&request(&value!({}))]));
        let clients = ["one", "other"].map(|name| Client::to(&address(&service, name)));
        let asking = clients.into_iter().flat_map(|client| {
            let client = std::rc::Rc::new(client);
            (0..6).map(move |_| {
                let client = std::rc::Rc::clone(&client);
                tokio::task::spawn_local(async move { client.ask(value!({})).await.ok() })
            })
        });
        for asked in asking.collect::<Vec<_>>() {
            asked.await.unwrap();
        }
        scene.noted_times("heard", 6).await;
        for connection in ["one", "other", "heard"] {
            let times: Vec<_> = scene.timed().into_iter().filter(|(note, _)| note == connection).collect();
            assert_eq!(times.len(), 6);
            for (round, (_, at)) in times.iter().enumerate().skip(1) {
                // The first round may have begun with a message before these.
                let least = LEAST * (round as u32 - 1);
                assert!(*at - start >= least, "{connection}: message {round} after {:?}", *at - start);
            }
        }
        service.stop().unwrap();
    });
}

#[test]
fn stopping_answers_those_whose_round_has_not_come() {
    let scene = Scene::new();
    let book = value!({"in": {
        "one": {"replyer": "127.0.0.1:0"},
        "other": {"replyer": "127.0.0.1:0"},
        "heard": {"subscriber": "127.0.0.1:9"},
    }});
    let options =
        Options { config: scene.config().into(), loop_wait: Duration::from_secs(3_600), ..wired(book) };
    let mut service = Service::of::<Slow>(options);
    service.start().unwrap();
    run(async {
        let client = std::rc::Rc::new(Client::to(&address(&service, "one")));
        client.ask(value!({})).await.ok();
        let asking: Vec<_> = (0..5)
            .map(|_| {
                let client = std::rc::Rc::clone(&client);
                tokio::task::spawn_local(async move { client.ask(value!({})).await })
            })
            .collect();
        until_async(|| counters(&service, "one").messages_in >= 2).await;
        let stopping = tokio::task::spawn_blocking(move || service.stop().unwrap());
        for asked in asking {
            assert_eq!(asked.await.unwrap().code(), "stopping");
        }
        assert_eq!(stopping.await.unwrap().not_drained, Vec::<String>::new());
        assert_eq!(scene.notes(), ["one"]);
    });
}
