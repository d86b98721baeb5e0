//! The updates that wait for a handler that is slow: so many, and so many bytes.

use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::desks::started;
use crate::scene::{At, Scene};
use crate::support::{Client, address, run, wired};

#[derive(Model, State, Clone, Debug, Default)]
struct Page {
    number: u64,
    text: String,
}

/// A page to be printed.
#[derive(Model)]
struct Order {
    number: u64,
    bytes: u32,
}

mod press {
    use super::*;

    const PAGE: DeltaUpdateOut<Page> = DeltaUpdateOut::new("page");

    /// Prints one page after the other.
    pub(super) struct Press;

    #[service(uses(PAGE))]
    impl Press {
        fn new() -> Result<Self> {
            Ok(Self)
        }

        #[replyer]
        fn print(&self, order: Order, cx: &Context) -> Result<()> {
            let text = "x".repeat(order.bytes as usize);
            cx.update(&PAGE, &PageChange { number: Some(order.number), text: Some(text) })
        }
    }

    service_framework::link!(Press);
}

mod reader {
    use super::*;

    const PAGE: DeltaUpdateIn<Page> = DeltaUpdateIn::new("page");

    /// Begins to read when the door is opened.
    pub(super) struct Reader(Arc<Scene>);

    #[service(uses(PAGE))]
    impl Reader {
        fn new(config: At) -> Result<Self> {
            Ok(Self(config.scene()))
        }

        /// The number of the page that its copy has.
        #[replyer]
        fn held(&self, cx: &Context) -> Result<Value> {
            Ok(value!({"number": (cx.state(&PAGE).ok().map(|page| page.number))}))
        }

        #[updated(PAGE)]
        async fn read(&self, update: Update<Page>, cx: &Context) -> Result<()> {
            match update.content {
                Content::Snapshot(_) => {
                    self.0.note("awake");
                    self.0.pass("open", cx).await;
                }
                Content::Change(page) => self.0.note(page.number.unwrap_or_default().to_string()),
            }
            Ok(())
        }
    }

    service_framework::link!(Reader);
}

/// Prints so many pages of so many bytes while the reader waits at the door; gives how many of them it never read, which must be the oldest and counted.
fn unread(printed: u64, bytes: u32, settings: Value) -> u64 {
    let scene = Scene::new();
    let press = started(Service::of::<press::Press>(wired(value!({
        "connections": {"in": {"print": {"replyer": "127.0.0.1:0"}}},
        "states": {"out": {"page": {"publisher": "127.0.0.1:0", "replyer": "127.0.0.1:0"}}},
    }))));
    let at = |name: &str| Value::from(address(&press, name).to_string());
    let Value::Map(mut subscriber) = settings else { panic!("settings are a map") };
    subscriber.insert("address", at("page.publisher"));
    let addresses = wired(value!({
        "connections": {"in": {"held": {"replyer": "127.0.0.1:0"}}},
        "states": {"in": {"page": {
            "subscriber": (Value::Map(subscriber)),
            "requester": (at("page.replyer")),
        }}},
    }));
    let options = Options { config: scene.config().into(), ..addresses };
    let reader = started(Service::of::<reader::Reader>(options));
    run(async {
        scene.noted("awake").await;
        let (print, held) = (Client::to(&address(&press, "print")), Client::to(&address(&reader, "held")));
        for number in 1..=printed {
            print.ask(value!({"number": number, "bytes": bytes})).await.ok();
            // The copy does not wait for the handler.
            while held.ask(value!({})).await.ok() != value!({"number": number}) {}
        }
        scene.open("open");
        scene.noted(&printed.to_string()).await;
        let read: Vec<u64> = scene.notes().iter().filter_map(|note| note.parse().ok()).collect();
        let unread = printed - read.len() as u64;
        assert_eq!(read, (unread + 1..=printed).collect::<Vec<_>>(), "the last ones, in order");
        let counted = reader.counters().states["page"].updates.refused.get("dropped_oldest").copied();
        assert_eq!(counted.unwrap_or_default(), unread);
        unread
    })
}

#[test]
fn beyond_the_queue_the_oldest_is_dropped_and_counted() {
    assert_eq!(unread(100, 10, value!({"queue": 5})), 95);
    assert_eq!(unread(100, 10, value!({})), 0);
}

#[test]
fn beyond_so_many_bytes_the_oldest_are_dropped_and_counted() {
    // Around the text stand a few bytes; the last update may go beyond.
    assert_eq!(unread(9, 1_000, value!({"queue_bytes": 4_000})), 5);
    assert_eq!(unread(9, 5_000, value!({"queue_bytes": 4_000})), 8);
}
