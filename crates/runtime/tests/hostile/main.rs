//! Nothing that a peer sends, and nothing that a handler does, ends a service or keeps others waiting.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use service_framework::prelude::*;
use service_framework_core::value::AnyArray;
use service_framework_runtime::Service;

#[path = "../support/peers.rs"]
mod support;

mod accepted;
mod encrypted;
mod fickle;
mod memory;
mod payloads;
mod replies;
mod silent;
mod transport;
mod under_load;

/// All that the payloads are aimed at.
#[derive(Model, Debug, Clone, PartialEq)]
struct Order {
    id: String,
    size: u64,
    price: f64,
    amount: Option<Decimal>,
    tags: Option<BTreeSet<String>>,
    points: Option<AnyArray>,
    nested: Option<Nested>,
    anything: Option<Value>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Nested {
    asks: Vec<Ask>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Ask {
    price: Decimal,
}

#[derive(Model)]
struct Taken {
    messages: u64,
}

/// Answers with what it was sent.
struct Exchange {
    taken: AtomicU64,
}

#[service]
impl Exchange {
    fn new() -> Result<Self> {
        Ok(Self { taken: AtomicU64::new(0) })
    }

    #[replyer]
    fn order(&self, args: Order) -> Result<Order> {
        Ok(args)
    }

    #[replyer]
    async fn order_later(&self, args: Order, cx: &Context) -> Result<Order> {
        cx.sleep(Duration::ZERO).await;
        Ok(args)
    }

    #[replyer]
    fn taken(&self) -> Result<Taken> {
        Ok(Taken { messages: self.taken.load(Ordering::Relaxed) })
    }

    #[subscriber]
    fn on_order(&self, _args: Order) -> Result<()> {
        self.taken.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

service_framework::link!(Exchange);

/// An exchange that is asked at ports of its own and hears nobody.
fn exchange() -> Service {
    let addresses = value!({"in": {
        "order": {"replyer": "127.0.0.1:0"},
        "order_later": {"replyer": "127.0.0.1:0"},
        "taken": {"replyer": "127.0.0.1:0"},
        "on_order": {"subscriber": "127.0.0.1:9"},
    }});
    let mut service = Service::of::<Exchange>(support::wired(addresses));
    service.start().unwrap();
    service
}
