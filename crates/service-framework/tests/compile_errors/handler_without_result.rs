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

    #[replyer]
    fn forget(&self, _args: Order) {}

    #[subscriber]
    fn on_order(&self, _args: Order) {}
}

export!(Gateway);

fn main() {}
