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
    fn by_value(self, _args: Order) -> Result<Empty> {
        Ok(())
    }

    #[replyer]
    fn without_self(_args: Order) -> Result<Empty> {
        Ok(())
    }
}

export!(Gateway);

fn main() {}
