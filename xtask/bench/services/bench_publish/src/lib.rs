//! Publishes without pause, numbered from 1.

use service_framework::prelude::*;

/// 64 bytes of arguments.
#[derive(Model, Debug)]
pub struct Args {
    /// Which message, from 1.
    pub number: u64,
    /// A float.
    pub price: f64,
    /// Some text.
    pub text: String,
}

/// The messages.
pub const NUMBERS: Publisher<Args> = Publisher::new("numbers").slow_subscriber(SlowSubscriber::Wait);

/// The service.
#[derive(Debug)]
pub struct BenchPublish;

/// Publishes without pause.
#[service(uses(NUMBERS))]
impl BenchPublish {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        let text = "thirty bytes of text, no more.".to_owned();
        let mut args = Args { number: 0, price: 0.5, text };
        loop {
            args.number += 1;
            cx.publish_when_ready(&NUMBERS, &args).await?;
        }
    }
}

export!(BenchPublish);
