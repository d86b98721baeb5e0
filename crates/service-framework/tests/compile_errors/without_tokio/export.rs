use service_framework::prelude::*;

struct Gateway;

#[service]
impl Gateway {
    fn new() -> Result<Self> {
        Ok(Self)
    }
}

export!(Gateway, tokio);

fn main() {}
