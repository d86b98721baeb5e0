//! What `new` makes builds, passes its test, and runs.

use std::path::Path;
use std::process::Command;

use expect_test::expect;
use service_framework::value;
use tempfile::TempDir;

use crate::support::{Running, ask, command, said, target_folder};

const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn new(folder: &Path, name: &str) -> String {
    let output = command().current_dir(folder).args(["new", name]).output().expect("the command runs");
    said(&output).replace(env!("CARGO_BIN_EXE_service_framework"), "service_framework")
}

/// Does what the command said to do next, in its folder.
fn follow(folder: &Path, told: &str) {
    let next: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let [test, run] = next[..] else { panic!("two commands to run next: {told}") };

    let mut words = test.split_whitespace();
    assert_eq!(words.next(), Some("cargo"));
    let mut cargo = Command::new(env!("CARGO"));
    let tested = cargo.current_dir(folder).env("CARGO_TARGET_DIR", target_folder()).args(words).output();
    let tested = said(&tested.expect("cargo runs"));
    assert!(tested.contains("test tests::a_person_is_greeted_by_name ... ok"), "{tested}");
    assert!(!tested.contains("warning"), "{tested}");

    let words: Vec<&str> = run.split_whitespace().skip(1).collect();
    // Somebody may listen on the port that the address book names.
    let book = folder.join(words[words.len() - 1]);
    let text = std::fs::read_to_string(&book).expect("an address book");
    let (before, port) = text.split_once("127.0.0.1:").expect("an address");
    let after = port.trim_start_matches(|c: char| c.is_ascii_digit());
    std::fs::write(&book, format!("{before}127.0.0.1:0{after}")).expect("an address book");

    let ready = folder.join("ready.json");
    let mut command = command();
    command
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target_folder())
        .args(words)
        .arg("--ready")
        .arg(&ready);
    let mut service = Running::start(&mut command);
    service.wait_for(" is up");
    let ready: serde_json::Value =
        serde_json::from_slice(&std::fs::read(ready).expect("a ready file")).expect("JSON");
    let endpoint = ready["endpoints"]["greet"].as_str().expect("it is bound");
    ask(endpoint, value!({"name": "Ada"})).wait().expect("a greeting");
    service.signal("TERM");
    assert_eq!(service.wait(), 0, "{:#?}", service.heard);
}

#[test]
fn a_service_outside_of_the_workspace_builds_and_runs() {
    let folder = TempDir::new().expect("a folder");
    let told = new(folder.path(), "town_crier");
    expect![[r#"
        stderr:
        made town_crier

        next:
          cargo test --manifest-path town_crier/Cargo.toml
          service_framework -s town_crier -c town_crier/configs/town_crier.json -a town_crier/addresses/town_crier.json
        exit code: 0
    "#]].assert_eq(&told);
    follow(folder.path(), &told);
    let again = new(folder.path(), "town_crier");
    expect![[r#"
        stderr:
        error: town_crier is there already
        exit code: 2
    "#]]
    .assert_eq(&again);
}

#[test]
fn a_service_inside_the_workspace_joins_it() {
    let folder = TempDir::new().expect("a folder");
    copy(Path::new(CHECKOUT), folder.path());
    let told = new(folder.path(), "town_crier");
    expect![[r#"
        stderr:
        made services/town_crier, addresses/town_crier.json, configs/town_crier.json

        next:
          cargo test -p town_crier
          service_framework -s services/town_crier -c configs/town_crier.json -a addresses/town_crier.json
        exit code: 0
    "#]]
    .assert_eq(&told);
    follow(folder.path(), &told);
    let again = new(&folder.path().join("crates"), "town_crier");
    expect![[r#"
        stderr:
        error: a package is called `town_crier` already, as WORKSPACE/Cargo.lock says
        exit code: 2
    "#]]
    .assert_eq(&again.replace(&*folder.path().to_string_lossy(), "WORKSPACE"));
    let taken = new(folder.path(), "tokio");
    expect![[r#"
        stderr:
        error: a package is called `tokio` already, as WORKSPACE/Cargo.lock says
        exit code: 2
    "#]]
    .assert_eq(&taken.replace(&*folder.path().to_string_lossy(), "WORKSPACE"));
}

#[test]
fn a_name_that_is_none_is_refused() {
    let folder = TempDir::new().expect("a folder");
    expect![[r#"
        stderr:
        error: `Town-Crier` cannot be the name of a service: it is made of a-z, 0-9 and _, and begins with a letter: write `town_crier`
        exit code: 2
    "#]].assert_eq(&new(folder.path(), "Town-Crier"));
    expect![[r#"
        stderr:
        error: `../up` cannot be the name of a service: it is made of a-z, 0-9 and _, and begins with a letter
        exit code: 2
    "#]]
    .assert_eq(&new(folder.path(), "../up"));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// Copies what cargo needs of a workspace.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (name, path) = (entry.file_name(), entry.path());
        if name == "target" || name.to_string_lossy().starts_with(".git") {
            continue;
        }
        if path.is_dir() {
            std::fs::create_dir(to.join(&name)).expect("a folder");
            copy(&path, &to.join(&name));
        } else {
            std::fs::copy(&path, to.join(&name)).expect("a file");
        }
    }
}
