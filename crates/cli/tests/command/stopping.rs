//! How a service that runs in the foreground ends: drained, not drained, or at once.

use service_framework::value;

use crate::support::{Cage, Running, ask, command};

#[test]
fn sigterm_drains() {
    let cage = Cage::with_settings(r#"{"drain_s": 60}"#);
    let mut parrot = cage.start([]);
    let mut asker = ask(&cage.endpoint("hold"), value!({"words": ["a"]}));
    parrot.wait_for("holding");
    parrot.signal("TERM");
    assert_eq!(parrot.wait(), 0, "{:#?}", parrot.heard);
    asker.wait().expect("what was in work is answered");
    let counters = parrot.counters();
    assert_eq!(counters["counters"]["hold"]["messages_in"], 1);
    assert_eq!(counters["counters"]["hold"]["messages_out"], 1);
}

#[test]
fn work_that_does_not_end_is_listed_and_told_by_the_exit_code() {
    let cage = Cage::with_settings(r#"{"drain_s": 0.1}"#);
    let mut parrot = cage.start(["-cl", "info"]);
    let _asker = ask(&cage.endpoint("stick"), value!({"words": ["a"]}));
    parrot.wait_for("sticking");
    parrot.signal("TERM");
    let line = parrot.wait_for("stopped with work not drained");
    assert!(line.contains("stick"), "{line}");
    assert_eq!(parrot.wait(), 75);
}

#[test]
fn a_second_sigint_stops_at_once() {
    // Longer than the test waits for anything.
    let cage = Cage::with_settings(r#"{"drain_s": 3600}"#);
    let mut parrot = cage.start([]);
    let _asker = ask(&cage.endpoint("stick"), value!({"words": ["a"]}));
    parrot.wait_for("sticking");
    parrot.signal("INT");
    parrot.wait_for("stopping on SIGINT");
    // Until one of them comes late enough to be a second one.
    while !parrot.has_said("stopped at once by a second signal") {
        parrot.signal("INT");
    }
    assert_eq!(parrot.wait(), 75);
}

#[test]
fn signals_that_come_at_once_are_one() {
    let cage = Cage::with_settings(r#"{"drain_s": 60}"#);
    let mut parrot = cage.start([]);
    let mut asker = ask(&cage.endpoint("hold"), value!({"words": ["a"]}));
    parrot.wait_for("holding");
    // What comes while a process stands still comes all at once when it goes on.
    for signal in ["STOP", "INT", "TERM", "CONT"] {
        parrot.signal(signal);
    }
    assert_eq!(parrot.wait(), 0, "{:#?}", parrot.heard);
    asker.wait().expect("what was in work is answered");
}

#[test]
fn sigusr1_prints_the_counters_and_stops_nothing() {
    let cage = Cage::new();
    let mut parrot = cage.start([]);
    ask(&cage.endpoint("say"), value!({"words": ["a"]})).wait().expect("an answer");
    parrot.signal("USR1");
    parrot.wait_for("{\"counters\"");
    assert_eq!(parrot.counters()["counters"]["say"]["messages_in"], 1);
    ask(&cage.endpoint("say"), value!({"words": 7})).wait().expect_err("not what it takes");
    parrot.signal("INT");
    assert_eq!(parrot.wait(), 0);
    let say = &parrot.counters()["counters"]["say"];
    assert_eq!((&say["messages_in"], &say["refused"]["bad_args"]), (&2.into(), &1.into()), "{say}");
}

#[test]
fn a_stop_ends_the_build_of_a_service_with_all_that_it_started() {
    let cage = Cage::new();
    cage.write("Cargo.toml", "");
    // `sh build ..` stands for cargo with a compiler, which go on until they are ended.
    cage.write("build", "sleep 600 &\necho building >&2\nwait\n");
    for signal in ["INT", "TERM"] {
        let mut command = command();
        command.current_dir(cage.path("")).env("CARGO", "sh").args(["-s", "."]);
        let mut building = Running::start(&mut command);
        building.wait_for("building");
        building.signal(signal);
        // Until both have ended, one of them holds stderr.
        assert_eq!(building.wait(), 0, "{signal}: {:#?}", building.heard);
        assert_eq!(building.times("error:") + building.times("not drained"), 0, "{:#?}", building.heard);
    }
}
