//! What the desk asks of the gateway.

use super::*;

#[test]
fn every_order_is_asked_for_though_one_is_not_open() -> Result<()> {
    let harness = Harness::<OrderDesk>::new(Config { order_ids: vec!["a-1".into(), "a-2".into()] })?;
    harness.answer(&CANCEL_ORDER, |CancelOrder { order_id }| match &*order_id {
        "a-1" => Err(Error::named("order_gateway.unknown_order", "there is no open order `a-1`")),
        _ => Ok(Cancelled { order_id, at: DateTime::now() }),
    });
    harness.run_main()?;
    let asked = harness.requests(&CANCEL_ORDER).into_iter().map(|args| args.order_id);
    assert_eq!(asked.collect::<Vec<_>>(), ["a-1", "a-2"]);
    Ok(())
}

#[test]
fn a_gateway_that_fails_ends_it() -> Result<()> {
    let harness = Harness::<OrderDesk>::new(Config { order_ids: vec!["a-1".into()] })?;
    harness.answer(&CANCEL_ORDER, |_| Err(Error::msg("the exchange is closed")));
    assert_eq!(harness.run_main().unwrap_err().message(), "the exchange is closed");
    Ok(())
}
