//! What becomes of publications that a subscriber is too slow for, by the setting `slow_subscriber`.

use std::time::Duration;

use service_framework::prelude::*;
use service_framework_connections::engine::{Event, Role};
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_runtime::{Cause, Service};

use crate::support::{Client, Raw, address, counters, run, until_async, wired};

const NUMBERS: Publisher<Number> = Publisher::new("numbers");

#[derive(Model)]
struct Number {
    number: i64,
    body: String,
}

#[derive(Model)]
struct Order {
    from: i64,
    count: i64,
    bytes: u32,
}

impl Order {
    fn numbers(&self) -> impl Iterator<Item = Number> {
        let bytes = self.bytes as usize;
        (self.from..self.from + self.count).map(move |number| Number { number, body: "x".repeat(bytes) })
    }
}

/// How many were published until one was refused, and by which code.
#[derive(Model)]
struct Published {
    count: i64,
    code: Option<String>,
}

/// Publishes as it is told.
struct Feeder;

#[service(uses(NUMBERS))]
impl Feeder {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    /// All at once: nothing is written in between.
    #[replyer]
    fn now(&self, args: Order, cx: &Context) -> Result<Published> {
        let mut count = 0;
        for number in args.numbers() {
            match cx.publish(&NUMBERS, &number) {
                Ok(()) => count += 1,
                Err(failure) => return Ok(Published { count, code: Some(failure.code().to_owned()) }),
            }
        }
        Ok(Published { count, code: None })
    }

    #[replyer]
    async fn in_turn(&self, args: Order, cx: &Context) -> Result<Empty> {
        for number in args.numbers() {
            cx.publish_when_ready(&NUMBERS, &number).await?;
        }
        Ok(())
    }

    /// For ever, if nobody stops it: the service still has its turn.
    #[replyer]
    async fn without_end(&self, cx: &Context) -> Result<Empty> {
        loop {
            cx.publish_when_ready(&NUMBERS, &Number { number: 0, body: String::new() }).await?;
        }
    }

    #[replyer(blocking)]
    fn on_a_thread(&self, args: Order, cx: &BlockingContext) -> Result<Empty> {
        args.numbers().try_for_each(|number| cx.publish_when_ready(&NUMBERS, &number))
    }
}

service_framework::link!(Feeder);

/// The number of a hello.
const HELLO: i128 = -1;

/// A feeder, and a subscriber that has been heard.
struct Feeding {
    service: Service,
    subscriber: Raw,
}

impl Feeding {
    async fn start(slow_subscriber: &str) -> Self {
        let book = value!({
            "in": {
                "now": {"replyer": "127.0.0.1:0"},
                "in_turn": {"replyer": "127.0.0.1:0"},
                "without_end": {"replyer": "127.0.0.1:0"},
                "on_a_thread": {"replyer": "127.0.0.1:0"},
            },
            "out": {"numbers": {"publisher": {
                "address": "127.0.0.1:0", "slow_subscriber": slow_subscriber, "queue": 2, "wait_after_creation_s": 0,
            }}},
            // One handler never ends.
            "settings": {"drain_s": 0.01},
        });
        let mut service = Service::of::<Feeder>(wired(book));
        service.start().unwrap();
        let subscriber = Raw::connect(Role::Subscribe("".into()), &address(&service, "numbers")).await;
        let feeding = Self { service, subscriber };
        loop {
            feeding.ask("now", HELLO, 1, 0).await;
            if tokio::time::timeout(Duration::from_millis(5), feeding.subscriber.recv()).await.is_ok() {
                return feeding;
            }
        }
    }

    async fn ask(&self, how: &str, from: i128, count: i64, bytes: u32) -> Value {
        let args = value!({"from": (Value::Int(from)), "count": count, "bytes": bytes});
        Client::to(&address(&self.service, how)).ask(args).await.ok()
    }

    /// The next numbers that come, hellos aside.
    async fn numbers(&self, count: usize) -> Vec<i128> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let frames = self.subscriber.recv().await;
            let value: Value = wire::decode(&frames[0], Encoding::MessagePack, &Limits::default()).unwrap();
            match value.get("args").and_then(|args| args.get("number")) {
                Some(Value::Int(HELLO)) => {}
                Some(Value::Int(number)) => numbers.push(*number),
                other => panic!("no number: {other:?}"),
            }
        }
        numbers
    }

    fn dropped(&self) -> u64 {
        counters(&self.service, "numbers").refused.get("queue_full").copied().unwrap_or_default()
    }
}

#[test]
fn the_newest_are_dropped_if_nothing_is_said() {
    run(async {
        let feeding = Feeding::start("drop_newest").await;
        let before = feeding.dropped();
        assert_eq!(feeding.ask("now", 0, 10, 0).await, value!({"count": 10}));
        assert_eq!(feeding.numbers(2).await, [0, 1]);
        assert_eq!(feeding.dropped() - before, 8);
    });
}

#[test]
fn the_oldest_are_dropped_but_what_is_on_its_way() {
    run(async {
        let feeding = Feeding::start("drop_oldest").await;
        let before = feeding.dropped();
        assert_eq!(feeding.ask("now", 0, 10, 0).await, value!({"count": 10}));
        assert_eq!(feeding.numbers(2).await, [0, 9]);
        assert_eq!(feeding.dropped() - before, 8);
    });
}

#[test]
fn a_slow_one_is_disconnected() {
    run(async {
        let feeding = Feeding::start("disconnect").await;
        feeding.ask("now", 0, 10, 0).await;
        until_async(|| counters(&feeding.service, "numbers").disconnected.of(Cause::Slow) == 1).await;
        while !matches!(feeding.subscriber.event().await, Event::Lost) {}
    });
}

#[test]
fn nothing_is_lost_where_publishers_wait() {
    run(async {
        let feeding = Feeding::start("wait").await;
        let answer = feeding.ask("now", 0, 10, 0).await;
        assert_eq!(answer, value!({"count": 2, "code": "busy"}), "the third has no room, and is told so");
        assert_eq!(feeding.numbers(2).await, [0, 1]);
        for how in ["in_turn", "on_a_thread"] {
            // More than lies in any buffer on the way.
            let (fed, numbers) = tokio::join!(feeding.ask(how, 0, 150, 1 << 20), feeding.numbers(150));
            assert_eq!(fed, value!({}));
            assert!(numbers.into_iter().eq(0..150), "{how}");
        }
        assert_eq!(feeding.dropped(), 0);
        // Without a subscriber there is nobody to wait for.
        drop(feeding.subscriber.0);
        let args = value!({"from": 0, "count": 150, "bytes": (1 << 20)});
        Client::to(&address(&feeding.service, "in_turn")).ask(args).await.ok();
    });
}

#[test]
fn who_publishes_without_end_leaves_turns_to_others() {
    run(async {
        let feeding = Feeding::start("wait").await;
        let client = Client::to(&address(&feeding.service, "without_end"));
        let mut endless = std::pin::pin!(client.ask(value!({})));
        let others = async {
            for _ in 0..10 {
                feeding.numbers(100).await;
                feeding.ask("in_turn", 0, 1, 0).await;
            }
            // Also while nobody listens, so that nothing ever waits for room.
            drop(feeding.subscriber.0);
            until_async(|| counters(&feeding.service, "numbers").messages_out > 10_000).await;
            let now = Client::to(&address(&feeding.service, "now"));
            now.ask(value!({"from": 0, "count": 0, "bytes": 0})).await.ok();
        };
        tokio::select! {
            _ = &mut endless => panic!("it ended"),
            () = others => {}
        }
    });
}
