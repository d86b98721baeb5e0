//! What keeps a service from starting is named, with what to do about it, under the exit code 78.

use std::net::TcpListener;
use std::process::Command;

use expect_test::{Expect, expect};

use crate::support::{Cage, command, library, said};

#[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
#[track_caller]
fn check(cage: &Cage, words: &[&str], expected: Expect) {
    expected.assert_eq(&cage.said(["-cl", "none"].into_iter().chain(words.iter().copied())));
}

#[test]
fn a_port_in_use() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = holder.local_addr().expect("it is bound").port().to_string();
    let cage = Cage::new();
    let addresses = cage.read("addresses.json").replacen("127.0.0.1:0", &format!("127.0.0.1:{port}"), 1);
    cage.write("addresses.json", &addresses);
    expect![].assert_eq(&cage.said(["-cl", "none"]).replace(&port, "PORT"));
}

#[test]
fn an_address_of_another_machine() {
    let cage = Cage::new();
    cage.write("addresses.json", &cage.read("addresses.json").replacen("127.0.0.1:0", "192.0.2.1:8001", 1));
    check(&cage, &[], expect![]);
}

#[test]
fn a_host_that_nobody_knows() {
    let cage = Cage::new();
    let addresses = cage.read("addresses.json").replace(
        r#""publisher": "127.0.0.1:0""#,
        r#""publisher": {"address": "no-such-host.invalid:1", "is_x_pub": true}"#,
    );
    cage.write("addresses.json", &addresses);
    let said = cage.said(["-cl", "none"]);
    // What the resolver says differs from system to system.
    let said =
        said.lines().map(|line| line.split(": failed to").next().unwrap_or_default()).collect::<Vec<_>>();
    expect![].assert_eq(&said.join("\n"));
}

#[test]
fn fewer_open_files_than_sockets() {
    let cage = Cage::new();
    let sockets: Vec<_> =
        (0..100).map(|number| format!(r#""one_{number}": {{"replyer": "127.0.0.1:0"}}"#)).collect();
    cage.write("crowd.json", &format!("{{\"in\": {{{}}}}}", sockets.join(", ")));
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""]).arg(command().get_program());
    shell.arg("-s").arg(library("crowd")).arg("-a").arg(cage.path("crowd.json")).args(["-cl", "none"]);
    let output = shell.output().expect("there is a shell");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("too many open files; raise the limit (`ulimit -n`)"), "{said}");
}

#[test]
fn everything_wrong_in_the_files_at_once() {
    let cage = Cage::new();
    cage.write("parrot.json", "{\n  \"greting\": \"Hello\",\n  \"times\": -1\n}\n");
    cage.write(
        "addresses.json",
        r#"{"in": {"say": {"replyer": "127.0.0.1:65536"}, "sing": {"replyer": "127.0.0.1:0"}}}"#,
    );
    check(&cage, &["--volume", "loud"], expect![]);
}

#[test]
fn files_that_are_not_there() {
    let cage = Cage::new();
    std::fs::remove_file(cage.path("parrot.json")).expect("it was there");
    check(&cage, &[], expect![]);
    let said = said(&command().args(["-s", "nowhere.so"]).output().expect("the command runs"));
    expect![].assert_eq(&said);
}

#[test]
fn what_new_of_the_service_does_not_like() {
    check(&Cage::new(), &["--greeting="], expect![]);
}

#[test]
fn a_log_that_cannot_be_written() {
    check(&Cage::new(), &["-l", "parrot.json/x.log"], expect![]);
}

#[test]
fn main_mode_without_a_main() {
    let mut command = command();
    command.arg("-s").arg(library("crowd")).arg("-m");
    let output = command.output().expect("the command runs");
    let said = said(&output);
    assert!(
        said.starts_with("stderr:\nerror: service `crowd` has no `main`: start it without -m\n"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(78));
}
