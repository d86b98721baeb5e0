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

    #[replyer(blocking)]
    async fn waits(&self, _args: Order) -> Result<Empty> {
        Ok(())
    }

    #[replyer(blocking)]
    fn changes(&mut self, _args: Order) -> Result<Empty> {
        Ok(())
    }

    #[replyer(blocking)]
    fn lent_the_other_context(&self, _args: Order, _cx: &Context) -> Result<Empty> {
        Ok(())
    }

    #[replyer]
    fn blocks_without_saying(&self, _args: Order, _cx: &BlockingContext) -> Result<Empty> {
        Ok(())
    }
}

export!(Gateway);

fn main() {}
