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

    #[replyer(name = "cancel")]
    fn first(&self, _args: Order) -> Result<Empty> {
        Ok(())
    }

    #[replyer]
    fn cancel(&self, _args: Order) -> Result<Empty> {
        Ok(())
    }

    #[subscriber(name = "cancel")]
    fn third(&self, _args: Order) -> Result<()> {
        Ok(())
    }

    #[replyer]
    #[subscriber]
    fn both(&self, _args: Order) -> Result<()> {
        Ok(())
    }
}

export!(Gateway);

fn main() {}
