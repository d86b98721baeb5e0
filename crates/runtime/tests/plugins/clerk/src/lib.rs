//! Adds, waits and dials, with a tokio runtime of its own; and fails to load when it is told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use service_framework::prelude::*;
use tokio::io::AsyncReadExt;

/// What it needs.
#[derive(Model, Debug)]
pub struct Config {
    /// How `new` fails: `errs` or `panics`.
    pub new: Option<String>,
}

/// What is to be added.
#[derive(Model, Debug)]
pub struct Numbers {
    /// One by one.
    pub numbers: Vec<i64>,
}

/// A sum.
#[derive(Model, Debug, PartialEq)]
pub struct Sum {
    /// Of all numbers.
    pub sum: i64,
    /// How many sums all clerks of this library have made.
    pub sums: u64,
}

/// Where to dial.
#[derive(Model, Debug)]
pub struct Number {
    /// A port of this machine.
    pub port: u16,
}

/// What is to be written.
#[derive(Model, Debug)]
pub struct Note {
    /// Anything.
    pub text: String,
}

/// What was heard.
#[derive(Model, Debug)]
pub struct Heard {
    /// To the end.
    pub text: String,
    /// The name of the thread that listened.
    pub thread: String,
}

/// Another clerk.
const NEXT: Requester<Numbers, Sum> = Requester::new("next").deadline_s(60.0);

static SUMS: AtomicU64 = AtomicU64::new(0);

/// Adds.
#[derive(Debug)]
pub struct Clerk;

#[service(uses(NEXT))]
impl Clerk {
    fn new(config: Config) -> Result<Self> {
        match config.new.as_deref() {
            Some("errs") => Err(Error::msg("no clerk today")),
            Some("panics") => panic!("a clerk without a desk"),
            _ => Ok(Self),
        }
    }

    fn setup_config(_config: &Map) -> Result<Map> {
        Ok(Map::new())
    }

    /// Adds up.
    #[replyer]
    fn add(&self, args: Numbers) -> Result<Sum> {
        tracing::info!(count = args.numbers.len(), "adding");
        tracing::debug!("in detail");
        Ok(Sum { sum: args.numbers.iter().sum(), sums: SUMS.fetch_add(1, Ordering::Relaxed) + 1 })
    }

    /// Waits by tokio's timer.
    #[replyer]
    async fn rest(&self) -> Result<Empty> {
        let rested =
            tokio::time::timeout(Duration::from_secs(600), tokio::time::sleep(Duration::from_millis(5)));
        Ok(rested.await?)
    }

    /// Reads what a server of this machine says.
    #[replyer]
    async fn dial(&self, args: Number) -> Result<Heard> {
        let mut text = String::new();
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", args.port)).await?;
        stream.read_to_string(&mut text).await?;
        let thread =
            tokio::spawn(async { std::thread::current().name().unwrap_or_default().to_owned() }).await?;
        Ok(Heard { text, thread })
    }

    /// Asks another clerk, and waits for it in a task of the library's own runtime.
    #[replyer]
    async fn relay(&self, args: Numbers, cx: &Context) -> Result<Sum> {
        let cx = cx.clone();
        let mut asked = Box::pin(async move { cx.request(&NEXT, &args).await });
        let is_ready =
            std::future::poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_ready())).await;
        assert!(!is_ready, "an answer takes a while");
        tokio::spawn(asked).await?
    }

    /// Has its runtime write to the log: a task, and a thread that blocks.
    #[replyer]
    async fn delegate(&self, args: Note) -> Result<Empty> {
        let Note { text } = args;
        let (task, thread) = (format!("task {text}"), format!("thread {text}"));
        tokio::spawn(async move { tracing::info!("{task}") }).await?;
        tokio::task::spawn_blocking(move || tracing::info!("{thread}")).await?;
        Ok(())
    }

    /// Panics at once.
    #[replyer]
    fn stumble(&self) -> Result<Empty> {
        panic!("over a cable");
    }

    /// Panics while it waits.
    #[replyer]
    async fn stumble_later(&self) -> Result<Empty> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        panic!("over a cable");
    }

    /// Is what `describe` calls; a process that wants it to panic says so.
    #[replyer(max_message_bytes = length())]
    fn length_of(&self) -> Result<Empty> {
        Ok(())
    }
}

fn length() -> u32 {
    assert!(std::env::var_os("CLERK_WITHOUT_A_NAME").is_none(), "a clerk without a name");
    65_536
}

export!(Clerk, tokio);
