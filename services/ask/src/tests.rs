//! What is asked and how the answer is shown.

use super::*;

fn summary(last: f64) -> Summary {
    Summary { last, min: last, max: last, mean: last }
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
    assert_eq!(table::write(&current), expected);
}

#[test]
fn a_board_that_knows_nothing_is_said_to() {
    assert_eq!(table::write(&Current { readings: BTreeMap::new() }), "the board knows nothing yet\n");
}

#[test]
fn it_asks_so_many_times_and_ends() -> Result<()> {
    let harness = Harness::<Ask>::new(Config { every_s: 60.0, times: Some(3), json: false })?;
    harness.answer(&CURRENT, |()| Ok(Current { readings: BTreeMap::new() }));
    harness.run_main()?;
    assert_eq!(harness.requests(&CURRENT).len(), 3);
    assert_eq!(harness.elapsed(), Duration::from_secs(120));
    Ok(())
}

#[test]
fn a_board_that_does_not_answer_ends_it() -> Result<()> {
    let harness = Harness::<Ask>::new(Config { every_s: 1.0, times: None, json: true })?;
    harness.ignore(&CURRENT);
    let failed = harness.run_main().unwrap_err();
    assert!(failed.message().starts_with("deadline: "), "{failed}");
    Ok(())
}
