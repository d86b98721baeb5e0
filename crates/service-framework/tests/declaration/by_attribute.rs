//! A service as an author would write it.

use std::sync::atomic::{AtomicU64, Ordering};

use service_framework::prelude::*;

#[derive(Model)]
pub(super) struct Config {
    /// Where orders are cancelled.
    pub(super) exchange: String,
}

#[derive(Model)]
pub(super) struct CancelOrder {
    pub(super) order_id: String,
}

#[derive(Model)]
pub(super) struct Cancelled {
    pub(super) order_id: String,
    pub(super) exchange: String,
}

pub(super) const AUDIT: Requester<Cancelled, Empty> = Requester::new("audit").deadline_s(2.0);
pub(super) const AT_EXCHANGE: ExternalTarget<CancelOrder, Empty> =
    ExternalTarget::new("at_exchange", |_| Ok(()));
pub(super) const CANCELS: Publisher<Cancelled> =
    Publisher::new("cancels").topic("orders").doc("All that went well.");

pub(super) struct Gateway {
    config: Config,
    cancelled: AtomicU64,
}

/// Cancels orders, and counts them.
#[service(uses(AUDIT, AT_EXCHANGE, CANCELS))]
impl Gateway {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config, cancelled: AtomicU64::new(0) })
    }

    /// Cancels one order.
    ///
    /// It may be gone already.
    #[replyer(peer = "python", deadline_s = 2.5)]
    async fn cancel_order(&self, args: CancelOrder, cx: &Context) -> Result<Cancelled> {
        cx.call(&AT_EXCHANGE, &args).await?;
        let cancelled = self.cancelled(args);
        cx.request(&AUDIT, &cancelled).await?;
        cx.publish(&CANCELS, &cancelled)?;
        Ok(cancelled)
    }

    /// Starts to count anew.
    #[subscriber(topic = "day", is_binder, overflow = "drop_oldest", queue = 10)]
    fn new_day(&self, _args: Map) -> Result<()> {
        self.cancelled.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn init(&self) -> Result<()> {
        Ok(())
    }

    fn cancelled(&self, order: CancelOrder) -> Cancelled {
        self.cancelled.fetch_add(1, Ordering::Relaxed);
        Cancelled { order_id: order.order_id, exchange: self.config.exchange.clone() }
    }
}

export!(Gateway);
