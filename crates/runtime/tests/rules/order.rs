//! Subscribed messages: in order for each connection, beside one another for several, and never more than the queue holds.

use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_core::topic;
use service_framework_core::wire::{self, Encoding};
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Raw, address, counters, request, run, until_async, wired};

#[derive(Model)]
struct Number {
    number: i64,
}

/// Notes what it reads.
struct Reader {
    scene: Arc<Scene>,
}

#[service]
impl Reader {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[subscriber]
    async fn first(&self, args: Number, cx: &Context) -> Result<()> {
        self.scene.note(format!("+{}", args.number));
        self.scene.pass(if args.number == 0 { "first" } else { "always" }, cx).await;
        self.scene.note(format!("-{}", args.number));
        Ok(())
    }

    #[subscriber]
    fn second(&self, args: Number) -> Result<()> {
        self.scene.note(format!("second {}", args.number));
        Ok(())
    }

    #[subscriber]
    async fn alone(&mut self, args: Number, cx: &Context) -> Result<()> {
        self.scene.note(format!("+alone {}", args.number));
        cx.sleep(Duration::from_millis(1)).await;
        self.scene.note(format!("-alone {}", args.number));
        Ok(())
    }

    #[subscriber(blocking)]
    fn blocking(&self, args: Number) -> Result<()> {
        self.scene.note(format!("blocking {}", args.number));
        Ok(())
    }

    #[subscriber(topic = "mine")]
    fn of_topic(&self, args: Number, cx: &Context) -> Result<()> {
        self.scene.note(format!("{:?} {}", cx.topic(), args.number));
        Ok(())
    }

    #[subscriber]
    fn of_any(&self, args: Number, cx: &Context) -> Result<()> {
        self.scene.note(format!("any {:?} {}", cx.topic(), args.number));
        Ok(())
    }
}

service_framework::link!(Reader);

/// A publisher for each subscriber.
struct Press {
    scene: Arc<Scene>,
    service: Service,
    publishers: Vec<(&'static str, Raw)>,
}

impl Press {
    async fn open(first: Value) -> Self {
        let scene = Scene::new();
        scene.open("always");
        let mut publishers = Vec::new();
        let mut book = Map::new();
        for name in ["first", "second", "alone", "blocking", "of_topic", "of_any"] {
            let (publisher, at) = Raw::bind(Role::Publish).await;
            let mut endpoint = Map::new();
            if let (Value::Map(settings), "first") = (&first, name) {
                endpoint = settings.clone();
            }
            endpoint.insert("address", at.to_string());
            book.insert(name, value!({"subscriber": (Value::Map(endpoint))}));
            publishers.push((name, publisher));
        }
        let book = value!({"in": (Value::Map(book))});
        let mut service = Service::of::<Reader>(Options { config: scene.config().into(), ..wired(book) });
        service.start().unwrap();
        let press = Self { scene, service, publishers };
        // What is published before a subscription is known is lost; once something refused came, it is known.
        for name in ["first", "second", "alone", "blocking", "of_topic", "of_any"] {
            until_async(|| {
                press.of(name).send(&[&[topic::encode("mine"), b"\xc1".to_vec()].concat()]);
                counters(&press.service, name).messages_in > 0
            })
            .await;
        }
        until_async(|| {
            press.publishers.iter().all(|(name, _)| {
                let counters = counters(&press.service, name);
                counters.refused.values().sum::<u64>() == counters.messages_in
            })
        })
        .await;
        press
    }

    fn of(&self, name: &str) -> &Raw {
        &self.publishers.iter().find(|(known, _)| *known == name).unwrap().1
    }

    fn send(&self, name: &str, numbers: impl IntoIterator<Item = i64>) {
        for number in numbers {
            self.of(name).send(&[&request(&value!({"number": number}))]);
        }
    }

    fn arrived(&self, name: &str) -> u64 {
        let counters = counters(&self.service, name);
        counters.messages_in - counters.refused.get("bad_message").copied().unwrap_or(0)
    }

