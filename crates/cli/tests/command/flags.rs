//! Every flag with every kind of value that it does not take: exit code 2, what is wrong, and how it is used.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use crate::support::{run, said};

/// The flags that take a value, with values that they refuse. An empty one and none are added.
const REFUSED: [(&[&str], &[&str]); 9] = [
    (&["-s", "--service_path", "--service-path"], &[]),
    (&["-c", "--config_path", "--config-path"], &[]),
    (&["-a", "--addresses_path", "--addresses-path"], &[]),
    (&["-l", "--log_path", "--log-path"], &[]),
    (&["--ready"], &[]),
    (
        &["-wt", "--service_loop_min_wait_time_s", "--service-loop-min-wait-time-s"],
        &["x", "-1", "-0.001", "nan", "NaN", "inf", "-inf", "1e999", "86401", "1,5", "0x1", "1 "],
    ),
    (&["-cl", "--console_loglevel", "--console-loglevel"], &["wran", "7", "-1", "in fo", "--"]),
    (&["-f", "--file_loglevel", "--file-loglevel"], &["wran", "7", "-1", "nothing"]),
    (
        &["-bc", "--backup_count", "--backup-count"],
        &["x", "-1", "1.5", "nan", "inf", "99999999999999999999999"],
    ),
];

/// The flags of a bus, in the same way.
const REFUSED_BY_BUS: [(&[&str], &[&str]); 7] = [
    (&["--publishers", "--subscribers"], &["nowhere", "1:", "*:65536"]),
    (&["--max_message_bytes", "--max-message-bytes"], &["x", "-1", "1023", "1073741825", "1.5"]),
    (&["--queue"], &["x", "-1", "0", "10000001"]),
    (&["--queue_bytes", "--queue-bytes"], &["x", "1023", "1099511627777"]),
    (&["--slow_subscriber", "--slow-subscriber"], &["x", "wait", "drop-newest"]),
    (&["--max_peers", "--max-peers"], &["x", "0", "1000001"]),
    (&["--heartbeat_s", "--heartbeat-s"], &["x", "-1", "nan", "inf", "3601"]),
];

#[track_caller]
fn refused(words: &[OsString]) {
    let output = run(words);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
    assert!(said.starts_with("stderr:\nerror: "), "{words:?}: {said}");
    assert!(said.contains("\nUsage: service_framework "), "{words:?}: {said}");
    assert!(!said.contains("panicked"), "{words:?}: {said}");
}

#[test]
fn a_value_that_a_flag_does_not_take() {
    for (names, values) in REFUSED {
        for name in names {
            for value in values.iter().chain(&[""]) {
                let rest: &[&str] = if names.contains(&"-s") { &[] } else { &["-s", "x"] };
                let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
                refused(&words(&[&[*name, *value], rest].concat()));
                refused(&words(&[&["check", "--one", "1"], rest, &[&*format!("{name}={value}")]].concat()));
            }
            refused(&[OsString::from(name)]);
            refused(&[OsString::from(name), "-m".into()]);
        }
    }
}

#[test]
fn a_value_that_a_flag_of_a_bus_does_not_take() {
    for (names, values) in REFUSED_BY_BUS {
        for name in names {
            let ends = ["--publishers", "*:1", "--subscribers", "*:2"];
            let others: Vec<_> = ends.chunks(2).filter(|end| end[0] != *name).flatten().collect();
            let words = |words: &[&str]| {
                let bus = ["bus"].into_iter().chain(others.iter().map(|word| **word));
                bus.chain(words.iter().copied()).map(OsString::from).collect::<Vec<_>>()
            };
            for value in values.iter().chain(&[""]) {
                refused(&words(&[name, value]));
                refused(&words(&[&format!("{name}={value}")]));
            }
            refused(&words(&[name]));
        }
    }
}

#[test]
fn a_value_for_a_flag_that_takes_none() {
    for word in ["-m=true", "--main_mode=1", "--main-mode=", "-h=x", "--help=", "--version=2"] {
        refused(&["-s".into(), "x".into(), word.into()]);
    }
}

#[test]
fn words_that_are_no_text() {
    let strange = OsStr::from_bytes(b"\xff").to_owned();
    let glued = |name: &str| {
        let mut word = OsString::from(format!("{name}="));
        word.push(&strange);
        word
    };
    let service = [OsString::from("-s"), OsString::from("x")];
    for name in ["-wt", "-cl", "-f", "-bc", "--any"] {
        refused(&[&service[..], &[name.into(), strange.clone()]].concat());
        refused(&[&service[..], &[glued(name)]].concat());
    }
    refused(&[&service[..], std::slice::from_ref(&strange)].concat());
    refused(std::slice::from_ref(&strange));
    // A path may be anything.
    let output = run([OsString::from("-s"), strange]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
}

#[test]
fn the_nearest_level_is_named() {
    let said = said(&run(["-s", "x", "-cl", "wraning"]));
    assert!(said.contains("did you mean `warning`?"), "{said}");
}
