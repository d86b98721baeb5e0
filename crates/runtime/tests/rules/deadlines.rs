//! Whoever waits is told when the time is over, and the time goes along with nested calls.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, Raw, address, counters, request, run, wired};

const NEXT: Requester<Empty, Value> = Requester::new("next");
const HASTY: Requester<Empty, Value> = Requester::new("peer").deadline_s(0.1);
const SLOW: ExternalTarget<Empty, Empty> = ExternalTarget::new("slow_target", slow).deadline_s(0.1);
const STUCK: ExternalTarget<Empty, Empty> =
    ExternalTarget::new_async("stuck_target", |()| Box::pin(std::future::pending())).deadline_s(0.1);

static IS_RELEASED: Mutex<bool> = Mutex::new(false);
static RELEASE: Condvar = Condvar::new();

/// Takes longer than anybody waits for it.
fn slow(_: Empty) -> Result<Empty> {
    drop(RELEASE.wait_while(IS_RELEASED.lock().unwrap(), |is_released| !*is_released).unwrap());
    Ok(())
}

/// The time that a handler has left, or -1.
fn left(cx: &Context) -> Value {
    value!({"left_ms": (cx.remaining().map_or(-1, |left| left.as_millis().min(1 << 50) as i64))})
}

fn left_ms(answer: &Value) -> i128 {
    match answer.get("left_ms") {
        Some(Value::Int(left)) => *left,
        other => panic!("{other:?}"),
    }
}

fn told(outcome: Result<Value>) -> Value {
    outcome.unwrap_or_else(|failure| value!({"code": (failure.code()), "message": (failure.message())}))
}

/// Hands on what it is asked.
struct Relay {
    scene: Arc<Scene>,
}

#[service(uses(NEXT, HASTY, SLOW, STUCK))]
impl Relay {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[replyer]
    async fn left(&self, cx: &Context) -> Result<Value> {
        Ok(left(cx))
    }

    #[replyer(deadline_s = 30)]
    async fn left_by_setting(&self, cx: &Context) -> Result<Value> {
        Ok(left(cx))
    }

    #[replyer]
    async fn left_next(&self, cx: &Context) -> Result<Value> {
        cx.sleep(Duration::from_millis(100)).await;
        Ok(told(cx.request(&NEXT, &()).await))
    }

    #[replyer(blocking)]
    fn next_blocking(&self, cx: &BlockingContext) -> Result<Value> {
        self.scene.note("ready to ask");
        self.scene.block("ask");
        self.scene.note("asking");
        Ok(told(cx.request(&NEXT, &())))
    }

    /// Holds the service's thread for a while after another thread was let ask.
    #[replyer]
    fn hold(&self) -> Result<Empty> {
        self.scene.open("ask");
        self.scene.wait_for("asking");
        std::thread::sleep(Duration::from_millis(100));
        Ok(())
    }

    #[replyer]
    async fn impatient(&self, cx: &Context) -> Result<Value> {
        Ok(told(cx.request_within(&NEXT, &(), Duration::from_millis(50)).await))
    }

    #[replyer]
    async fn hasty(&self, cx: &Context) -> Result<Value> {
        Ok(told(cx.request(&HASTY, &()).await))
    }

    #[replyer(blocking)]
    fn hasty_blocking(&self, cx: &BlockingContext) -> Result<Value> {
        Ok(told(cx.request(&HASTY, &())))
    }

    #[replyer]
    async fn slow(&self, cx: &Context) -> Result<Value> {
        Ok(told(cx.call(&SLOW, &()).await.map(|()| value!({}))))
    }

    #[replyer]
    async fn stuck(&self, cx: &Context) -> Result<Value> {
        Ok(told(cx.call(&STUCK, &()).await.map(|()| value!({}))))
    }

    #[replyer]
    async fn timeout(&self, cx: &Context) -> Result<Value> {
        let never = cx.timeout(Duration::from_millis(20), std::future::pending::<()>()).await;
        let at_once = cx.timeout(Duration::from_secs(600), async { 5_i64 }).await?;
        Ok(value!({"never": (never.unwrap_err().code()), "at_once": at_once}))
    }

    #[replyer]
    async fn never(&self) -> Result<Value> {
        struct Dropped<'s>(&'s Scene);
        impl Drop for Dropped<'_> {
            fn drop(&mut self) {
                self.0.note("dropped");
            }
        }
        let _dropped = Dropped(&self.scene);
        std::future::pending().await
    }

    #[replyer]
    fn at_once(&self) -> Result<Empty> {
        self.scene.note("run");
        Ok(())
    }
}

service_framework::link!(Relay);

