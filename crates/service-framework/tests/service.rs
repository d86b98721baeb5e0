//! What `#[service]` makes of an `impl` block.

use std::cell::Cell;

use service_framework::prelude::*;

/// What it needs.
#[derive(Model)]
pub struct Config {
    /// Where it begins.
    start: u64,
}

#[derive(Model)]
struct Count {
    count: u64,
}

struct Counter {
    count: Cell<u64>,
}

/// Counts.
#[service]
impl Counter {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { count: Cell::new(config.start) })
    }

    /// Adds.
    #[replyer(deadline_s = 2.5)]
    async fn add(&self, args: Count, cx: &Context) -> Result<Count> {
        cx.sleep(Duration::ZERO).await;
        self.count.set(self.count.get() + args.count);
        Ok(Count { count: self.count.get() })
    }

    #[replyer(name = "now")]
    fn current(&self) -> Result<Count> {
        Ok(Count { count: self.count.get() })
    }

    #[replyer]
    async fn alone(&mut self, args: Count) -> Result<Empty> {
        self.count.set(args.count);
        Ok(())
    }

    #[subscriber(topic = "t", is_binder, queue = 10)]
    fn inline_alone(&mut self, _args: Count, _cx: &Context) -> Result<()> {
        Ok(())
    }

    fn init(&self) -> Result<()> {
        Ok(())
    }
}

export!(Counter);

#[test]
fn x() {
    println!("{}", Counter::NAME);
}
