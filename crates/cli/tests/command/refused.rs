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
    expect![[r#"
        stderr:
        error: addresses.json:3:24: cannot bind `say` to 127.0.0.1:PORT: port PORT is in use; stop whoever listens there (`ss -ltnp` names it) or write another port
        exit code: 78
    "#]].assert_eq(&cage.said(["-cl", "none"]).replace(&port, "PORT"));
}

#[test]
fn an_address_of_another_machine() {
    let cage = Cage::new();
    cage.write("addresses.json", &cage.read("addresses.json").replacen("127.0.0.1:0", "192.0.2.1:8001", 1));
    check(
        &cage,
        &[],
        expect![[r#"
            stderr:
            error: addresses.json:3:24: cannot bind `say` to 192.0.2.1:8001: not an address of this machine; write `*:8001` to listen on all
            exit code: 78
        "#]],
    );
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
    expect![[r#"
        stderr:
        error: addresses.json:8:41: cannot connect `gossip` to no-such-host.invalid:1: the host name `no-such-host.invalid` is not known; check its spelling or write an IP address
        exit code: 78"#]].assert_eq(&said.join("\n"));
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
    check(
        &cage,
        &["--volume", "loud"],
        expect![[r#"
        stderr:
        error: parrot.json:2:3: greting is unknown, did you mean `greeting`?
        error: parrot.json:3:12: times: expected an integer from 0 to 4294967295, got the integer -1
        error: --volume: expected a float, got the text "loud"
        error: addresses.json:1:1: connection `gossip` has no address: write "gossip": {"publisher": "HOST:PORT"} under `out`
        error: addresses.json:1:8: connection `hold` has no address: write "hold": {"replyer": "HOST:PORT"} under `in`
        error: addresses.json:1:8: connection `stick` has no address: write "stick": {"replyer": "HOST:PORT"} under `in`
        error: addresses.json:1:28: `say`: `127.0.0.1:65536` has the port `65536`: a port is a number from 0 to 65535
        error: addresses.json:1:48: `sing` is no connection of the service `parrot`; there are `say`, `hold`, `stick`, `gossip`
        exit code: 78
    "#]],
    );
}

#[test]
fn what_is_told_stays_on_its_line_and_drives_no_terminal() {
    let cage = Cage::new();
    let stranger = r#""no\u001b[2Jx\nerror: all is well": {}, "say""#;
    cage.write("addresses.json", &cage.read("addresses.json").replacen(r#""say""#, stranger, 1));
    check(
        &cage,
        &["--a\u{1b}[2Jb\nerror: c", "1"],
        expect![[r#"
            stderr:
            error: --a\u{1b}[2Jb\nerror: c: there is no such key; there are `greeting`, `times`, `volume`, `perch`, `fail`, `backup_counts`
            error: addresses.json:3:5: "no\u{1b}[2Jx\nerror: all is well" is no connection of the service `parrot`; there are `say`, `hold`, `stick`, `gossip`
            exit code: 78
        "#]],
    );
    let said = said(&command().args(["-s", "no\u{1b}[2J\nerror: all is well.so"]).output().expect("it runs"));
    expect![[r#"
        stderr:
        error: cannot load the service no\u{1b}[2J\nerror: all is well.so: there is no such file
        exit code: 78
    "#]]
    .assert_eq(&said);
}

#[test]
fn files_that_are_not_there() {
    let cage = Cage::new();
    std::fs::remove_file(cage.path("parrot.json")).expect("it was there");
    check(
        &cage,
        &[],
        expect![[r#"
        stderr:
        error: parrot.json is not there: check the path, which starts from the working folder
        exit code: 78
    "#]],
    );
    let said = said(&command().args(["-s", "nowhere.so"]).output().expect("the command runs"));
    expect![[r#"
        stderr:
        error: cannot load the service nowhere.so: there is no such file
        exit code: 78
    "#]]
    .assert_eq(&said);
}

#[test]
fn what_new_of_the_service_does_not_like() {
    check(
        &Cage::new(),
        &["--greeting="],
        expect![[r#"
        stderr:
        error: service `parrot` refuses its config (--greeting): a parrot greets
        exit code: 78
    "#]],
    );
}

#[test]
fn a_log_that_cannot_be_written() {
    let cage = Cage::new();
    let said = cage.said(["-l", "parrot.json/x.log"]);
    // What the system says differs from system to system.
    assert!(said.starts_with("stderr:\nerror: cannot log: cannot make folder "), "{said}");
    assert!(said.contains("; give a log path in a folder that this user may write: "), "{said}");
    assert!(said.ends_with("exit code: 78\n"), "{said}");
}

#[test]
fn a_folder_that_is_no_crate() {
    let cage = Cage::new();
    let output = command().arg("-s").arg(cage.path("")).output().expect("the command runs");
    let folder = cage.path("").display().to_string();
    expect![[r#"
        stderr:
        error: cannot build the service in FOLDER: there is no Cargo.toml in it: give the folder of a service's crate, or a shared library
        exit code: 78
    "#]].assert_eq(&said(&output).replace(&folder, "FOLDER"));
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
