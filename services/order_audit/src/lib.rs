//! Remembers which orders were cancelled.

use std::collections::VecDeque;

use service_framework::prelude::*;

/// How much to remember.
#[derive(Model, Debug)]
pub struct Config {
    /// How many cancellations; the oldest are forgotten first.
    #[model(default = 1_000)]
    pub cancelled_max: u32,
}

/// An order that was cancelled.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Cancelled {
    /// Which.
    pub order_id: String,
    /// When.
    pub at: DateTime,
}

/// The cancellations that are remembered.
#[derive(Model, Debug, PartialEq)]
pub struct Recorded {
    /// The oldest first.
    pub cancelled: Vec<Cancelled>,
}

/// The audit.
#[derive(Debug)]
pub struct OrderAudit {
    config: Config,
    cancelled: VecDeque<Cancelled>,
}

/// Remembers which orders were cancelled.
#[service]
impl OrderAudit {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config, cancelled: VecDeque::new() })
    }

    /// Remembers a cancellation.
    #[replyer]
    fn record(&mut self, cancelled: Cancelled) -> Result<()> {
        tracing::info!("order {} was cancelled", cancelled.order_id);
        self.cancelled.push_back(cancelled);
        while self.cancelled.len() > self.config.cancelled_max as usize {
            self.cancelled.pop_front();
        }
        Ok(())
    }

    /// Tells what is remembered.
    #[replyer]
    fn recorded(&self) -> Result<Recorded> {
        Ok(Recorded { cancelled: self.cancelled.iter().cloned().collect() })
    }
}

export!(OrderAudit);

#[cfg(test)]
mod tests;
