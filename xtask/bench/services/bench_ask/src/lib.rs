//! Keeps requests in flight, counts the replies, and prints how many came in how long.

use std::io::{Write as _, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use service_framework::prelude::*;

/// What to measure.
#[derive(Model, Debug)]
pub struct Config {
    /// Seconds run before counting.
    pub warm_up_s: f64,
    /// Seconds counted.
    pub seconds: f64,
    /// How many of the requesters, each of which is a connection, are used.
    pub connections: u32,
    /// Requests in flight on each.
    pub calls: u32,
}

/// 64 bytes of arguments.
#[derive(Model, Debug)]
pub struct Args {
    /// Which message.
    pub number: u64,
    /// A float.
    pub price: f64,
    /// Some text.
    pub text: String,
}

/// The requesters.
const NAMES: [&str; 16] = [
    "echo_0", "echo_1", "echo_2", "echo_3", "echo_4", "echo_5", "echo_6", "echo_7", "echo_8", "echo_9",
    "echo_10", "echo_11", "echo_12", "echo_13", "echo_14", "echo_15",
];

/// The service.
#[derive(Debug)]
pub struct BenchAsk {
    config: Config,
}

// By hand, since `#[service]` would want a constant for each of the requesters.
impl Serve for BenchAsk {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const DOC: &'static str = "Keeps requests in flight, and counts the replies.";

    type Config = Config;

    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    fn declare(service: &mut Declare<Self>) {
        for name in NAMES {
            service.uses(&echo(name));
        }
        service.main(Self::main);
    }
}

impl BenchAsk {
    async fn main(&self, cx: &Context) -> Result<()> {
        let replies = Arc::new(AtomicU64::new(0));
        for name in NAMES.into_iter().take(self.config.connections as usize) {
            for _ in 0..self.config.calls {
                let replies = Arc::clone(&replies);
                cx.spawn(move |cx| ask(cx, name, replies));
            }
        }
        let count = || replies.load(Ordering::Relaxed);
        while count() == 0 {
            cx.sleep(Duration::from_millis(1)).await;
        }
        cx.sleep(Duration::from_secs_f64(self.config.warm_up_s)).await;
        let (since, before) = (Instant::now(), count());
        cx.sleep(Duration::from_secs_f64(self.config.seconds)).await;
        let (messages, seconds) = (count() - before, since.elapsed().as_secs_f64());
        let sample = value!({"messages": messages, "lost": 0, "seconds": seconds});
        writeln!(stdout(), "{sample}")?;
        Ok(())
    }
}

const fn echo(name: &'static str) -> Requester<Args, Args> {
    Requester::new(name)
}

/// Asks again as soon as it is answered, for as long as the service runs.
async fn ask(cx: Context, name: &'static str, replies: Arc<AtomicU64>) -> Result<()> {
    for number in 0.. {
        let text = "thirty bytes of text, no more.".to_owned();
        let args = Args { number, price: number as f64 + 0.5, text };
        let reply = cx.request(&echo(name), &args).await?;
        if reply.number != number {
            return Err(Error::msg(format!("{number} was asked, {} was answered", reply.number)));
        }
        replies.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

export!(BenchAsk);
