//! Cancels orders, an hour after it was asked to; with its tests.

use service_framework::prelude::*;

#[derive(Model, Clone, Debug, PartialEq)]
struct Order {
    id: String,
}

const AUDIT: Requester<Order, Empty> = Requester::new("audit");
const AT_EXCHANGE: ExternalTarget<Order, Empty> =
    ExternalTarget::new("at_exchange", |_| Err(Error::msg("no test calls the exchange")));

struct Gateway;

#[service(uses(AUDIT, AT_EXCHANGE))]
impl Gateway {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    /// Cancels one order, an hour from now.
    #[replyer]
    async fn cancel(&self, order: Order, cx: &Context) -> Result<()> {
        cx.sleep(Duration::from_secs(3600)).await;
        cx.call(&AT_EXCHANGE, &order).await?;
        cx.request(&AUDIT, &order).await
    }
}

export!(Gateway);

#[test]
fn an_order_is_cancelled_and_audited() -> Result<()> {
    let gateway = Harness::<Gateway>::new(())?;
    gateway.replace(&AT_EXCHANGE, |_| Ok(()));
    gateway.answer(&AUDIT, |_| Ok(()));

    let order = Order { id: "7".into() };
    let () = gateway.request("cancel", &order)?;

    assert_eq!(gateway.requests(&AUDIT), [order]);
    assert!(gateway.elapsed() >= Duration::from_secs(3600));
    Ok(())
}

#[test]
fn a_dead_audit_is_not_waited_for() {
    let gateway = Harness::<Gateway>::new(()).unwrap();
    gateway.replace(&AT_EXCHANGE, |_| Ok(()));
    gateway.ignore(&AUDIT);

    let failure = gateway.request::<_, ()>("cancel", &Order { id: "7".into() }).unwrap_err();

    assert!(failure.message().contains("deadline"), "{failure}");
}
