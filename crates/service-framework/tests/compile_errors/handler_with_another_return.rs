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
    fn last(&self) -> Order {
        Order { id: String::new() }
    }

    #[subscriber]
    fn on_order(&self, _args: Order) -> Option<()> {
        None
    }

    #[replyer]
    async fn read(&self, _args: Order) -> Result<Order, std::io::Error> {
        Ok(Order { id: std::fs::read_to_string("order")? })
    }
}

export!(Gateway);

fn main() {}
