//! Services whose connections are encrypted, and those whose are not and could be read by others.

use std::path::Path;

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Cause, Options, Service, keys};

use crate::support::{Client, address, counters, run, until_async, wired};

const PEER: Requester<Value, Value> = Requester::new("peer").deadline_s(0.3);

/// Answers, and asks.
struct Both;

#[service(uses(PEER))]
impl Both {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        Ok(args)
    }

    #[replyer]
    async fn pass(&self, args: Value, cx: &Context) -> Result<Value> {
        cx.request(&PEER, &args).await
    }
}

service_framework::link!(Both);

fn pair(folder: &Path, name: &str) -> (String, String) {
    let path = folder.join(name);
    let public = keys::create(&path).unwrap();
    (path.display().to_string(), public)
}

fn started(book: Value) -> Service {
    let mut service = Service::of::<Both>(wired(book));
    service.start().unwrap();
    service
}

/// The book of one that answers whoever has one of these keys.
fn answering(own: &str, allow: &str) -> Value {
    value!({
        "in": {
            "echo": {"replyer": {"address": "127.0.0.1:0", "curve_keys": own, "curve_allow": allow}},
            "pass": {"replyer": "127.0.0.1:0"},
        },
        "out": {"peer": {"requester": "inproc://encrypted/nobody"}},
    })
}

/// The book of one that asks it.
fn asking(at: &str, own: &str, server: &str) -> Value {
    value!({
        "in": {"echo": {"replyer": "127.0.0.1:0"}, "pass": {"replyer": "127.0.0.1:0"}},
        "out": {"peer": {"requester": {"address": at, "curve_keys": own, "curve_server": server}}},
    })
}

#[test]
fn only_those_who_are_known_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let [(own, public), (known, known_public), (stranger, _)] =
        ["own", "known", "stranger"].map(|name| pair(folder.path(), name));
    let server = started(answering(&own, &known_public));
    let at = address(&server, "echo").to_string();
    let (friend, foe) = (started(asking(&at, &known, &public)), started(asking(&at, &stranger, &public)));
    run(async {
        let args = value!({"a": 1});
        assert_eq!(Client::to(&address(&friend, "pass")).ask(args.clone()).await.ok(), args);
        assert_eq!(Client::to(&address(&foe, "pass")).ask(args).await.code(), "failed");
        until_async(|| counters(&server, "echo").handshakes_failed.of(Cause::NotAdmitted) > 0).await;
        assert_eq!(counters(&server, "echo").messages_in, 1);
    });
}

#[test]
fn keys_that_are_none_are_told_before_a_socket_opens_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (own, public) = pair(folder.path(), "own");
    let refused = |own: &str, allow: &str| {
        let error = Service::of::<Both>(wired(answering(own, allow))).start().unwrap_err().to_string();
        error.replace(&*folder.path().to_string_lossy(), "FOLDER")
    };
    let absent = folder.path().join("absent").display().to_string();
    assert_eq!(
        refused(&absent, &public),
        "the addresses of the program: `curve_keys` of `echo`, FOLDER/absent: No such file or directory (os error 2)"
    );
    assert_eq!(
        refused(&own, &format!("{public} short")),
        "the addresses of the program: `curve_allow` of `echo`, `short`: a key has 40 characters, and this one 5"
    );
}

#[test]
fn what_others_can_reach_unencrypted_is_warned_of_unless_it_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let log = |name: &str, echo: Value, plaintext: &str| {
        let path = folder.path().join(name);
        let book = value!({
            "in": {"echo": {"replyer": (echo)}, "pass": {"replyer": "127.0.0.1:0"}},
            "out": {"peer": {"requester": "localhost:1"}},
            "settings": {"plaintext": plaintext},
        });
        let options = Options { log_path: Some(path.clone()), file_level: Level::Warn, ..wired(book) };
        let mut service = Service::of::<Both>(options);
        service.start().unwrap();
        service.stop().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        text.matches("is not encrypted").count()
    };
    let (own, _) = pair(folder.path(), "own");
    assert_eq!(log("warned.log", value!("*:0"), "warn"), 1);
    assert_eq!(log("allowed.log", value!("*:0"), "allow"), 0);
    assert_eq!(log("at_home.log", value!("127.0.0.1:0"), "warn"), 0);
    let encrypted = value!({"address": "*:0", "curve_keys": own, "curve_allow": "anybody"});
    assert_eq!(log("encrypted.log", encrypted, "warn"), 0);
}
