//! The texts of the help and of wrong usage.

use expect_test::{Expect, expect};

use crate::support::{Cage, library, run, said};

#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check(words: &[&str], expected: Expect) {
    expected.assert_eq(&said(&run(words)));
}

#[test]
fn help() {
    check(&["--help"], expect![]);
    check(&["describe", "--help"], expect![]);
    check(&["check", "-h"], expect![]);
    check(&["new", "--help"], expect![]);
    check(&["--any", "key", "-s", "x", "-h"], expect![]);
}

#[test]
fn version() {
    check(&["--version"], expect![]);
}

#[test]
fn no_service() {
    check(&[], expect![]);
    check(&["-m"], expect![]);
    check(&["check"], expect![]);
    check(&["describe"], expect![]);
    check(&["new"], expect![]);
}

#[test]
fn words_that_make_no_pair() {
    check(&["-s", "x", "--speed"], expect![]);
    check(&["-s", "x", "--speed", "-m"], expect![]);
    check(&["-s", "x", "--confg_path", "a.json", "b.json"], expect![]);
    check(&["-s", "x", "check"], expect![]);
    check(&["chekc", "-s", "x"], expect![]);
    check(&["describe", "-s", "x", "--speed", "7"], expect![]);
}

#[test]
fn a_flag_twice() {
    check(&["-s", "x", "--service_path", "y"], expect![]);
}

#[test]
fn a_slip_of_the_keyboard() {
    let cage = Cage::new();
    expect![].assert_eq(&cage.said(["--confg_path", "a.json", "--volum", "7"]));
    let checked = cage.command_of(Some("check"), ["--main-mod", "true"]).output();
    expect![].assert_eq(&said(&checked.expect("the command runs")));
}

#[test]
fn a_key_of_the_config_that_reads_like_a_flag_is_meant() {
    let cage = Cage::new();
    let said = cage.said(["-m", "-cl", "none", "--backup_counts", "7"]);
    assert!(said.ends_with("exit code: 0\n"), "{said}");
    assert!(!said.contains("looks like"), "{said}");
}

#[test]
fn describe_takes_one_form() {
    let library = library("parrot");
    let library = library.to_str().expect("the target folder is text");
    check(&["describe", "-s", library, "--json", "--json-schema"], expect![]);
}
