//! What the audit remembers.

use super::*;

#[test]
fn the_latest_cancellations_are_remembered() -> Result<()> {
    let harness = Harness::<OrderAudit>::new(Config { cancelled_max: 2 })?;
    let cancelled = ["a-1", "a-2", "a-3"].map(|id| Cancelled { order_id: id.into(), at: DateTime::now() });
    for order in &cancelled {
        let () = harness.request("record", order)?;
    }
    let recorded: Recorded = harness.request("recorded", &())?;
    assert_eq!(recorded.cancelled, cancelled[1..]);
    Ok(())
}
