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
    async fn cancel(&self, _args: Order, cx: Context) -> Result<Empty> {
        cx.sleep(Duration::ZERO).await;
        Ok(())
    }

    #[replyer]
    async fn cancel_later(&self, cx: &Context, _args: Order) -> Result<Empty> {
        cx.sleep(Duration::ZERO).await;
        Ok(())
    }
}

export!(Gateway);

fn main() {}
