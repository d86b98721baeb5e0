//! What the gateway does with an order, with an exchange of the test's own and with the one on paper.

use super::*;

fn cancelled(order_id: &str) -> Cancelled {
    Cancelled { order_id: order_id.into(), at: "2026-11-21T06:15:00Z".parse().expect("a time") }
}

fn cancel(harness: &Harness<OrderGateway>, order_id: &str) -> Result<Cancelled> {
    harness.request("cancel_order", &CancelOrder { order_id: order_id.into() })
}

#[test]
fn an_order_is_cancelled_and_remembered() -> Result<()> {
    let harness = Harness::<OrderGateway>::new(Config { exchange: "coinbase".into() })?;
    harness.replace(&AT_EXCHANGE, |args| Ok(cancelled(&args.order_id)));
    harness.answer(&AUDIT, |_| Ok(()));
    assert_eq!(cancel(&harness, "a-1")?, cancelled("a-1"));
    let at_exchange = CancelAtExchange { exchange: "coinbase".into(), order_id: "a-1".into() };
    assert_eq!(harness.calls(&AT_EXCHANGE), [at_exchange]);
    assert_eq!(harness.requests(&AUDIT), [cancelled("a-1")]);
    Ok(())
}

#[test]
fn an_order_on_paper_is_cancelled_once() -> Result<()> {
    let exchange = tempfile::tempdir()?;
    std::fs::write(exchange.path().join("a-1"), "")?;
    let harness = Harness::<OrderGateway>::new(Config { exchange: exchange.path().display().to_string() })?;
    harness.answer(&AUDIT, |_| Ok(()));
    assert_eq!(cancel(&harness, "a-1")?.order_id, "a-1");
    assert_eq!(cancel(&harness, "a-1").unwrap_err().code(), "order_gateway.unknown_order");
    assert_eq!(harness.requests(&AUDIT).len(), 1);
    Ok(())
}

#[test]
fn no_id_leads_out_of_the_folder() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (exchange, other) = (folder.path().join("exchange"), folder.path().join("other"));
    std::fs::create_dir(&exchange)?;
    std::fs::write(&other, "")?;
    let harness = Harness::<OrderGateway>::new(Config { exchange: exchange.display().to_string() })?;
    for order_id in ["../other", "", "."] {
        assert_eq!(cancel(&harness, order_id).unwrap_err().code(), "order_gateway.bad_order_id");
    }
    assert!(other.exists());
    Ok(())
}
