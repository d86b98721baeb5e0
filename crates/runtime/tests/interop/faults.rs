//! What happens when one side errs, is restarted, or dies.

use serde_json::json;
use service_framework_core::{Value, value};
use service_framework_runtime::Service;

use crate::peers::{answerer, asker, port};
use crate::python::{BOTH, Mode, Place, Python, Version};
use crate::support::{Client, HeldPort, address, counters, run, until, until_async};
use crate::values::{replyer, requester};

/// Longer than any answer takes.
const LONG_S: f64 = 50.0;

fn to_answerer(version: Version, service: &Service) -> Python {
    requester(version, [port(service, "values"), port(service, "halve")])
}

#[test]
fn our_error_reply_is_a_value_error_in_python_and_the_next_request_is_answered() {
    for version in BOTH {
        let service = answerer(0);
        let mut python = to_answerer(version, &service);
        assert_eq!(python.ask("-1"), "asking");
        assert_eq!(
            python.line(),
            "ValueError Attempting to validate unsupported type: <class 'NoneType'>",
            "the text of our error is not handed on"
        );
        assert_eq!(python.ask("5"), "asking");
        assert_eq!(python.line(), "half 2.5");
        assert_eq!(counters(&service, "halve").refused, [("failed".to_owned(), 1)].into());
    }
}

#[test]
fn what_we_add_beside_the_arguments_does_not_trouble_python() {
    for version in BOTH {
        let (_python, ports) = replyer(version);
        // Without `peer`, requests carry the time that is left.
        let service = asker(ports, "any");
        run(async {
            let client = Client::to(&address(&service, "ask_half"));
            let half = client.ask(value!({"number": 3.0, "within_s": LONG_S})).await.ok();
            assert_eq!(half.get("number"), Some(&Value::Float(1.5)));
        });
    }
}

#[test]
fn our_requester_survives_a_restart_of_its_python_replyer() {
    for version in BOTH {
        let (mut python, ports) = replyer(version);
        let service = asker(ports, "python");
        run(async {
            let client = Client::to(&address(&service, "ask_half"));
            let first = client.ask(value!({"number": 3.0, "within_s": LONG_S})).await.ok();
            python.kill();
            let (_, message) = client.ask(value!({"number": 3.0, "within_s": 0.2})).await.error();
            let is_known = ["deadline: ", "disconnected: "].iter().any(|code| message.starts_with(code));
            assert!(is_known, "{message}");
            let places = [Place::replyer("values", ports[0]), Place::replyer("halve", ports[1])];
            let _restarted = Python::service(version, "replyer.py", Mode::Loop, &places, &json!({}));
            let second = client.ask(value!({"number": 3.0, "within_s": LONG_S})).await.ok();
            assert_eq!(second.get("number"), first.get("number"));
            assert_ne!(second.get("process"), first.get("process"));
        });
    }
}

#[test]
fn a_python_requester_survives_a_restart_of_our_replyer() {
    for version in BOTH {
        let halve = HeldPort::new();
        let mut service = answerer(halve.port());
        let mut python = to_answerer(version, &service);
        assert_eq!(python.ask("4"), "asking");
        assert_eq!(python.line(), "half 2.0");
        service.stop().unwrap();
        // What Python sends into a connection that is closed is lost, and it waits for ever.
        until("Python has noticed", || !is_half_closed(halve.port()));
        assert_eq!(python.ask("6"), "asking");
        let _restarted = answerer(halve.port());
        assert_eq!(python.line(), "half 3.0");
    }
}

/// Whether somebody has a connection to that port that was closed at the other end alone.
fn is_half_closed(port: u16) -> bool {
    const CLOSE_WAIT: &str = "08";
    let connections = std::fs::read_to_string("/proc/net/tcp").expect("the tests run on Linux");
    connections.lines().any(|line| {
        let mut words = line.split_whitespace().skip(2);
        words.next().is_some_and(|remote| remote.ends_with(&format!(":{port:04X}")))
            && words.next() == Some(CLOSE_WAIT)
    })
}

#[test]
fn python_requesters_killed_while_they_wait_harm_nobody() {
    const KILLED: u64 = 5;
    let service = answerer(0);
    run(async {
        let door = Client::to(&address(&service, "door"));
        let waiting = async |is_open: bool| {
            let answer = door.ask(value!({"is_open": is_open})).await.ok();
            answer.get("waiting").and_then(Value::as_f64).unwrap()
        };
        let mut killed: Vec<Python> = (0..KILLED).map(|_| to_answerer(Version::V18, &service)).collect();
        for python in &mut killed {
            assert_eq!(python.ask("2000000"), "asking");
        }
        while waiting(false).await < KILLED as f64 {
            tokio::task::yield_now().await;
        }
        killed.iter_mut().for_each(Python::kill);
        while waiting(true).await > 0.0 {
            tokio::task::yield_now().await;
        }
        let mut python = to_answerer(Version::V20, &service);
        assert_eq!(python.ask("8"), "asking");
        assert_eq!(python.line(), "half 4.0");
        // A reply is sent, or there is nobody left to send it to.
        until_async(|| {
            let counters = counters(&service, "halve");
            let gone = counters.refused.get("peer_gone").copied().unwrap_or(0);
            counters.messages_in == KILLED + 1 && counters.messages_out + gone == KILLED + 1
        })
        .await;
    });
}

#[test]
fn a_python_replyer_ends_of_arguments_that_its_model_does_not_allow() {
    for version in BOTH {
        let (mut python, [_, halve]) = replyer(version);
        run(async {
            let client = Client::to(&format!("127.0.0.1:{halve}").parse().unwrap());
            // An integer is no float to it.
            let sent = client.send(crate::support::request(&value!({"number": 4})));
            let error = tokio::time::timeout(crate::support::PATIENCE, sent).await.unwrap().unwrap_err();
            assert_eq!(error, service_framework_connections::CallError::PeerLost);
        });
        let words = python.last_words();
        assert!(words.contains("is not of required type \"<class 'float'>\""), "{words}");
    }
}
