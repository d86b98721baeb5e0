use service_framework::prelude::*;

#[derive(Model)]
struct Config {}

#[derive(Model)]
struct Order {
    id: String,
}

struct Gateway;

const AUDIT: Requester<Order, Empty> = Requester::new("audit");

#[service(uses(AUDIT))]
impl Gateway {
    fn new(_: Config) -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn cancel(&self, _args: Order, cx: &Context) -> Result<Empty> {
        cx.request(&AUDIT, &Config {}).await
    }

    #[replyer]
    async fn audited(&self, args: Order, cx: &Context) -> Result<Order> {
        cx.request(&AUDIT, &args).await
    }

    #[replyer]
    async fn publish(&self, args: Order, cx: &Context) -> Result<Empty> {
        cx.publish(&AUDIT, &args)
    }
}

export!(Gateway);

fn main() {}
