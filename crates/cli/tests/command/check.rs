//! What `check` prints.

use expect_test::expect;

use crate::support::{Cage, said};

fn check(cage: &Cage, words: &[&str]) -> String {
    said(&cage.command_of(Some("check"), words.iter().copied()).output().expect("the command runs"))
}

#[test]
fn every_value_with_where_it_came_from() {
    let cage = Cage::with_settings(r#"{"drain_s": 3}"#);
    let found = check(
        &cage,
        &["--times", "7", "--perch", "{\"height\": 2, \"wood\": \"ash\"}", "--perch.height", "3"],
    );
    expect![].assert_eq(&found);
}

#[test]
fn the_same_for_programs() {
    let cage = Cage::new();
    let output =
        cage.command_of(Some("check"), ["--json", "--volume", "7"]).output().expect("the command runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["problems"], serde_json::json!([]));
    expect![].assert_eq(&found["config"].to_string());
    expect![].assert_eq(&found["connections"][0].to_string());
    let deadline = found["settings"].as_array().expect("a list").iter();
    let mut deadline = deadline.filter(|one| one["setting"] == "deadline_s").map(ToString::to_string);
    expect![].assert_eq(&deadline.next().expect("one for the first replyer"));
}

#[test]
fn all_that_is_wrong() {
    let cage = Cage::new();
    cage.write("parrot.json", "{\"times\": \"often\", \"perch\": {\"height\": 1, \"wood\": \"elm\"}}");
    cage.write(
        "addresses.json",
        "{\"in\": {\"say\": {\"replyer\": \"127.0.0.1\"}}, \"settings\": {\"drain\": 1}}",
    );
    expect![].assert_eq(&check(&cage, &["--volume", "x"]));
    expect![].assert_eq(&check(&cage, &["--volume", "x", "--json"]));
}

#[test]
fn hosts_that_the_service_would_not_start_with() {
    let cage = Cage::new();
    let addresses = cage.read("addresses.json").replacen("127.0.0.1:0", "192.0.2.1:8001", 1);
    cage.write("addresses.json", &addresses.replacen("127.0.0.1:0", "ipc:///no/such/folder/socket", 1));
    expect![].assert_eq(&check(&cage, &[]));
}

#[test]
fn nothing_is_opened() {
    // Two that hold the same port could not both be open.
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let cage = Cage::new();
    let held = holder.local_addr().expect("it is bound").to_string();
    cage.write("addresses.json", &cage.read("addresses.json").replacen("127.0.0.1:0", &held, 1));
    let found = check(&cage, &["-l", "logs/", "--ready", "ready.json"]);
    assert!(found.ends_with("\nnothing is wrong\nexit code: 0\n"), "{found}");
    assert!(!cage.path("logs").exists() && !cage.path("ready.json").exists());
}
