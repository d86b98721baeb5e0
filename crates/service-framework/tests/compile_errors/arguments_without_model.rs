use service_framework::prelude::*;

#[derive(Model)]
struct Config {}

#[derive(Model)]
struct Order {
    id: String,
}

struct Gateway;

struct Cancel {
    id: String,
}

#[service]
impl Gateway {
    fn new(_: Config) -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn cancel(&self, args: Cancel) -> Result<Empty> {
        drop(args.id);
        Ok(())
    }
}

export!(Gateway);

fn main() {}
