//! Counts what is published, and prints how much came, and how much was lost, in how long.

use std::cell::Cell;
use std::io::{Write as _, stdout};
use std::time::Instant;

use service_framework::prelude::*;

/// What to measure.
#[derive(Model, Debug)]
pub struct Config {
    /// Seconds run before counting.
    pub warm_up_s: f64,
    /// Seconds counted.
    pub seconds: f64,
}

/// 64 bytes of arguments.
#[derive(Model, Debug)]
pub struct Args {
    /// Which message; the publisher counts from 1.
    pub number: u64,
    /// A float.
    pub price: f64,
    /// Some text.
    pub text: String,
}

/// The service.
#[derive(Debug)]
pub struct BenchCount {
    config: Config,
    received: Cell<u64>,
    last_number: Cell<u64>,
}

/// Counts what is published.
#[service]
impl BenchCount {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config, received: Cell::new(0), last_number: Cell::new(0) })
    }

    /// Counts.
    #[subscriber]
    fn numbers(&self, Args { number, .. }: Args) -> Result<()> {
        self.received.update(|received| received + 1);
        self.last_number.set(number);
        Ok(())
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        while self.received.get() == 0 {
            cx.sleep(Duration::from_millis(1)).await;
        }
        cx.sleep(Duration::from_secs_f64(self.config.warm_up_s)).await;
        let (since, received, number) = (Instant::now(), self.received.get(), self.last_number.get());
        cx.sleep(Duration::from_secs_f64(self.config.seconds)).await;
        let seconds = since.elapsed().as_secs_f64();
        let messages = self.received.get() - received;
        // What the numbers skip was lost.
        let lost = (self.last_number.get() - number).saturating_sub(messages);
        let sample = value!({"messages": messages, "lost": lost, "seconds": seconds});
        writeln!(stdout(), "{sample}")?;
        Ok(())
    }
}

export!(BenchCount);
