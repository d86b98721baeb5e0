//! What is asked and how the answer is shown.

use super::*;

fn summary(last: f64) -> Summary {
    Summary { last, min: last, max: last, mean: last }
}

fn asking() -> Config {
    Config { every_s: 1.0, times: None, json: false, follow: false }
}

fn following() -> Config {
    Config { follow: true, ..asking() }
}

fn readings(last: f64) -> BTreeMap<String, Summary> {
    [("cpu used_percent".to_owned(), summary(last))].into()
}

#[test]
fn readings_stand_in_columns() {
    let cpu = [("used_percent".to_owned(), summary(12.34)), ("load_1_min".to_owned(), summary(0.5))];
    let current = Current { readings: [("cpu".to_owned(), cpu.into())].into() };
    let expected = "\
reading                  last          min          max         mean
cpu load_1_min            0.5          0.5          0.5          0.5
cpu used_percent         12.3         12.3         12.3         12.3
";
    assert_eq!(table::of_answer(&current), expected);
}

#[test]
fn a_board_that_knows_nothing_is_said_to() {
    assert_eq!(table::of_answer(&Current { readings: BTreeMap::new() }), "the board knows nothing yet\n");
}

#[test]
fn it_asks_so_many_times_and_ends() -> Result<()> {
    let harness = Harness::<Ask>::new(Config { every_s: 60.0, times: Some(3), ..asking() })?;
    harness.answer(&CURRENT, |()| Ok(Current { readings: BTreeMap::new() }));
    harness.run_main()?;
    assert_eq!(harness.requests(&CURRENT).len(), 3);
    assert_eq!(harness.elapsed(), Duration::from_secs(120));
    Ok(())
}

#[test]
fn a_board_that_does_not_answer_ends_it() -> Result<()> {
    let harness = Harness::<Ask>::new(Config { json: true, ..asking() })?;
    harness.ignore(&CURRENT);
    let failed = harness.run_main().unwrap_err();
    assert!(failed.message().starts_with("deadline: "), "{failed}");
    Ok(())
}

#[test]
fn how_far_the_copy_is_stands_first() {
    let (seconds, number) = (Duration::from_millis(3_900), Some(-7));
    assert_eq!(follow::standing(Status::Live, seconds, number), "live at number -7");
    assert_eq!(follow::standing(Status::Stale, seconds, number), "stale for 3 s at number -7");
    assert_eq!(follow::standing(Status::Syncing, seconds, None), "syncing for 3 s without a value");
}

#[test]
fn it_prints_a_live_copy_when_it_has_changed() -> Result<()> {
    let harness = Harness::<Ask>::new(Config { times: Some(2), ..following() })?;
    harness.set_state(&READINGS, &readings(1.0))?;
    let main = harness.start_main()?;
    harness.advance(Duration::from_secs(600))?;
    assert!(!main.is_done(), "nothing has changed since the first table");
    harness.update_state(&READINGS, &MapChange::new().set("cpu used_percent", summary(2.0)))?;
    harness.advance(Duration::from_secs(1))?;
    assert!(main.is_done());
    main.wait()
}

#[test]
fn a_copy_that_is_not_live_is_printed_each_time() -> Result<()> {
    let harness = Harness::<Ask>::new(Config { times: Some(4), ..following() })?;
    harness.set_state(&READINGS, &readings(1.0))?;
    let main = harness.start_main()?;
    harness.settle()?;
    harness.set_status(&READINGS, Status::Stale)?;
    harness.advance(Duration::from_secs(2))?;
    assert!(!main.is_done());
    harness.advance(Duration::from_secs(1))?;
    assert!(main.is_done());
    main.wait()
}

#[test]
fn a_board_that_is_not_there_does_not_end_it() -> Result<()> {
    let harness = Harness::<Ask>::new(Config { times: Some(3), ..following() })?;
    harness.run_main()?;
    // It waited a second for the board, and printed three tables a second apart.
    assert_eq!(harness.elapsed(), Duration::from_secs(3));
    Ok(())
}

#[test]
fn one_look_ends_it_as_soon_as_the_copy_is_live() -> Result<()> {
    let harness = Harness::<Ask>::new(Config { times: Some(1), every_s: 60.0, json: true, follow: true })?;
    let main = harness.start_main()?;
    harness.advance(Duration::from_secs(2))?;
    assert!(!main.is_done());
    harness.set_state(&READINGS, &readings(1.0))?;
    harness.settle()?;
    assert!(main.is_done());
    main.wait()
}

#[test]
fn what_follows_looks_no_more_often_than_makes_sense() {
    let refused = Harness::<Ask>::new(Config { every_s: 0.0, ..following() }).map(drop).unwrap_err();
    assert_eq!(refused.message(), "new: every_s is 0, and must be 0.05 to 86400 where it follows");
}
