//! A publisher whose subscriber is too slow, or is not there any more: the others have all of it, and what waits is bounded.

use std::time::Instant;

use bytes::Bytes;
use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_core::wire::{self, Encoding, Limits};

use crate::held::{Held, returns_to};
use crate::remote::{self, Remote};
use crate::support::{Client, Raw, run};

const NEWS: Publisher<News> = Publisher::new("news").wait_after_creation_s(0.0);

#[derive(Model)]
struct News {
    number: u64,
    body: String,
}

/// A publication, as it is sent.
#[derive(Model)]
struct Message {
    args: News,
    workflow_id: Value,
}

#[derive(Model)]
struct Batch {
    first: u64,
    count: u64,
}

/// How many nanoseconds each publication took.
#[derive(Model)]
struct Taken {
    nanoseconds: Vec<u64>,
}

/// Publishes what it is told to, each with its number.
struct Press {
    body: String,
}

#[service(uses(NEWS))]
impl Press {
    fn new() -> Result<Self> {
        Ok(Self { body: "x".repeat(BODY) })
    }

    #[replyer]
    fn publish(&self, batch: Batch, cx: &Context) -> Result<Held> {
        for number in batch.first..batch.first + batch.count {
            cx.publish(&NEWS, &News { number, body: self.body.clone() })?;
        }
        Ok(Held::now())
    }

    /// The same, looking at the clock.
    #[replyer]
    fn publish_timed(&self, batch: Batch, cx: &Context) -> Result<Taken> {
        let mut nanoseconds = Vec::new();
        for number in batch.first..batch.first + batch.count {
            let news = News { number, body: self.body.clone() };
            let begun = Instant::now();
            cx.publish(&NEWS, &news)?;
            nanoseconds.push(begun.elapsed().as_nanos() as u64);
        }
        Ok(Taken { nanoseconds })
    }
}

service_framework::link!(Press);

const BODY: usize = 32 << 10;
/// What may wait for one subscriber.
pub(crate) const QUEUE_BYTES: u64 = 32 << 20;

pub(crate) fn be_the_press() {
    remote::be::<Press>(|_| {
        value!({
            "in": {"publish": {"replyer": "127.0.0.1:0"}, "publish_timed": {"replyer": "127.0.0.1:0"}},
            "out": {"news": {"publisher": {"address": "127.0.0.1:0", "queue_bytes": QUEUE_BYTES}}},
        })
    });
}

/// The press, and how much it has published.
pub(crate) struct Pressing {
    remote: Remote,
    client: Client,
    timed: Client,
    pub(crate) published: u64,
}

impl Pressing {
    pub(crate) fn start(test: &str) -> Self {
        let remote = Remote::start(test);
        let [client, timed] = ["publish", "publish_timed"].map(|how| Client::to(&remote.address(how)));
        Self { remote, client, timed, published: 0 }
    }

    /// Publishes so many. That it returns says that nothing keeps the press from it.
    async fn publish(&mut self, count: u64) -> Held {
        let batch = self.batch(count);
        self.client.ask(batch).await.model()
    }

    /// The same; gives how many nanoseconds each publication took.
    pub(crate) async fn publish_timed(&mut self, count: u64) -> Vec<u64> {
        let batch = self.batch(count);
        self.timed.ask(batch).await.model::<Taken>().nanoseconds
    }

    fn batch(&mut self, count: u64) -> Value {
        let first = self.published;
        self.published += count;
        value!({"first": first, "count": count})
    }

    pub(crate) async fn held(&self) -> Held {
        self.client.ask(value!({"first": 0, "count": 0})).await.model()
    }

    pub(crate) async fn subscriber(&self) -> Subscriber {
        let raw = Raw::connect(Role::Subscribe(Bytes::new()), &self.remote.address("news")).await;
        Subscriber { raw, first: None, next: 0, received: 0 }
    }

