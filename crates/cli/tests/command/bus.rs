//! A bus: where it listens, how it ends, what it refuses.

use std::net::TcpListener;

use expect_test::expect;

use crate::support::{Running, command, run, said};

#[test]
fn it_says_where_it_listens_and_ends_with_its_counters() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let mut bus = command();
    bus.args(["bus", "--publishers", "127.0.0.1:0", "--subscribers", "127.0.0.1:0", "--ready"]).arg(&ready);
    let mut bus = Running::start(&mut bus);
    bus.wait_for("the bus is up");
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(ready).unwrap()).unwrap();
    for end in ["publishers", "subscribers"] {
        let endpoint = ready["endpoints"][end].as_str().unwrap();
        assert!(endpoint.starts_with("tcp://127.0.0.1:") && !endpoint.ends_with(":0"), "{endpoint}");
    }
    bus.signal("USR1");
    bus.wait_for("{\"counters\"");
    bus.signal("TERM");
    assert_eq!(bus.wait(), 0);
    assert_eq!(bus.counters()["counters"]["subscribers"]["messages_out"], 0);
}

/// A bus between these addresses, with these flags, that is up.
fn up(at: &str, flags: &[&str]) -> Running {
    let mut bus = command();
    bus.args(["bus", "--publishers", at, "--subscribers", "127.0.0.1:0"]).args(flags);
    let mut bus = Running::start(&mut bus);
    bus.wait_for("the bus is up");
    bus
}

#[test]
fn what_others_can_reach_unencrypted_is_warned_of_allowed_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("bus.key").display().to_string();
    assert!(run(["keys", &keys]).status.success());
    let warned = |at: &str, flags: &[&str]| {
        let mut bus = up(at, flags);
        bus.signal("TERM");
        assert_eq!(bus.wait(), 0);
        bus.times("is not encrypted")
    };
    assert_eq!(warned("*:0", &[]), 1);
    assert_eq!(warned("*:0", &["--plaintext", "allow"]), 0);
    assert_eq!(warned("127.0.0.1:0", &["--plaintext", "refuse"]), 0);
    let encrypted = ["--plaintext", "refuse", "--curve_keys", &keys, "--curve_allow", "anybody"];
    assert_eq!(warned("*:0", &encrypted), 0);
    let refused = ["bus", "--publishers", "*:7", "--subscribers", "127.0.0.1:0", "--plaintext", "refuse"];
    expect![[r#"
        stderr:
        error: `publishers` at `*:7` is not encrypted, and `plaintext` is refuse: set `curve_keys`, or have it stay on this machine
        exit code: 78
    "#]].assert_eq(&said(&run(refused)));
}

#[test]
fn keys_that_are_none_are_told_before_it_listens() {
    let refused = |allow: &str, file: &str| {
        let ends = ["--publishers", "127.0.0.1:0", "--subscribers", "127.0.0.1:0"];
        said(&run(["bus"].iter().chain(&ends).chain(&["--curve_keys", file, "--curve_allow", allow])))
    };
    expect![[r#"
        stderr:
        error: `curve_keys` of `bus`, /absent.key: No such file or directory (os error 2)
        exit code: 78
    "#]]
    .assert_eq(&refused("anybody", "/absent.key"));
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("bus.key").display().to_string();
    assert!(run(["keys", &keys]).status.success());
    expect![[r#"
        stderr:
        error: `curve_allow` of `bus`, `everybody`: a key has 40 characters, and this one 9
        exit code: 78
    "#]]
    .assert_eq(&refused("everybody", &keys));
}

#[test]
fn what_it_cannot_do_it_says() {
    expect![[r#"
        stderr:
        error: the following required arguments were not provided:
          --subscribers <ADDRESS>

        Usage: service_framework bus --publishers <ADDRESS> --subscribers <ADDRESS> [OPTIONS]

        For more information, try '--help'.
        exit code: 2
    "#]]
    .assert_eq(&said(&run(["bus", "--publishers", "*:1"])));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let refused = said(&run(["bus", "--publishers", "127.0.0.1:0", "--subscribers", &at]));
    let port = at.rsplit(':').next().unwrap();
    expect![[r#"
        stderr:
        error: cannot bind `subscribers` to 127.0.0.1:PORT: port PORT is in use; stop whoever listens there (`ss -ltnp` names it) or write another port
        exit code: 78
    "#]]
    .assert_eq(&refused.replace(port, "PORT"));
    expect![[r#"
        stderr:
        error: invalid value 'nowhere' for '--publishers <ADDRESS>': `nowhere` has no port: write `nowhere:PORT`

        Usage: service_framework bus --publishers <ADDRESS> --subscribers <ADDRESS> [OPTIONS]

        For more information, try '--help'.
        exit code: 2
    "#]]
    .assert_eq(&said(&run(["bus", "--publishers", "nowhere", "--subscribers", "*:2"])));
}
