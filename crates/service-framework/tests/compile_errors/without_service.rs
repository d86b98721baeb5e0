use service_framework::prelude::*;

struct Gateway;

impl Gateway {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn cancel(&self) -> Result<Empty> {
        Ok(())
    }
}

export!(Gateway);

fn main() {}
