//! What the board makes of samples.

use super::*;

fn board(readings_max: u32) -> Harness<HostBoard> {
    Harness::new(Config { readings_max }).expect("any number will do")
}

fn publish(harness: &Harness<HostBoard>, kind: &str, name: &str, reading: f64) -> Result<()> {
    let sample = Sample { at: DateTime::now(), readings: [(name.to_owned(), reading)].into() };
    harness.publish_to("samples", kind, &sample)
}

fn current(harness: &Harness<HostBoard>) -> Result<BTreeMap<String, BTreeMap<String, Summary>>> {
    let current: Current = harness.request("current", &())?;
    Ok(current.readings)
}

#[test]
fn last_min_max_and_mean_are_kept() -> Result<()> {
    let harness = board(10);
    for reading in [4.0, 1.0, 7.0] {
        publish(&harness, "cpu", "used_percent", reading)?;
    }
    publish(&harness, "memory", "used_percent", 50.0)?;
    let readings = current(&harness)?;
    let Summary { last, min, max, mean, count, .. } = readings["cpu"]["used_percent"];
    assert_eq!((last, min, max, mean, count), (7.0, 1.0, 7.0, 4.0, 3));
    assert_eq!(readings["memory"]["used_percent"].count, 1);
    Ok(())
}

#[test]
fn what_is_no_number_changes_nothing() -> Result<()> {
    let harness = board(10);
    publish(&harness, "cpu", "used_percent", 4.0)?;
    publish(&harness, "cpu", "used_percent", f64::NAN)?;
    assert_eq!(current(&harness)?["cpu"]["used_percent"].mean, 4.0);
    Ok(())
}

#[test]
fn readings_beyond_the_limit_are_left_out() -> Result<()> {
    let harness = board(1);
    for (kind, reading) in [("cpu", 1.0), ("disks", 2.0), ("cpu", 3.0)] {
        publish(&harness, kind, "used_percent", reading)?;
    }
    let readings = current(&harness)?;
    assert_eq!(readings.keys().collect::<Vec<_>>(), ["cpu"]);
    assert_eq!(readings["cpu"]["used_percent"].last, 3.0);
    Ok(())
}

#[test]
fn a_sample_without_a_kind_is_refused() {
    let sample = Sample { at: DateTime::now(), readings: BTreeMap::new() };
    let refused = board(1).publish("samples", &sample).unwrap_err();
    assert_eq!(refused.message(), "a sample has its kind as topic");
}
