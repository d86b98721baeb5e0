//! A thread that goes on when its service has ended: it is told so, and nothing that it was not told of is lost uncounted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{counters, until, wired};

const NEWS: Publisher<Empty> = Publisher::new("news").wait_after_creation_s(0.0);

static PUBLISHED: AtomicU64 = AtomicU64::new(0);

/// Publishes without asking whether the service is to stop.
struct Herald {
    scene: Arc<Scene>,
}

#[service(uses(NEWS))]
impl Herald {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    fn main(&self, cx: &BlockingContext) -> Result<()> {
        loop {
            match cx.publish(&NEWS, &()) {
                Ok(()) => _ = PUBLISHED.fetch_add(1, Ordering::SeqCst),
                Err(error) if error.code() == "busy" => std::thread::yield_now(),
                Err(error) => {
                    self.scene.note(error.code());
                    return Ok(());
                }
            }
        }
    }
}

service_framework::link!(Herald);

#[test]
fn what_is_published_while_a_service_ends_is_sent_or_counted() {
    let scene = Scene::new();
    let book = value!({"out": {"news": {"publisher": "127.0.0.1:0"}}});
    let mut service = Service::of::<Herald>(Options { config: scene.config().into(), ..wired(book) });
    service.start_main().unwrap();
    until("it publishes", || PUBLISHED.load(Ordering::SeqCst) > 1_000);
    service.stop().unwrap();
    scene.wait_for("stopping");
    let news = counters(&service, "news");
    let refused: u64 = news.refused.values().sum();
    assert_eq!(news.messages_out + refused, PUBLISHED.load(Ordering::SeqCst), "{news:?}");
}
