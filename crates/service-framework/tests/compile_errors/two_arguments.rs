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
    fn cancel(&self, _id: String, _reason: String) -> Result<Empty> {
        Ok(())
    }

    #[replyer]
    fn cancel_borrowed(&self, _args: &Order) -> Result<Empty> {
        Ok(())
    }

    #[replyer]
    fn cancel_any<T>(&self, _args: T) -> Result<Empty> {
        Ok(())
    }
}

export!(Gateway);

fn main() {}
