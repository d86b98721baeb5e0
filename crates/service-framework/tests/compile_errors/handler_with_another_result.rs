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
    fn read(&self, _args: Order) -> std::io::Result<Order> {
        Ok(Order { id: std::fs::read_to_string("order")? })
    }

    #[replyer]
    async fn read_async(&self, _args: Order) -> std::io::Result<Order> {
        Ok(Order { id: std::fs::read_to_string("order")? })
    }
}

export!(Gateway);

fn main() {}
