//! One workflow id through a chain of services, on the wire and in the log of each.

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_runtime::{Options, Service};

use crate::support::{Client, Raw, address, logged, run, wired};

const SECOND: Requester<Value, Value> = Requester::new("second");
const THIRD: Requester<Value, Value> = Requester::new("third");
const NEWS: Publisher<Value> = Publisher::new("news").wait_after_creation_s(0.0);

fn seen(cx: &Context) -> Value {
    cx.workflow_id().map_or(Value::Null, Value::from)
}

/// Asks the second three times, from a handler, `init` and `main`.
struct First;

#[service(uses(SECOND))]
impl First {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn init(&self, cx: &Context) -> Result<()> {
        assert_eq!(cx.workflow_id(), None);
        cx.request(&SECOND, &value!({"by": "init"})).await?;
        cx.request(&SECOND, &value!({"by": "init"})).await?;
        Ok(())
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        cx.request(&SECOND, &value!({"by": "main"})).await?;
        cx.request(&SECOND, &value!({"by": "main"})).await?;
        cx.stopping().await;
        Ok(())
    }

    #[replyer]
    async fn first(&self, cx: &Context) -> Result<Value> {
        tracing::info!("the first");
        let one = cx.request(&SECOND, &value!({"by": "first"})).await?;
        let two = cx.send("second", &value!({"by": "first"})).await?;
        let three = cx.request(&SECOND, &value!({"by": "first"})).await?;
        Ok(value!({"first": (seen(cx)), "second": [one, two, three]}))
    }
}

service_framework::link!(First);

/// Asks the third twice, and publishes.
struct Second;

#[service(uses(THIRD, NEWS))]
impl Second {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer(blocking)]
    fn answer(&self, _args: Value, cx: &BlockingContext) -> Result<Value> {
        tracing::info!("the second");
        let one = cx.request(&THIRD, &value!({}))?;
        cx.publish(&NEWS, &value!({}))?;
        let two = cx.request(&THIRD, &value!({}))?;
        Ok(value!({"seen": (seen(cx.as_async())), "third": [one, two]}))
    }
}

service_framework::link!(Second);

/// Answers with the id that it sees.
struct Third;

#[service]
impl Third {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn answer(&self, cx: &Context) -> Result<Value> {
        cx.sleep(Duration::ZERO).await;
        tracing::info!("the third");
        Ok(value!({"seen": (seen(cx))}))
    }
}

service_framework::link!(Third);

/// Three services, each at the end of the one before, with their logs.
struct Chain {
    services: [Service; 3],
    logs: tempfile::TempDir,
}

impl Chain {
    fn start() -> Self {
        let logs = tempfile::tempdir().unwrap();
        let options =
            |name: &str, book: Value| Options { log_path: Some(logs.path().join(name)), ..wired(book) };
        let replyer = || value!({"replyer": "127.0.0.1:0"});
        let mut third = Service::of::<Third>(options("third", value!({"in": {"answer": (replyer())}})));
        third.start().unwrap();
        let at = address(&third, "answer").to_string();
        let out = value!({"third": {"requester": at}, "news": {"publisher": "127.0.0.1:0"}});
        let book = value!({"in": {"answer": (replyer())}, "out": (out)});
        let mut second = Service::of::<Second>(options("second", book));
        second.start().unwrap();
        let at = address(&second, "answer").to_string();
        let book = value!({"in": {"first": (replyer())}, "out": {"second": {"requester": at}}});
        let mut first = Service::of::<First>(options("first", book));
        first.start().unwrap();
        Self { services: [first, second, third], logs }
    }

    /// The ids on the lines of one service that say this, without those of the work that `init` began.
    fn logged(&self, name: &str) -> Vec<String> {
        let text = logged(&self.logs.path().join(name));
        let lines = text.lines().filter(|line| line.ends_with(&format!("the {name}")));
        let ids = lines.map(|line| line.split(" - ").nth(2).unwrap().trim().to_owned());
        ids.filter(|id| id.starts_with('w')).collect()
    }

    fn stop(&mut self) {
        self.services.iter_mut().for_each(|service| _ = service.stop().unwrap());
    }
}

fn hop(number: usize, base: &str) -> String {
    if number == 0 { base.to_owned() } else { format!("{base}_{number}") }
}

