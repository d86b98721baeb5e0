//! What stands on a line.

use std::fs;
use std::io;

use proptest::prelude::*;
use service_framework_runtime::log::{Level, Log, LogOptions, workflow};

use super::{Hands, TEN, open, options};

#[test]
fn a_record_of_tracing_is_a_line_of_the_original() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = Log::open(&LogOptions { clock: Hands::at(TEN + 61).clock(), ..options(&path) }).expect("opens");
    let records = tracing::dispatcher::set_default(log.dispatch());
    tracing::warn!(target: "board::rows", late_s = 3, by = "host probe", "row is late");
    {
        let _work = workflow::enter("7f3a");
        tracing::info!(target: "elsewhere", "from the framework");
    }
    tracing::error!(target: "board", cause = &io::Error::other("no disk") as &dyn std::error::Error);
    drop((records, log));
    assert_eq!(
        fs::read_to_string(path).expect("written"),
        "2026-07-24 10:01:01,000 - board::rows - - - WARNING - row is late late_s=3 by=\"host probe\"\n\
         2026-07-24 10:01:01,000 - board:elsewhere - 7f3a - INFO - from the framework\n\
         2026-07-24 10:01:01,000 - board - - - ERROR - cause=no disk\n"
    );
}

#[test]
fn the_fields_of_a_record_may_come_before_its_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = open(&path);
    tracing::dispatcher::with_default(log.dispatch(), || {
        tracing::info!(target: "board", n = 1, ok = true, message = "said");
    });
    drop(log);
    assert!(fs::read_to_string(path).expect("written").ends_with(" - INFO - said n=1 ok=true\n"));
}

#[test]
fn a_record_of_a_plugin_has_its_own_workflow_id_or_that_of_the_thread() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = open(&path);
    let _work = workflow::enter("of-the-thread");
    log.record(Level::Info, "board", "one", Some("of-the-plugin"));
    log.record(Level::Info, "board", "two", None);
    let recorder = log.recorder().clone();
    std::thread::spawn(move || recorder.record(Level::Error, "board", "three", None))
        .join()
        .expect("recorded");
    drop(log);
    let text = fs::read_to_string(path).expect("written");
    let ids: Vec<&str> = text.lines().filter_map(|line| line.split(" - ").nth(2)).collect();
    assert_eq!(ids, ["of-the-plugin", "of-the-thread", "-"]);
}

#[test]
fn interleaved_work_keeps_its_ids() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = open(&path);
    let _records = tracing::dispatcher::set_default(log.dispatch());
    for round in 0..3 {
        for id in ["first", "second"] {
            let _poll = workflow::enter(id);
            tracing::info!(target: "board", round, id);
        }
    }
    drop(log);
    let text = fs::read_to_string(path).expect("written");
    assert_eq!(text.lines().count(), 6);
    for line in text.lines() {
        let id = line.split(" - ").nth(2).expect("a workflow id");
        assert!(line.ends_with(&format!("id=\"{id}\"")), "{line}");
    }
}

#[test]
fn a_record_made_while_a_record_is_made_is_written_too() {
    struct Talkative;
    impl std::fmt::Display for Talkative {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let _work = workflow::enter("inner");
            tracing::info!(target: "board", "inner");
            f.write_str("outer")
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = open(&path);
    // tracing itself hands a record that is made inside another to no one, so this one comes the other way.
    let recorder = log.recorder().clone();
    let _records = tracing::dispatcher::set_default(log.dispatch());
    let _work = workflow::enter("outer");
    tracing::info!(target: "board", "{}", Talkative);
    recorder.record(Level::Info, "board", &Talkative.to_string(), None);
    drop(log);
    let text = fs::read_to_string(path).expect("written");
    assert_eq!(text.matches(" - outer - INFO - outer\n").count(), 2, "{text}");
    assert!(text.contains(" - inner - INFO - inner\n"), "{text}");
}

#[test]
fn a_span_is_no_line_and_no_harm() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    let log = open(&path);
    tracing::dispatcher::with_default(log.dispatch(), || {
        let span = tracing::info_span!("work", n = 1, later = tracing::field::Empty);
        span.record("later", 2);
        let child = tracing::error_span!(parent: &span, "child");
        child.follows_from(&span);
        child.clone().in_scope(|| span.in_scope(|| tracing::info!(target: "board", "inside")));
    });
    drop(log);
    assert_eq!(super::messages(&path), ["inside"]);
}

/// Characters that have driven terminals or ended lines before, among all others.
fn text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        '\n',
        '\r',
        '\t',
        '\0',
        '\u{7}',
        '\u{8}',
        '\u{b}',
        '\u{c}',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{9d}',
        '\u{200f}',
        '\u{202e}',
        '\u{2028}',
        '\u{2029}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0041}',
        ' ',
        '\\',
    ]);
    prop::collection::vec(prop_oneof![any::<char>(), nasty], 0..60).prop_map(String::from_iter)
}

fn shows_as_it_stands(c: char) -> bool {
    let moves_text =
        matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
    !c.is_control() && !moves_text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_recorded_is_one_safe_line(records in prop::collection::vec((text(), text(), text()), 1..20)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log");
        let log = open(&path);
        for (target, message, id) in &records {
            log.record(Level::Info, target, message, Some(id));
            tracing::dispatcher::with_default(log.dispatch(), || {
                let _work = workflow::enter(id);
                tracing::info!(field = message.as_str(), shown = %message, debug = ?target, "{message}");
            });
        }
        drop(log);
        let text = fs::read_to_string(path).expect("written as UTF-8");
        prop_assert_eq!(text.lines().count(), 2 * records.len());
        prop_assert!(text.ends_with('\n'));
        for line in text.split_terminator('\n') {
            prop_assert!(line.chars().all(shows_as_it_stands), "{line:?}");
            let columns: Vec<&str> = line.splitn(5, " - ").collect();
            prop_assert_eq!(columns.len(), 5);
            prop_assert_eq!(columns[3], "INFO", "{}", line);
        }
    }
}
