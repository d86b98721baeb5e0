//! Keeps requests in flight, counts the replies, and prints how many came in how long.

use std::io::{Write as _, stdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use service_framework::prelude::*;

/// What to measure.
#[derive(Model, Debug)]
pub struct Config {
    /// Seconds run before counting.
    pub warm_up_s: f64,
    /// Seconds counted.
    pub seconds: f64,
    /// Requests in flight on each requester.
    pub calls: u32,
    /// Bytes of arguments in each.
    pub bytes: u32,
}

/// Arguments of so many bytes.
#[derive(Model, Debug)]
pub struct Args {
    /// Which message.
    pub number: u64,
    /// A float.
    pub price: f64,
    /// Some text.
    pub text: String,
}

/// The variable that says how many requesters there are, each of which is a connection: a service is asked for
/// its connections before it is given its config.
const REQUESTERS: &str = "BENCH_ASK_REQUESTERS";

/// The requesters: `echo_0`, `echo_1`, and so on.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let count = std::env::var(REQUESTERS).ok().and_then(|count| count.parse().ok()).unwrap_or(1);
    (0..count).map(|index: u32| format!("echo_{index}")).collect()
});

/// Text that makes the arguments 64 bytes long.
const TEXT: &str = "thirty bytes of text, no more.";

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
        for name in NAMES.iter() {
            service.uses(&echo(name));
        }
        service.main(Self::main);
    }
}

impl BenchAsk {
    async fn main(&self, cx: &Context) -> Result<()> {
        let replies = Arc::new(AtomicU64::new(0));
        let more = self.config.bytes.saturating_sub(64) as usize;
        for name in NAMES.iter() {
            for _ in 0..self.config.calls {
                let replies = Arc::clone(&replies);
                cx.spawn(move |cx| ask(cx, name, more, replies));
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
async fn ask(cx: Context, name: &'static str, more: usize, replies: Arc<AtomicU64>) -> Result<()> {
    let mut args = Args { number: 0, price: 0.0, text: format!("{TEXT}{}", ".".repeat(more)) };
    for number in 0.. {
        (args.number, args.price) = (number, number as f64 + 0.5);
        let reply = cx.request(&echo(name), &args).await?;
        if reply.number != number {
            return Err(Error::msg(format!("{number} was asked, {} was answered", reply.number)));
        }
        replies.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

export!(BenchAsk);
