use service_framework::prelude::*;

struct Order {
    id: String,
}

const AUDIT: Requester<Order, Empty> = Requester::new("audit");

struct Gateway;

#[service(uses(AUDIT))]
impl Gateway {
    fn new() -> Result<Self> {
        Ok(Self)
    }
}

export!(Gateway);

fn main() {}
