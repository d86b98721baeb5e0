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
    fn awaited(&self, args: Order, cx: &Context) -> Result<Empty> {
        cx.request(&AUDIT, &args).await
    }

    #[replyer]
    fn not_awaited(&self, args: Order, cx: &Context) -> Result<Empty> {
        cx.request(&AUDIT, &args)?;
        Ok(())
    }

    #[replyer]
    async fn forgotten(&self, args: Order, cx: &Context) -> Result<Empty> {
        cx.request(&AUDIT, &args)
    }
}

export!(Gateway);

fn main() {}