#[test]
fn each_call_of_a_handler_gets_its_own_id_and_every_log_line_has_it() {
    let mut chain = Chain::start();
    let answer = run(async {
        let client = Client::to(&address(&chain.services[0], "first"));
        let answer = client.ask(value!({})).await;
        assert_eq!(answer.workflow_id, Value::from("w"));
        answer.ok()
    });
    assert_eq!(answer.get("first"), Some(&Value::from("w")));
    let Some(Value::List(second)) = answer.get("second") else { panic!("{answer:?}") };
    let mut of_second = Vec::new();
    let mut of_third = Vec::new();
    for (number, answer) in second.iter().enumerate() {
        let id = hop(number, "w");
        assert_eq!(answer.get("seen"), Some(&Value::from(id.as_str())));
        let Some(Value::List(third)) = answer.get("third") else { panic!("{answer:?}") };
        // The publication between the two requests is a message, too.
        for (answer, number) in third.iter().zip([0, 2]) {
            let id = hop(number, &id);
            assert_eq!(answer.get("seen"), Some(&Value::from(id.as_str())));
            of_third.push(id);
        }
        of_second.push(id);
    }
    chain.stop();
    assert_eq!(chain.logged("first"), ["w"]);
    assert_eq!(chain.logged("second"), of_second);
    assert_eq!(chain.logged("third"), of_third);
}

#[test]
fn each_call_of_main_and_init_starts_a_workflow() {
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let book = value!({
            "in": {"first": {"replyer": "127.0.0.1:0"}},
            "out": {"second": {"requester": (at.to_string())}},
        });
        let mut first = Service::of::<First>(wired(book));
        let started = tokio::task::spawn_blocking(move || {
            first.start_main().unwrap();
            first
        });
        let mut ids = Vec::new();
        for by in ["init", "init", "main", "main"] {
            let frames = peer.recv().await;
            let message: Value = wire::decode(&frames[3], Encoding::MessagePack, &Limits::default()).unwrap();
            assert_eq!(message.get("args"), Some(&value!({"by": by})));
            let Some(Value::Uuid(id)) = message.get("workflow_id") else {
                panic!("a tagged UUID: {message:?}")
            };
            ids.push(*id);
            let reply = b"\x82\xabreturn_args\x80\xabworkflow_id\xc0";
            peer.send(&[&frames[0], &frames[1], &frames[2], reply]);
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 4, "each is new");
        started.await.unwrap().stop().unwrap();
    });
}

#[test]
fn a_uuid_stays_one_in_the_first_hop_and_no_id_becomes_a_new_one() {
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let book = value!({
            "in": {"answer": {"replyer": "127.0.0.1:0"}},
            "out": {"third": {"requester": (at.to_string())}, "news": {"publisher": "127.0.0.1:0"}},
        });
        let mut second = Service::of::<Second>(wired(book));
        second.start().unwrap();
        let client = Client::to(&address(&second, "answer"));
        let uuid = Uuid::new_v4();
        for (sent, is_kept) in [(Value::Uuid(uuid), true), (Value::Null, false)] {
            let message = value!({"args": {}, "workflow_id": (sent.clone())});
            let asking = client.ask_bytes(wire::encode(&message, Encoding::MessagePack).unwrap());
            let answering = async {
                let mut ids = Vec::new();
                for _ in 0..2 {
                    let frames = peer.recv().await;
                    let message: Value =
                        wire::decode(&frames[3], Encoding::MessagePack, &Limits::default()).unwrap();
                    ids.push(message.get("workflow_id").unwrap().clone());
                    let reply = b"\x82\xabreturn_args\x80\xabworkflow_id\xc0";
                    peer.send(&[&frames[0], &frames[1], &frames[2], reply]);
                }
                ids
            };
            let (answer, ids) = tokio::join!(asking, answering);
            assert_eq!(answer.workflow_id, sent, "the reply repeats what was sent");
            let Value::Uuid(first) = ids[0] else { panic!("{ids:?}") };
            assert_eq!(first == uuid, is_kept);
            assert_eq!(ids[1], Value::from(format!("{first}_2")));
            assert_eq!(answer.ok().get("seen"), Some(&Value::from(first.to_string())));
        }
        second.stop().unwrap();
    });
}

#[test]
fn an_id_cannot_write_a_line_of_its_own_into_the_log() {
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("third");
    let book = value!({"in": {"answer": {"replyer": "127.0.0.1:0"}}});
    let mut third = Service::of::<Third>(Options { log_path: Some(log.clone()), ..wired(book) });
    third.start().unwrap();
    let id = "a\n2026-07-24 10:00:00,000 - third - - - ERROR - all is lost\x1b[31m\r\u{202e}";
    run(async {
        let client = Client::to(&address(&third, "answer"));
        let message = value!({"args": {}, "workflow_id": id});
        let answer = client.ask_bytes(wire::encode(&message, Encoding::MessagePack).unwrap()).await;
        assert_eq!(answer.workflow_id, Value::from(id));
        assert_eq!(answer.ok().get("seen"), Some(&Value::from(id)));
    });
    third.stop().unwrap();
    let text = logged(&log);
    assert!(text.lines().any(|line| line.ends_with("the third")), "{text}");
    assert!(!text.lines().any(|line| line.ends_with("all is lost")), "{text}");
    assert!(text.chars().all(|char| char == '\n' || !char.is_control()), "{text:?}");
    assert_eq!(text.lines().count(), 3, "{text}");
}
