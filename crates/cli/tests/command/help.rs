//! The texts of the help.

use expect_test::expect;

use crate::support::{run, said};
use crate::usage::check;

#[test]
fn help_for_the_command() {
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
              bus
                      Passes publications on: many publishers and many subscribers meet at it, who then know one address each
              keys
                      Makes the key pair of a service whose connections are encrypted, and prints its public key

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
}

#[test]
fn help_for_describe() {
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
}

#[test]
fn help_for_check() {
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
}

#[test]
fn help_for_new() {
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
fn help_for_bus() {
    check(
        &["bus", "--help"],
        expect![[r#"
        stdout:
        Passes publications on: many publishers and many subscribers meet at it, who then know one address each

        Usage: service_framework bus --publishers <ADDRESS> --subscribers <ADDRESS> [OPTIONS]

        Options:
              --publishers <ADDRESS>
                  Where publishers connect to
              --subscribers <ADDRESS>
                  Where subscribers connect to
              --curve_keys <FILE>
                  Encrypts all connections, by the key pair in this file, as `service_framework keys` makes it
              --curve_allow <KEYS>
                  The public keys of those who are let in, separated by spaces, or `anybody`
              --plaintext <CHOICE>
                  What becomes of an address that others than this machine can reach, without `--curve_keys`: it is warned of, allowed or refused [default: warn] [possible values: warn, allow, refuse]
              --max_message_bytes <BYTES>
                  The largest message, in bytes; a publisher of a much larger one is disconnected [default: 16777216]
              --queue <MESSAGES>
                  How many messages may wait for each subscriber [default: 10000]
              --queue_bytes <BYTES>
                  How many bytes may wait for each subscriber; the last message may go beyond [default: 67108864]
              --slow_subscriber <CHOICE>
                  What becomes of a message when either is full: the newest or the oldest is dropped for that subscriber, or it is disconnected [default: drop_newest] [possible values: drop_newest, drop_oldest, disconnect]
              --max_peers <PEERS>
                  How many publishers may connect, and how many subscribers; more are refused, and counted [default: 10000]
              --heartbeat_s <SECONDS>
                  How often each peer is asked for a sign of life; one that gives none for twice as long is disconnected; 0 for never [default: 10]
         -cl, --console_loglevel <LEVEL>
                  What is logged on stderr [default: info]
              --ready <FILE>
                  Writes a line of JSON to this file when the sockets are open: pid, endpoints
          -h, --help
                  Print help

        ADDRESS is HOST:PORT, *:PORT to listen on all interfaces, or ipc://PATH. Publishers connect to it with
        `is_x_pub` in their address books, as those of pyzmq do; it is the XSUB/XPUB proxy of ZeroMQ.
        What a subscriber is too slow for is dropped for it alone, and counted. All defaults are those of the
        settings of the same names in an address book.

        Signals: SIGINT and SIGTERM stop it, SIGUSR1 prints the counters, as the end does.
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
