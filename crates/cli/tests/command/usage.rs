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
    check(
        &["--help"],
        expect![[r#"
            stdout:
            Runs a service: a plugin, wired by an address book

            Usage: service_framework -s <PATH> [OPTIONS] [--any_key <VALUE>]...
                   service_framework <COMMAND>

            Commands:
              describe
                      Says what a service is: its config, its connections with their models, its optional methods
              check
                      Checks a service with its config and addresses, and opens nothing
              new
                      Makes the crate of a new service, with its address book and its config

            Options:
              -s, --service_path <PATH>
                      The service: its shared library, or the folder of its crate, which is built first
              -c, --config_path <FILE>
                      Its config, a JSON file
              -a, --addresses_path <FILE>
                      Its address book, a JSON file
              -m, --main_mode
                      Runs `main`, with the incoming connections beside it, and ends when it does
             -wt, --service_loop_min_wait_time_s <SECONDS>
                      The least seconds between two rounds, each of one message per incoming connection [default: 0]
             -cl, --console_loglevel <LEVEL>
                      What is logged on stderr [default: info]
              -l, --log_path <PATH>
                      Logs to this file, or in this folder: one that is there, or a path that ends in `/`
              -f, --file_loglevel <LEVEL>
                      What is logged to that file [default: info]
             -bc, --backup_count <COUNT>
                      How many hourly log files are kept beside the current one; 0 keeps none [default: 24]
                  --ready <FILE>
                      Writes a line of JSON to this file when the sockets are open: service, pid, endpoints
                  --version
                      Prints the version
              -h, --help
                      Print help

            Any other `--key value`, `-key value` or `--key=value` sets a key of the config, over the file;
            `--a.b value` sets `b` inside `a`. The value is the next word even if it begins with a dash, unless
            it is one of the flags above.
            LEVEL is critical, error, warning, info, debug, notset or none, in any case; or as tracing has them.

            Exit codes: 0 ended or drained, 1 the service failed, 2 wrong usage, 70 a fault of service_framework
            itself, 75 stopped with work not drained, 78 config, addresses or plugin refused.
            Signals: SIGINT and SIGTERM stop and drain, a second one stops at once; SIGUSR1 prints the counters.
            exit code: 0
        "#]],
    );
    check(
        &["describe", "--help"],
        expect![[r#"
        stdout:
        Says what a service is: its config, its connections with their models, its optional methods

        Usage: service_framework describe -s <PATH> [--json | --json-schema]

        Options:
          -s, --service_path <PATH>
                  The service: its shared library, or the folder of its crate, which is built first
              --json
                  As the JSON that models given as data are read from
              --json-schema
                  The JSON Schemas of its config, and of the args and returns of each connection
          -h, --help
                  Print help
        exit code: 0
    "#]],
    );
    check(
        &["check", "-h"],
        expect![[r#"
            stdout:
            Checks a service with its config and addresses, and opens nothing

            Usage: service_framework check -s <PATH> [OPTIONS] [--any_key <VALUE>]...

            Options:
              -s, --service_path <PATH>
                      The service: its shared library, or the folder of its crate, which is built first
              -c, --config_path <FILE>
                      Its config, a JSON file
              -a, --addresses_path <FILE>
                      Its address book, a JSON file
              -m, --main_mode
                      Runs `main`, with the incoming connections beside it, and ends when it does
             -wt, --service_loop_min_wait_time_s <SECONDS>
                      The least seconds between two rounds, each of one message per incoming connection [default: 0]
             -cl, --console_loglevel <LEVEL>
                      What is logged on stderr [default: info]
              -l, --log_path <PATH>
                      Logs to this file, or in this folder: one that is there, or a path that ends in `/`
              -f, --file_loglevel <LEVEL>
                      What is logged to that file [default: info]
             -bc, --backup_count <COUNT>
                      How many hourly log files are kept beside the current one; 0 keeps none [default: 24]
                  --ready <FILE>
                      Writes a line of JSON to this file when the sockets are open: service, pid, endpoints
                  --json
                      As JSON, what is wrong included
              -h, --help
                      Print help

            It takes what running the service takes, and prints each value with where it came from, or all that
            is wrong.
            exit code: 0
        "#]],
    );
    check(
        &["new", "--help"],
        expect![[r#"
        stdout:
        Makes the crate of a new service, with its address book and its config

        Usage: service_framework new <NAME>

        Arguments:
          <NAME>
                  The name of the service: of its crate, its folder and its files

        Options:
          -h, --help
                  Print help

        Inside the workspace of service_framework it joins that: services/NAME, addresses/NAME.json and
        configs/NAME.json are made. Anywhere else all of it is made in the folder NAME.
        exit code: 0
    "#]],
    );
}

#[test]
fn help_is_given_wherever_it_is_asked_for() {
    let help = said(&run(["--help"]));
    for words in [&["--any", "key", "-s", "x", "-h"][..], &["-h", "--any", "key"], &["-cl", "info", "-h"]] {
        assert_eq!(said(&run(words)), help);
    }
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
