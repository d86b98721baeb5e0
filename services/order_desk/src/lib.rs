//! Cancels the orders that its config names, one after the other.

use std::io::{ErrorKind, Write as _, stdout};

use service_framework::prelude::*;

/// What to cancel.
#[derive(Model, Debug)]
pub struct Config {
    /// The ids of the orders.
    pub order_ids: Vec<String>,
}

/// An order to cancel.
#[derive(Model, Debug, PartialEq)]
pub struct CancelOrder {
    /// Which.
    pub order_id: String,
}

/// An order that was cancelled.
#[derive(Model, Debug)]
pub struct Cancelled {
    /// Which.
    pub order_id: String,
    /// When.
    pub at: DateTime,
}

/// The gateway to the exchange.
pub const CANCEL_ORDER: Requester<CancelOrder, Cancelled> =
    Requester::new("cancel_order").doc("Cancels an order.").deadline_s(10.0);

/// The desk.
#[derive(Debug)]
pub struct OrderDesk {
    config: Config,
}

/// Cancels the orders that its config names.
#[service(uses(CANCEL_ORDER))]
impl OrderDesk {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        for order_id in &self.config.order_ids {
            let answer = cx.request(&CANCEL_ORDER, &CancelOrder { order_id: order_id.clone() }).await;
            let line = match answer {
                Ok(cancelled) => format!("{order_id} was cancelled at {}\n", cancelled.at),
                // One order that the gateway refuses does not keep the others.
                Err(error) if error.code() == "order_gateway.unknown_order" => {
                    format!("{order_id} is not open\n")
                }
                Err(error) => return Err(error),
            };
            print(&line)?;
        }
        Ok(())
    }
}

/// Prints, for as long as anybody reads: the orders that are left are cancelled all the same.
fn print(line: &str) -> Result<()> {
    match stdout().lock().write_all(line.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

export!(OrderDesk);

#[cfg(test)]
mod tests;
