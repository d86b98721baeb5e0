use service_framework::prelude::*;

#[derive(Model)]
struct Config {}

#[derive(Model)]
struct Order {
    id: String,
}

struct Gateway;

struct Cancelled {
    id: String,
}

#[service]
impl Gateway {
    fn new(_: Config) -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn cancel(&self, args: Order) -> Result<Cancelled> {
        Ok(Cancelled { id: args.id })
    }
}

export!(Gateway);

fn main() {}
