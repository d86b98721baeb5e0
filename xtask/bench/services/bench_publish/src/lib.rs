//! Publishes without pause, numbered from 1.

use std::future::poll_fn;
use std::task::Poll;

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
pub const NUMBERS: Publisher<Args> = Publisher::new("numbers");

/// How many messages are published before the service's sockets have their turn.
const BATCH: u64 = 64;

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
            for _ in 0..BATCH {
                args.number += 1;
                cx.publish(&NUMBERS, &args)?;
            }
            give_way().await;
        }
    }
}

/// Lets everything else on this thread have its turn.
async fn give_way() {
    let mut has_given = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

export!(BenchPublish);
