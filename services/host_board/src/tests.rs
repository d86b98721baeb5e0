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
fn that_readings_are_left_out_is_said_once() -> Result<()> {
    let harness = board(1);
    for kind in ["cpu", "disks", "cpu", "disks", "memory"] {
        publish(&harness, kind, "used_percent", 1.0)?;
    }
    let said: Vec<_> = harness.logs().into_iter().map(|log| log.message).collect();
    assert_eq!(said, ["left out `disks used_percent`, and so with each further one: `readings_max` is 1"]);
    Ok(())
}

#[test]
fn a_sample_without_a_kind_is_refused() {
    let sample = Sample { at: DateTime::now(), readings: BTreeMap::new() };
    let refused = board(1).publish("samples", &sample).unwrap_err();
    assert_eq!(refused.message(), "a sample has its kind as topic");
}

#[test]
fn each_sample_is_one_change_of_the_readings_that_it_has() -> Result<()> {
    let harness = board(10);
    publish(&harness, "cpu", "used_percent", 4.0)?;
    publish(&harness, "disks", "/ used_percent", 50.0)?;
    publish(&harness, "cpu", "used_percent", f64::NAN)?;
    publish(&harness, "cpu", "used_percent", 8.0)?;
    let updates = harness.updates(&READINGS);
    let mut changes = updates.iter().map(|update| match &update.content {
        Content::Snapshot(readings) => (update.current_num, readings.keys().cloned().collect(), None),
        Content::Change(change) => {
            let last = change.iter().find_map(|(_, summary)| Some(summary?.last));
            (update.current_num, change.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), last)
        }
    });
    assert_eq!(changes.next(), Some((0, vec![], None)), "it starts empty");
    assert_eq!(changes.next(), Some((1, vec!["cpu used_percent".to_owned()], Some(4.0))));
    assert_eq!(changes.next(), Some((2, vec!["disks / used_percent".to_owned()], Some(50.0))));
    assert_eq!(changes.next(), Some((3, vec!["cpu used_percent".to_owned()], Some(8.0))));
    assert_eq!(changes.next(), None, "what changes nothing is not published");
    Ok(())
}

#[test]
fn the_overview_has_the_means_after_each_sample() -> Result<()> {
    let harness = board(10);
    publish(&harness, "cpu", "used_percent", 4.0)?;
    publish(&harness, "memory", "used_percent", 50.0)?;
    publish(&harness, "cpu", "used_percent", 8.0)?;
    let overviews = harness.values(&OVERVIEW);
    let counts: Vec<_> = overviews.iter().map(|overview| overview.count).collect();
    assert_eq!(counts, [1, 2, 2]);
    let means = [("cpu used_percent".to_owned(), 6.0), ("memory used_percent".to_owned(), 50.0)];
    assert_eq!(overviews[2].means, means.into());
    Ok(())
}

#[test]
fn a_name_may_have_spaces_and_a_kind_may_not() -> Result<()> {
    let harness = board(10);
    publish(&harness, "disks", "/ used_percent", 50.0)?;
    assert_eq!(current(&harness)?["disks"]["/ used_percent"].last, 50.0);
    let refused = publish(&harness, "disks /", "used_percent", 50.0).unwrap_err();
    assert_eq!(refused.message(), "the kind `disks /` has a space, which ends kinds here");
    Ok(())
}

#[test]
fn the_readings_of_one_sample_count_towards_the_limit() -> Result<()> {
    let harness = board(2);
    let readings = ["a", "b", "c"].map(|name| (name.to_owned(), 1.0)).into();
    harness.publish_to("samples", "cpu", &Sample { at: DateTime::now(), readings })?;
    assert_eq!(current(&harness)?["cpu"].keys().collect::<Vec<_>>(), ["a", "b"]);
    Ok(())
}
