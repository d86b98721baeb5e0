//! What is appended to which file.

use super::*;

fn notice(text: &str) -> Notice {
    Notice { at: "2026-11-21T06:15:00Z".parse().expect("a time"), text: text.into() }
}

#[test]
fn a_notice_is_a_line_whatever_its_text() -> Result<()> {
    let harness = Harness::<Notifier>::new(Config { file: "notices.txt".into() })?;
    harness.replace(&APPEND, |_| Ok(()));
    let () = harness.request("notify", &notice("one\ntwo"))?;
    let line = Line { file: "notices.txt".into(), text: "2026-11-21T06:15:00Z one\\ntwo".into() };
    assert_eq!(harness.calls(&APPEND), [line]);
    Ok(())
}

#[test]
fn notices_stand_in_the_file_when_they_are_answered() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("notices.txt");
    let harness = Harness::<Notifier>::new(Config { file: file.display().to_string() })?;
    let () = harness.request("notify", &notice("one"))?;
    let () = harness.request("notify", &notice("two"))?;
    assert_eq!(std::fs::read_to_string(&file)?, "2026-11-21T06:15:00Z one\n2026-11-21T06:15:00Z two\n");
    Ok(())
}

#[test]
fn a_file_that_cannot_be_written_is_told_to_who_asked() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let harness = Harness::<Notifier>::new(Config { file: folder.path().display().to_string() })?;
    let failed = harness.request::<_, ()>("notify", &notice("one")).unwrap_err();
    assert_eq!(failed.code(), "failed", "{failed}");
    Ok(())
}
