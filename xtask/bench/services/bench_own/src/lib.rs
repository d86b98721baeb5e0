//! Owns a state of texts, and changes it as fast as those who have copies of it follow.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::task::Poll;

use service_framework::prelude::*;

/// What to own.
#[derive(Model, Debug)]
pub struct Config {
    /// How many keys the state has.
    pub keys: u32,
    /// How many readers follow it; with none it does not change.
    pub readers: u32,
}

/// How far a reader is.
#[derive(Model, Debug)]
pub struct Applied {
    /// Which one.
    pub reader: u32,
    /// The number of its copy.
    pub number: i64,
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

/// The state: keys of 12 bytes, values of 100.
pub const BOOK: DeltaUpdateOut<BTreeMap<String, String>> = DeltaUpdateOut::new("book");

/// By how many changes the slowest reader may be behind: fewer than the publisher has room for, so that none is lost.
const AHEAD_MAX: i64 = 8_192;

/// How many changes are made before others have their turn.
const BATCH: u32 = 64;

/// The service.
#[derive(Debug)]
pub struct BenchOwn {
    config: Config,
    readers: RefCell<HashMap<u32, i64>>,
    slowest: Cell<i64>,
}

/// Owns a state, and changes it as fast as its readers follow.
#[service(uses(BOOK))]
impl BenchOwn {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config, readers: RefCell::default(), slowest: Cell::new(0) })
    }

    /// Hears how far a reader is.
    #[replyer]
    fn applied(&self, args: Applied) -> Result<Empty> {
        let mut readers = self.readers.borrow_mut();
        readers.insert(args.reader, args.number);
        if readers.len() >= self.config.readers as usize {
            self.slowest.set(readers.values().copied().min().unwrap_or_default());
        }
        Ok(())
    }

    /// Answers with what it is asked.
    #[replyer]
    fn echo(&self, args: Args) -> Result<Args> {
        Ok(args)
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        let keys = self.config.keys;
        cx.set(&BOOK, &(0..keys).map(|key| (name(key), text(key))).collect())?;
        if self.config.readers == 0 {
            cx.stopping().await;
            return Ok(());
        }
        while self.slowest.get() == 0 {
            cx.sleep(Duration::from_millis(1)).await;
        }
        // All have the same number now, as nothing has changed but by heartbeats.
        let mut published = self.slowest.get();
        for batch in 0_u32.. {
            while published - self.slowest.get() >= AHEAD_MAX {
                cx.sleep(Duration::from_millis(1)).await;
            }
            for change in 0..BATCH {
                let number = batch.wrapping_mul(BATCH) + change;
                // Keys far from each other, as nothing would be learned of a large state from its first keys.
                let key = number.wrapping_mul(2_654_435_761) % keys;
                cx.update(&BOOK, &[(name(key), Some(text(number)))].into_iter().collect())?;
            }
            published += i64::from(BATCH);
            others_turn().await;
        }
        Ok(())
    }
}

/// Lets the sockets have their turn.
async fn others_turn() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn name(key: u32) -> String {
    format!("key-{key:08}")
}

fn text(number: u32) -> String {
    format!("{number:0>100}")
}

export!(BenchOwn);
