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
    fn cancel(&mut self, _args: Order) -> Result<Empty> {
        Ok(())
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        cx.stopping().await;
        Ok(())
    }
}

export!(Gateway);

fn main() {}
