//! Cancels orders at an exchange, and has each cancellation remembered.

mod exchange;

use service_framework::prelude::*;

/// Which exchange.
#[derive(Model, Debug)]
pub struct Config {
    /// The folder in which the exchange keeps its open orders.
    pub exchange: String,
}

/// An order to cancel.
#[derive(Model, Debug)]
pub struct CancelOrder {
    /// Which.
    pub order_id: String,
}

/// An order that was cancelled.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Cancelled {
    /// Which.
    pub order_id: String,
    /// When.
    pub at: DateTime,
}

/// An order to cancel, and where.
#[derive(Model, Debug, PartialEq)]
pub struct CancelAtExchange {
    /// The folder of the exchange.
    pub exchange: String,
    /// Which order.
    pub order_id: String,
}

/// The exchange: the world outside, behind a function.
pub const AT_EXCHANGE: ExternalTarget<CancelAtExchange, Cancelled> =
    ExternalTarget::new("cancel_order_at_exchange", exchange::cancel_order)
        .doc("Cancels an order at the exchange.");

/// Who remembers cancellations.
pub const AUDIT: Requester<Cancelled, Empty> = Requester::new("audit").doc("Remembers a cancellation.");

/// The gateway.
#[derive(Debug)]
pub struct OrderGateway {
    config: Config,
}

/// Cancels orders at an exchange.
#[service(uses(AT_EXCHANGE, AUDIT))]
impl OrderGateway {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    /// Cancels one order.
    #[replyer]
    async fn cancel_order(&self, args: CancelOrder, cx: &Context) -> Result<Cancelled> {
        let CancelOrder { order_id } = args;
        let at_exchange = CancelAtExchange { exchange: self.config.exchange.clone(), order_id };
        let cancelled = cx.call(&AT_EXCHANGE, &at_exchange).await?;
        cx.request(&AUDIT, &cancelled).await?;
        Ok(cancelled)
    }
}

export!(OrderGateway);

#[cfg(test)]
mod tests;
