use service_framework::prelude::*;

#[derive(Model)]
struct Config {}

#[derive(Model)]
struct Order {
    id: String,
}

struct Gateway;

#[service(ports(AUDIT))]
impl Gateway {
    fn new(_: Config) -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn cancel(&self, _args: Order) -> Result<Empty> {
        Ok(())
    }
}

export!(Gateway);

fn main() {}
