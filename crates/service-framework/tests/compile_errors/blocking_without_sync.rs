use service_framework::prelude::*;
use std::cell::Cell;

struct Counter {
    count: Cell<u64>,
}

#[service]
impl Counter {
    fn new() -> Result<Self> {
        Ok(Self { count: Cell::new(0) })
    }

    #[replyer(blocking)]
    fn next(&self) -> Result<Empty> {
        self.count.set(self.count.get() + 1);
        Ok(())
    }

    fn main(&self) -> Result<()> {
        Ok(())
    }
}

export!(Counter);

fn main() {}
