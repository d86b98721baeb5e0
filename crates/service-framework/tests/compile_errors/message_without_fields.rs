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
    fn count(&self) -> Result<u64> {
        Ok(0)
    }

    #[replyer]
    fn cancel(&self, _id: String) -> Result<Empty> {
        Ok(())
    }

    #[subscriber]
    fn on_orders(&self, _orders: (Order, Order)) -> Result<()> {
        Ok(())
    }
}

export!(Gateway);

fn main() {}