const REPLYERS: [&str; 13] = [
    "left",
    "left_by_setting",
    "left_next",
    "next_blocking",
    "hold",
    "impatient",
    "hasty",
    "hasty_blocking",
    "slow",
    "stuck",
    "timeout",
    "never",
    "at_once",
];

fn relay(scene: &Scene, next: impl Into<Value>, hasty: &str) -> Service {
    let next = next.into();
    let entries: Map = REPLYERS.iter().map(|name| (*name, value!({"replyer": "127.0.0.1:0"}))).collect();
    let out = value!({"next": {"requester": (next)}, "peer": {"requester": hasty}});
    let book = value!({"in": (Value::Map(entries)), "out": (out)});
    let mut service = Service::of::<Relay>(Options { config: scene.config().into(), ..wired(book) });
    service.start().unwrap();
    service
}

/// An address where nobody answers.
const NOBODY: &str = "127.0.0.1:9";

#[test]
fn a_handler_sees_the_time_that_its_caller_gave() {
    let scene = Scene::new();
    let mut service = relay(&scene, NOBODY, NOBODY);
    run(async {
        let client = Client::to(&address(&service, "left"));
        assert_eq!(left_ms(&client.ask(value!({})).await.ok()), -1);
        let left = left_ms(&client.ask_with(value!({}), "deadline_ms", value!(5_000)).await.ok());
        assert!((1..=5_000).contains(&left), "{left}");
        let huge = client.ask_with(value!({}), "deadline_ms", Value::Int(u64::MAX.into())).await.ok();
        assert!(left_ms(&huge) == -1 || left_ms(&huge) > 1 << 40, "{huge:?}");

        let client = Client::to(&address(&service, "left_by_setting"));
        let left = left_ms(&client.ask(value!({})).await.ok());
        assert!((5_001..=30_000).contains(&left), "{left}");
        let left = left_ms(&client.ask_with(value!({}), "deadline_ms", value!(5_000)).await.ok());
        assert!((1..=5_000).contains(&left), "{left}");
    });
    service.stop().unwrap();
}

#[test]
fn nested_calls_carry_the_rest_of_the_time() {
    let scene = Scene::new();
    let mut last = relay(&scene, NOBODY, NOBODY);
    let mut first = relay(&scene, address(&last, "left").to_string(), NOBODY);
    run(async {
        let client = Client::to(&address(&first, "left_next"));
        let left = left_ms(&client.ask_with(value!({}), "deadline_ms", value!(4_000)).await.ok());
        assert!((1..=3_900).contains(&left), "{left} ms are left after 100 of 4,000");
        // Without a deadline of the caller's, that of the port goes along.
        let left = left_ms(&client.ask(value!({})).await.ok());
        assert!((1..=5_000).contains(&left), "{left}");
    });
    first.stop().unwrap();
    last.stop().unwrap();
}

#[test]
fn a_peer_that_comes_late_is_told_the_time_that_is_left_then() {
    let scene = Scene::new();
    let folder = tempfile::tempdir().unwrap();
    let late = format!("ipc://{}/late", folder.path().display());
    let mut service = relay(&scene, value!({"address": (late.as_str()), "deadline_s": 60}), NOBODY);
    run(async {
        let client = Client::to(&address(&service, "left_next"));
        let asked = Instant::now();
        let asking = client.ask_with(value!({}), "deadline_ms", value!(60_000));
        let answering = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let waited_ms = asked.elapsed().as_millis() as i128;
            let (peer, _) = Raw::bind_at(Role::Router, &late.parse().unwrap()).await;
            let request = answer_one(&peer).await;
            let told = told_ms(&request);
            assert!((1..=60_000 - waited_ms).contains(&told), "told {told} ms after {waited_ms} of 60,000");
            assert_eq!(request.get("workflow_id"), Some(&Value::from("w")));
        };
        tokio::join!(asking, answering).0.ok();
    });
    service.stop().unwrap();
}

#[test]
fn a_peer_is_told_the_time_that_is_left_when_the_thread_of_the_service_comes_to_the_call() {
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let mut told = Vec::new();
        // A thread may ask late after it said that it would, though hardly ever.
        while told.len() < 10 && told.iter().all(|told| *told > 59_900) {
            let scene = Scene::new();
            let next = value!({"address": (at.to_string()), "deadline_s": 60});
            let mut service = relay(&scene, next, NOBODY);
            let (asker, holder) = (address(&service, "next_blocking"), address(&service, "hold"));
            let (asker, holder) = (Client::to(&asker), Client::to(&holder));
            let holding = async {
                scene.noted("ready to ask").await;
                holder.ask(value!({})).await.ok();
            };
            let (answer, (), request) = tokio::join!(asker.ask(value!({})), holding, answer_one(&peer));
            answer.ok();
            told.push(told_ms(&request));
            service.stop().unwrap();
        }
        assert!(told.iter().any(|told| *told <= 59_900), "told {told:?} ms of 60,000 though 100 were over");
    });
}

