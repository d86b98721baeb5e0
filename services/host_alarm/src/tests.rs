//! When the alarm has a notice sent.

use super::*;

fn alarm() -> Harness<HostAlarm> {
    let config = Config { reading: "used_percent".into(), limit: 80.0, margin: 10.0 };
    Harness::new(config).expect("the config is as it should be")
}

#[test]
fn a_limit_that_nothing_crosses_is_refused() {
    let config = |limit, margin| Config { reading: "used_percent".into(), limit, margin };
    for (limit, margin) in [(f64::NAN, 5.0), (f64::INFINITY, 5.0), (80.0, f64::NAN)] {
        let refused = Harness::<HostAlarm>::new(config(limit, margin)).unwrap_err();
        let text = format!("new: limit and margin are numbers, not {limit} and {margin}");
        assert_eq!(refused.message(), text);
    }
}

fn publish(harness: &Harness<HostAlarm>, reading: f64) -> Result<()> {
    let readings = [("used_percent".to_owned(), reading)].into();
    harness.publish_to("samples", "cpu", &Sample { at: DateTime::now(), readings })
}

fn texts(harness: &Harness<HostAlarm>) -> Vec<String> {
    harness.requests(&NOTIFY).into_iter().map(|notice| notice.text).collect()
}

#[test]
fn each_crossing_is_told_once() -> Result<()> {
    let harness = alarm();
    harness.answer(&NOTIFY, |_| Ok(()));
    for reading in [79.0, 81.0, 90.0, 79.0, 81.0, 69.0, 75.0] {
        publish(&harness, reading)?;
    }
    assert_eq!(texts(&harness), ["used_percent is 81.0, above 80", "used_percent is 69.0, back below 80"]);
    Ok(())
}

#[test]
fn a_notice_that_was_not_taken_is_sent_with_the_next_sample() -> Result<()> {
    let harness = alarm();
    harness.ignore(&NOTIFY);
    let failed = publish(&harness, 90.0).unwrap_err();
    assert!(failed.message().starts_with("deadline: "), "{failed}");
    harness.answer(&NOTIFY, |_| Ok(()));
    publish(&harness, 91.0)?;
    publish(&harness, 92.0)?;
    assert_eq!(texts(&harness), ["used_percent is 90.0, above 80", "used_percent is 91.0, above 80"]);
    Ok(())
}

#[test]
fn other_readings_are_nothing_to_it() -> Result<()> {
    let harness = alarm();
    let readings = [("load_1_min".to_owned(), 90.0)].into();
    harness.publish_to("samples", "cpu", &Sample { at: DateTime::now(), readings })?;
    assert_eq!(texts(&harness), [""; 0]);
    Ok(())
}

fn overview(key: &str, mean: f64) -> Overview {
    Overview { means: [(key.to_owned(), mean)].into() }
}

#[test]
fn a_notice_says_how_the_reading_stands_to_its_mean() -> Result<()> {
    let harness = alarm();
    harness.answer(&NOTIFY, |_| Ok(()));
    harness.set_state(&OVERVIEW, &overview("cpu used_percent", 34.2))?;
    publish(&harness, 81.0)?;
    // What was known of it last is better than nothing.
    harness.set_status(&OVERVIEW, Status::Stale)?;
    publish(&harness, 69.0)?;
    let right = [
        "used_percent is 81.0, above 80; its mean is 34.2",
        "used_percent is 69.0, back below 80; its mean is 34.2",
    ];
    assert_eq!(texts(&harness), right);
    Ok(())
}

#[test]
fn the_mean_is_that_of_the_same_kind() -> Result<()> {
    let harness = alarm();
    harness.answer(&NOTIFY, |_| Ok(()));
    harness.set_state(&OVERVIEW, &overview("memory used_percent", 34.2))?;
    publish(&harness, 81.0)?;
    // The address book may have it watch another kind.
    let readings = [("used_percent".to_owned(), 69.0)].into();
    harness.publish_to("samples", "memory", &Sample { at: DateTime::now(), readings })?;
    let right = ["used_percent is 81.0, above 80", "used_percent is 69.0, back below 80; its mean is 34.2"];
    assert_eq!(texts(&harness), right);
    Ok(())
}