    /// Publishes until a subscriber has nothing left to take but what was published last.
    pub(crate) async fn until_taken(&mut self, subscriber: &mut Subscriber) {
        while subscriber.next < self.published || self.published == 0 {
            self.publish(1).await;
            while subscriber.next < self.published && subscriber.takes_soon().await {}
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.remote.counters("news")["refused"]["queue_full"].as_u64().unwrap_or(0)
    }
}

/// Reads numbers, as many as it is asked to.
pub(crate) struct Subscriber {
    raw: Raw,
    pub(crate) first: Option<u64>,
    /// The one after the last.
    next: u64,
    pub(crate) received: u64,
}

impl Subscriber {
    pub(crate) async fn take(&mut self) -> u64 {
        let frame = self.raw.recv().await.remove(0);
        let message: Message = wire::decode(&frame, Encoding::MessagePack, &Limits::default()).unwrap();
        let number = message.args.number;
        assert!(number >= self.next, "{number} comes after {}", self.next);
        self.first.get_or_insert(number);
        self.next = number + 1;
        self.received += 1;
        number
    }

    /// Takes the next one, if it comes in a moment.
    async fn takes_soon(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(20), self.take()).await.is_ok()
    }

    /// Takes all up to that one, which follow one another.
    pub(crate) async fn take_until(&mut self, published: u64) {
        while self.next < published {
            let expected = self.next;
            assert_eq!(self.take().await, expected);
        }
    }
}

#[test]
fn a_subscriber_that_is_too_slow_loses_what_is_counted_and_others_nothing() {
    const THIS: &str =
        "slow_subscriber::a_subscriber_that_is_too_slow_loses_what_is_counted_and_others_nothing";
    be_the_press();
    run(async {
        let mut press = Pressing::start(THIS);
        let (mut fast, mut slow) = (press.subscriber().await, press.subscriber().await);
        press.until_taken(&mut slow).await;
        press.until_taken(&mut fast).await;
        slow.take_until(press.published).await;
        assert_eq!(press.dropped(), 0);
        let before = press.held().await;

        // One of a hundred, while the other takes all of them: eight times as much as may wait for the slow one.
        let mut most = 0;
        for _ in 0..80 {
            most = most.max(press.publish(100).await.most_allocated);
            fast.take_until(press.published).await;
            slow.take().await;
        }
        let waiting = most - before.allocated;
        assert!(waiting < QUEUE_BYTES + QUEUE_BYTES / 4, "{waiting} bytes waited for the slow one");
        let dropped = press.dropped();
        assert!(dropped > 0, "it was too slow");

        // It gets what waited for it, and from then on all there is.
        press.until_taken(&mut slow).await;
        fast.take_until(press.published).await;
        assert_eq!(slow.received + press.dropped(), press.published - slow.first.unwrap());
        assert_eq!(fast.received, press.published - fast.first.unwrap());
    });
}

#[test]
fn a_publisher_whose_subscribers_are_gone_goes_on_and_holds_nothing_for_them() {
    const THIS: &str =
        "slow_subscriber::a_publisher_whose_subscribers_are_gone_goes_on_and_holds_nothing_for_them";
    be_the_press();
    run(async {
        let mut press = Pressing::start(THIS);
        for _ in 0..2 {
            press.publish(100).await;
        }
        let before = press.held().await;
        // Three who stop to read, until there is no more room for them.
        let mut subscribers = Vec::new();
        for _ in 0..3 {
            let mut subscriber = press.subscriber().await;
            press.until_taken(&mut subscriber).await;
            subscribers.push(subscriber);
        }
        while press.dropped() == 0 {
            press.publish(100).await;
        }
        assert!(press.held().await.allocated > before.allocated + QUEUE_BYTES / 2);
        drop(subscribers);

        returns_to(before, 64 << 10, async || press.held().await).await;
        let dropped = press.dropped();
        for _ in 0..100 {
            press.publish(100).await;
        }
        assert_eq!(press.dropped(), dropped, "what nobody is to have is not dropped");
        returns_to(before, 64 << 10, async || press.held().await).await;
        // And who comes then has all of it.
        let mut subscriber = press.subscriber().await;
        press.until_taken(&mut subscriber).await;
    });
}
