use service_framework::prelude::*;

#[derive(Model)]
struct Config {}

#[derive(Model)]
struct Order {
    id: String,
}

struct Gateway;

#[service]
impl Gateway {
    fn new(_: Config) -> Result<Self> {
        Ok(Self)
    }

    #[subscriber]
    fn on_order(&self, args: Order) -> Result<Order> {
        Ok(args)
    }
}

export!(Gateway);

fn main() {}