/// What is asked by a peer without a service, which answers.
async fn answer_one(peer: &Raw) -> Value {
    let frames = peer.recv().await;
    let reply = wire::encode(&value!({"return_args": {"left_ms": 0}}), Encoding::MessagePack).unwrap();
    peer.send(&[&frames[0], &frames[1], &frames[2], &reply]);
    wire::decode(&frames[3], Encoding::MessagePack, &Limits::default()).unwrap()
}

fn told_ms(request: &Value) -> i128 {
    match request.get("deadline_ms") {
        Some(Value::Int(told)) => *told,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_that_nobody_answers_ends_at_its_deadline() {
    let scene = Scene::new();
    run(async {
        let (silent, silent_address) = Raw::bind(Role::Router).await;
        let silent_address = silent_address.to_string();
        let mut service = relay(&scene, silent_address.as_str(), &silent_address);
        for connection in ["impatient", "hasty", "hasty_blocking", "slow", "stuck"] {
            let client = Client::to(&address(&service, connection));
            let answer = client.ask(value!({})).await.ok();
            assert_eq!(answer.get("code"), Some(&Value::from("deadline")), "{connection}: {answer:?}");
        }
        for connection in ["next", "peer", "slow_target", "stuck_target"] {
            assert!(counters(&service, connection).refused["deadline"] >= 1, "{connection}");
        }
        // A peer that never was there.
        let mut alone = relay(&scene, NOBODY, NOBODY);
        for connection in ["impatient", "hasty"] {
            let answer = Client::to(&address(&alone, connection)).ask(value!({})).await.ok();
            assert_eq!(answer.get("code"), Some(&Value::from("deadline")), "{answer:?}");
        }
        drop(silent);
        *IS_RELEASED.lock().unwrap() = true;
        RELEASE.notify_all();
        alone.stop().unwrap();
        service.stop().unwrap();
    });
}

#[test]
fn a_handler_may_bound_anything_it_waits_for() {
    let scene = Scene::new();
    let mut service = relay(&scene, NOBODY, NOBODY);
    run(async {
        let answer = Client::to(&address(&service, "timeout")).ask(value!({})).await.ok();
        assert_eq!(answer, value!({"never": "deadline", "at_once": 5}));
    });
    service.stop().unwrap();
}

#[test]
fn a_handler_is_dropped_when_the_time_of_its_caller_is_over() {
    let scene = Scene::new();
    let mut service = relay(&scene, NOBODY, NOBODY);
    run(async {
        let client = Client::to(&address(&service, "never"));
        let answer = client.ask_with(value!({}), "deadline_ms", value!(50)).await;
        assert_eq!(answer.code(), "deadline");
        assert_eq!(scene.notes(), ["dropped"]);
    });
    service.stop().unwrap();
}

#[test]
fn a_request_whose_time_is_over_is_not_run() {
    let scene = Scene::new();
    let mut service = relay(&scene, NOBODY, NOBODY);
    run(async {
        let client = Client::to(&address(&service, "at_once"));
        let answer = client.ask_with(value!({}), "deadline_ms", value!(0)).await;
        assert_eq!(answer.code(), "deadline");
        client.ask(value!({})).await.ok();
        assert_eq!(scene.notes(), ["run"]);
        assert_eq!(counters(&service, "at_once").refused["deadline"], 1);
    });
    service.stop().unwrap();
}

#[test]
fn a_request_whose_time_is_over_while_it_waits_for_its_turn_is_not_run() {
    let scene = Scene::new();
    let mut room = crate::lending::room(&scene, value!({}));
    run(async {
        let (shared, alone) = (Client::to(&address(&room, "shared")), Client::to(&address(&room, "alone")));
        let staying = tokio::task::spawn_local(async move { shared.ask(value!({"name": "a"})).await });
        scene.noted("+a").await;
        let late = alone.ask_with(value!({"name": "late"}), "deadline_ms", value!(30)).await;
        assert_eq!(late.code(), "deadline");
        scene.open("a");
        staying.await.unwrap().ok();
        scene.open("x");
        alone.ask_bytes(request(&value!({"name": "x"}))).await.ok();
        assert_eq!(scene.notes(), ["+a", "-a", "+x", "-x"]);
    });
    room.stop().unwrap();
}