    fn stop(mut self) {
        assert_eq!(self.service.stop().unwrap().not_drained, Vec::<String>::new());
    }
}

#[test]
fn the_messages_of_a_connection_are_handled_one_at_a_time_in_order() {
    run(async {
        let press = Press::open(value!({})).await;
        press.send("first", 1..=100);
        press.scene.noted("-100").await;
        let expected: Vec<_> =
            (1..=100).flat_map(|number| [format!("+{number}"), format!("-{number}")]).collect();
        assert_eq!(press.scene.notes(), expected);
        press.stop();
    });
    run(async {
        let press = Press::open(value!({})).await;
        press.send("blocking", 1..=100);
        press.scene.noted("blocking 100").await;
        let expected: Vec<_> = (1..=100).map(|number| format!("blocking {number}")).collect();
        assert_eq!(press.scene.notes(), expected);
        press.stop();
    });
}

#[test]
fn connections_interleave() {
    run(async {
        let press = Press::open(value!({})).await;
        press.send("first", 0..=1);
        press.scene.noted("+0").await;
        press.send("second", 1..=3);
        press.scene.noted("second 3").await;
        press.scene.open("first");
        press.scene.noted("-1").await;
        assert_eq!(press.scene.notes(), ["+0", "second 1", "second 2", "second 3", "-0", "+1", "-1"]);
        press.stop();
    });
}

#[test]
fn an_exclusive_subscriber_waits_until_the_others_are_done() {
    run(async {
        let press = Press::open(value!({})).await;
        press.send("first", [0]);
        press.scene.noted("+0").await;
        press.send("alone", 1..=2);
        until_async(|| press.arrived("alone") == 2).await;
        assert_eq!(press.scene.notes(), ["+0"]);
        press.scene.open("first");
        press.scene.noted("-alone 2").await;
        assert_eq!(press.scene.notes(), ["+0", "-0", "+alone 1", "-alone 1", "+alone 2", "-alone 2"]);
        press.stop();
    });
}

#[test]
fn with_a_full_queue_the_socket_is_not_read_and_nothing_is_lost() {
    run(async {
        let press = Press::open(value!({"queue": 5})).await;
        press.send("first", 0..200);
        press.send("second", 1..=200);
        // One is in work, five wait; the rest is not read, however long the others go on.
        press.scene.noted("second 200").await;
        until_async(|| press.arrived("first") == 6).await;
        press.send("second", 201..=400);
        press.scene.noted("second 400").await;
        assert_eq!(press.arrived("first"), 6);
        // Both are told: what was read, and what lies in the socket.
        until_async(|| counters(&press.service, "first").traffic.inbox_messages == 199).await;
        let each = |number: i64| request(&value!({"number": number})).len();
        let waiting: usize = (1..200).map(each).sum();
        assert_eq!(counters(&press.service, "first").traffic.inbox_bytes, waiting);
        press.scene.open("first");
        press.scene.noted("-199").await;
        let read: Vec<_> = press.scene.notes().into_iter().filter(|note| note.starts_with('+')).collect();
        assert_eq!(read, (0..200).map(|number| format!("+{number}")).collect::<Vec<_>>());
        assert!(!counters(&press.service, "first").refused.contains_key("dropped_oldest"));
        press.stop();
    });
}

#[test]
fn a_queue_is_full_of_bytes_too() {
    let sent = 300..=399;
    let settings = |overflow| value!({"queue_bytes": 1_024, "overflow": overflow});
    // The last message goes beyond.
    let room = 1_024_usize.div_ceil(request(&value!({"number": 300})).len());
    run(async {
        let press = Press::open(settings("wait")).await;
        press.send("first", [0]);
        press.scene.noted("+0").await;
        press.send("first", sent.clone());
        press.send("second", sent.clone());
        press.scene.noted("second 399").await;
        until_async(|| press.arrived("first") == 1 + room as u64).await;
        press.send("second", 400..=499);
        press.scene.noted("second 499").await;
        assert_eq!(press.arrived("first"), 1 + room as u64);
        press.scene.open("first");
        press.scene.noted("-399").await;
        assert!(!counters(&press.service, "first").refused.contains_key("dropped_oldest"));
        press.stop();
    });
    run(async {
        let press = Press::open(settings("drop_oldest")).await;
        press.send("first", [0]);
        press.scene.noted("+0").await;
        press.send("first", sent.clone());
        until_async(|| press.arrived("first") == 101).await;
        press.scene.open("first");
        press.scene.noted("-399").await;
        let read: Vec<_> = press.scene.notes().into_iter().filter(|note| note.starts_with('+')).collect();
        let kept = sent.clone().skip(100 - room).map(|number| format!("+{number}"));
        assert_eq!(read, ["+0".to_owned()].into_iter().chain(kept).collect::<Vec<_>>());
        assert_eq!(counters(&press.service, "first").refused["dropped_oldest"], 100 - room as u64);
        press.stop();
    });
}

#[test]
fn with_drop_oldest_the_newest_are_kept_and_the_rest_is_counted() {
    run(async {
        let press = Press::open(value!({"queue": 5, "overflow": "drop_oldest"})).await;
        press.send("first", [0]);
        press.scene.noted("+0").await;
        press.send("first", 1..=100);
        until_async(|| press.arrived("first") == 101).await;
        press.scene.open("first");
        press.scene.noted("-100").await;
        let read: Vec<_> = press.scene.notes().into_iter().filter(|note| note.starts_with('+')).collect();
        assert_eq!(read, ["+0", "+96", "+97", "+98", "+99", "+100"]);
        assert_eq!(counters(&press.service, "first").refused["dropped_oldest"], 95);
        press.stop();
    });
}

#[test]
fn a_topic_is_a_filter_and_without_one_all_topics_are_offered() {
    run(async {
        let press = Press::open(value!({})).await;
        for name in ["of_topic", "of_any"] {
            let send = |topic: &str, number: i64| {
                let frame = [topic::encode(topic), request(&value!({"number": number}))].concat();
                press.of(name).send(&[&frame]);
            };
            send("other", 1);
            send("mine", 2);
            send("mine too", 3);
            send("min", 4);
            press.send(name, [5]);
            send("mine", 6);
        }
        press.scene.noted("Some(\"mine\") 6").await;
        press.scene.noted("any Some(\"mine\") 6").await;
        let (any, mine): (Vec<_>, Vec<_>) =
            press.scene.notes().into_iter().partition(|note| note.starts_with("any"));
        assert_eq!(mine, ["Some(\"mine\") 2", "Some(\"mine\") 6"]);
        assert_eq!(
            any,
            [
                "any Some(\"other\") 1",
                "any Some(\"mine\") 2",
                "any Some(\"mine too\") 3",
                "any Some(\"min\") 4",
                "any None 5",
                "any Some(\"mine\") 6"
            ]
        );
        press.stop();
    });
}

#[test]
fn json_behind_a_topic_is_understood() {
    run(async {
        let press = Press::open(value!({})).await;
        let json = wire::encode(&value!({"args": {"number": 7}}), Encoding::Json).unwrap();
        press.of("of_topic").send(&[&[topic::encode("mine"), json].concat()]);
        press.scene.noted("Some(\"mine\") 7").await;
        press.stop();
    });
}

#[test]
fn a_subscriber_that_listens_takes_from_all_who_connect() {
    run(async {
        let scene = Scene::new();
        let nobody = |name| (name, value!({"subscriber": "127.0.0.1:9"}));
        let mut entries: Map =
            ["first", "alone", "blocking", "of_topic", "of_any"].map(nobody).into_iter().collect();
        entries.insert("second", value!({"subscriber": {"address": "127.0.0.1:0", "is_binder": true}}));
        let book = value!({"in": (Value::Map(entries))});
        let mut service = Service::of::<Reader>(Options { config: scene.config().into(), ..wired(book) });
        service.start().unwrap();
        for number in 1..=3 {
            let publisher = Raw::connect(Role::Publish, &address(&service, "second")).await;
            until_async(|| {
                publisher.send(&[&request(&value!({"number": number}))]);
                scene.has(&format!("second {number}"))
            })
            .await;
        }
        service.stop().unwrap();
    });
}
