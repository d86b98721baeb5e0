//! The texts of wrong usage.

use expect_test::{Expect, expect};

use crate::support::{Cage, library, run, said};

#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
pub(crate) fn check(words: &[&str], expected: Expect) {
    expected.assert_eq(&said(&run(words)));
}

#[test]
fn version() {
    check(
        &["--version"],
        expect![[r#"
        stdout:
        service_framework 0.1.0
        exit code: 0
    "#]],
    );
}

#[test]
fn no_service() {
    check(
        &[],
        expect![[r#"
        stderr:
        error: the following required arguments were not provided:
          --service_path <PATH>

        Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
               service_framework <COMMAND>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
    check(
        &["-m"],
        expect![[r#"
        stderr:
        error: the following required arguments were not provided:
          --service_path <PATH>

        Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
               service_framework <COMMAND>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
}

#[test]
fn no_service_or_name_for_a_subcommand() {
    check(
        &["check"],
        expect![[r#"
        stderr:
        error: the following required arguments were not provided:
          --service_path <PATH>

        Usage: service_framework check -s <PATH> [OPTIONS] [--any_key <VALUE>]...

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
    check(
        &["describe"],
        expect![[r#"
        stderr:
        error: the following required arguments were not provided:
          --service_path <PATH>

        Usage: service_framework describe -s <PATH> [--json | --json-schema]

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
    check(
        &["new"],
        expect![[r#"
        stderr:
        error: the following required arguments were not provided:
          <NAME>

        Usage: service_framework new <NAME>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
}

#[test]
fn words_that_make_no_pair() {
    check(
        &["-s", "x", "--speed"],
        expect![[r#"
        stderr:
        error: unknown arguments must come in pairs, `--key value`: `--speed` has no value

        Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
               service_framework <COMMAND>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
    check(
        &["-s", "x", "--speed", "-m"],
        expect![[r#"
        stderr:
        error: unknown arguments must come in pairs, `--key value`: `--speed` has no value before the flag `-m`; if that is its value, write `--speed=-m`

        Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
               service_framework <COMMAND>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
    check(
        &["-s", "x", "--confg_path", "a.json", "b.json"],
        expect![[r#"
        stderr:
        error: unknown arguments must come in pairs, `--key value`: `b.json` stands behind no key

          tip: `--confg_path` looks like the flag `--config_path`.

        Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
               service_framework <COMMAND>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
}

#[test]
fn a_subcommand_in_another_place_or_spelling() {
    check(
        &["-s", "x", "check"],
        expect![[r#"
        stderr:
        error: unknown arguments must come in pairs, `--key value`: `check` stands behind no key

          tip: a subcommand is the first word: `service_framework check ..`

        Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
               service_framework <COMMAND>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
    check(
        &["chekc", "-s", "x"],
        expect![[r#"
        stderr:
        error: unrecognized subcommand 'chekc'

          tip: a similar subcommand exists: 'check'

        Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
               service_framework <COMMAND>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
    check(
        &["describe", "-s", "x", "--speed", "7"],
        expect![[r#"
        stderr:
        error: unexpected argument '--speed' found

        Usage: service_framework describe -s <PATH> [--json | --json-schema]

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
}

#[test]
fn a_flag_twice() {
    check(
        &["-s", "x", "--service_path", "y"],
        expect![[r#"
        stderr:
        error: the argument '--service_path <PATH>' cannot be used multiple times

        Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
               service_framework <COMMAND>

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
}

#[test]
fn a_slip_of_the_keyboard() {
    let cage = Cage::new();
    expect![[r#"
        stderr:
        error: `--confg_path` is neither a flag nor a key of the config

          tip: `--confg_path` looks like the flag `--config_path`.

        Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
               service_framework <COMMAND>

        For more information, try '--help'.
        exit code: 2
    "#]]
    .assert_eq(&cage.said(["--confg_path", "a.json", "--volum", "7"]));
    let checked = cage.command_of(Some("check"), ["--main-mod", "true"]).output();
    expect![[r#"
        stderr:
        error: `--main-mod` is neither a flag nor a key of the config

          tip: `--main-mod` looks like the flag `--main_mode`.

        Usage: service_framework check -s <PATH> [OPTIONS] [--any_key <VALUE>]...

        For more information, try '--help'.
        exit code: 2
    "#]]
    .assert_eq(&said(&checked.expect("the command runs")));
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
    check(
        &["describe", "-s", library, "--json", "--json-schema"],
        expect![[r#"
        stderr:
        error: the argument '--json' cannot be used with '--json-schema'

        Usage: service_framework describe -s <PATH> [--json | --json-schema]

        For more information, try '--help'.
        exit code: 2
    "#]],
    );
}
