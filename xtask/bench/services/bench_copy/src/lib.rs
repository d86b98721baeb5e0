//! Has a copy of a state, and prints how soon it was live, or how many changes of it came in how long.

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::time::Instant;

use service_framework::prelude::*;

/// What to measure.
#[derive(Model, Debug)]
pub struct Config {
    /// Seconds run before counting.
    pub warm_up_s: f64,
    /// Seconds counted; with none it prints how long it took until the copy was live, and stays.
    pub seconds: f64,
}

/// How far this reader is.
#[derive(Model, Debug)]
pub struct Applied {
    /// Which one.
    pub reader: u32,
    /// The number of its copy.
    pub number: i64,
}

/// The copy.
pub const BOOK: DeltaUpdateIn<BTreeMap<String, String>> = DeltaUpdateIn::new("book");

/// Whom to tell how far the copy is.
pub const APPLIED: Requester<Applied, Empty> = Requester::new("applied");

/// The service.
#[derive(Debug)]
pub struct BenchCopy {
    config: Config,
}

/// Has a copy of a state, and counts its changes.
#[service(uses(BOOK, APPLIED))]
impl BenchCopy {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        let Config { warm_up_s, seconds } = self.config;
        let since = Instant::now();
        cx.live(&BOOK).await?;
        let live = since.elapsed();
        if seconds == 0.0 {
            print(1, live)?;
            cx.stopping().await;
            return Ok(());
        }
        let first = number(cx)?;
        cx.spawn(tell);
        // Heartbeats are updates, too; there are not so many of them.
        while number(cx)? < first + 64 {
            cx.sleep(Duration::from_millis(1)).await;
        }
        cx.sleep(Duration::from_secs_f64(warm_up_s)).await;
        let (since, before) = (Instant::now(), number(cx)?);
        cx.sleep(Duration::from_secs_f64(seconds)).await;
        print(number(cx)? - before, since.elapsed())
    }
}

/// The number of the copy, which counts the changes.
fn number(cx: &Context) -> Result<i64> {
    let status = cx.state_status(&BOOK)?;
    match (status.status, status.number) {
        (Status::Live, Some(number)) => Ok(number),
        (other, _) => Err(Error::msg(format!("the copy is {other}, and was live"))),
    }
}

/// Tells the owner how far the copy is, for as long as the service runs.
async fn tell(cx: Context) -> Result<()> {
    let reader = std::process::id();
    loop {
        cx.request(&APPLIED, &Applied { reader, number: number(&cx)? }).await?;
        cx.sleep(Duration::from_millis(1)).await;
    }
}

fn print(messages: i64, time: Duration) -> Result<()> {
    let sample = value!({"messages": messages, "lost": 0, "seconds": (time.as_secs_f64())});
    writeln!(stdout(), "{sample}")?;
    Ok(())
}

export!(BenchCopy);
