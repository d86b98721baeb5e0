//! What the probe publishes of the machine that the tests run on.

use super::*;

#[test]
fn every_kind_is_published_at_each_interval() -> Result<()> {
    let harness = Harness::<HostProbe>::new(Config { every_s: 60.0 })?;
    let main = harness.start_main()?;
    harness.advance(Duration::from_secs(150))?;
    let topics: Vec<_> = harness.sent("samples").into_iter().filter_map(|sent| sent.topic).collect();
    assert_eq!(topics, ["cpu", "memory", "disks", "network"].repeat(2));
    harness.stop()?;
    main.wait()
}

#[test]
fn readings_are_numbers_that_a_machine_can_have() -> Result<()> {
    let harness = Harness::<HostProbe>::new(Config { every_s: 0.2 })?;
    let _main = harness.start_main()?;
    harness.advance(Duration::from_secs(1))?;
    let readings = harness.published(&SAMPLES).into_iter().flat_map(|sample| sample.readings);
    let (percents, others): (Vec<_>, Vec<_>) = readings.partition(|(name, _)| name.ends_with("percent"));
    assert!(!percents.is_empty() && !others.is_empty());
    assert!(percents.iter().all(|(_, value)| (0.0..=100.0).contains(value)), "{percents:?}");
    assert!(others.iter().all(|(_, value)| *value >= 0.0 && value.is_finite()), "{others:?}");
    Ok(())
}

#[test]
fn an_interval_that_is_too_short_is_refused() {
    let refused = Harness::<HostProbe>::new(Config { every_s: 0.0 }).map(drop).unwrap_err();
    assert_eq!(refused.message(), "new: every_s is 0, and must be 0.2 to 86400");
}
