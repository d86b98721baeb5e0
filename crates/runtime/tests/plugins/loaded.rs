//! A plugin answers as a linked service does, whatever it brings along.

use std::io::Write;
use std::net::TcpListener;

use service_framework::prelude::*;
use service_framework_runtime::log::Level;
use service_framework_runtime::{Options, Service};

use crate::support::{Client, address, counters, logged, run, wired};
use crate::{clerk, folder, library, options, options_beside};

fn check_adds(service: &Service) {
    run(async {
        let client = Client::to(&address(service, "add"));
        let sum = client.ask(value!({"numbers": [1, 2, 3]})).await.ok();
        assert_eq!(sum.get("sum"), Some(&Value::Int(6)));
        let (code, message) = client.ask(value!({"numbers": ["one"]})).await.error();
        assert!(code == "bad_args" && message.contains("args.numbers[0]"), "{code}: {message}");
    });
}

#[test]
fn a_plugin_is_loaded_from_its_library_again_and_again() {
    let mut service = clerk(library());
    for _ in 0..5 {
        service.start().unwrap();
        check_adds(&service);
        assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
    }
}

#[test]
fn a_plugin_is_built_and_loaded_from_its_folder() {
    // Whoever builds first builds for both.
    library();
    let mut service = clerk(folder());
    service.start().unwrap();
    check_adds(&service);
    service.stop().unwrap();
}

#[test]
fn services_from_one_library_share_its_statics() {
    let mut services = [clerk(library()), clerk(library())];
    services.iter_mut().for_each(|service| service.start().unwrap());
    let sums = |service: &Service| {
        run(async {
            let sum = Client::to(&address(service, "add")).ask(value!({"numbers": []})).await.ok();
            match sum.get("sums") {
                Some(Value::Int(sums)) => *sums,
                other => panic!("{other:?}"),
            }
        })
    };
    // Other tests add, too.
    assert!(sums(&services[0]) < sums(&services[1]));
    services.iter_mut().for_each(|service| _ = service.stop().unwrap());
}

#[test]
fn tokio_works_in_the_handlers_of_a_plugin_that_keeps_a_runtime() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = i64::from(listener.local_addr().unwrap().port());
    let server = std::thread::spawn(move || {
        for _ in 0..10 {
            listener.accept().unwrap().0.write_all(b"hello").unwrap();
        }
    });
    let mut service = clerk(library());
    service.start().unwrap();
    run(async {
        let rest = std::rc::Rc::new(Client::to(&address(&service, "rest")));
        let dial = std::rc::Rc::new(Client::to(&address(&service, "dial")));
        let resting = (0..50).map(|_| {
            let rest = std::rc::Rc::clone(&rest);
            tokio::task::spawn_local(async move { rest.ask(value!({})).await.ok() })
        });
        let dialling = (0..10).map(|_| {
            let dial = std::rc::Rc::clone(&dial);
            tokio::task::spawn_local(async move {
                let heard = dial.ask(value!({"port": port})).await.ok();
                assert_eq!(heard, value!({"text": "hello", "thread": "plugin-tokio"}));
            })
        });
        let (resting, dialling): (Vec<_>, Vec<_>) = (resting.collect(), dialling.collect());
        for rested in resting {
            assert_eq!(rested.await.unwrap(), value!({}));
        }
        for dialled in dialling {
            dialled.await.unwrap();
        }
    });
    server.join().unwrap();
    assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
}

#[test]
fn requests_may_be_waited_for_in_the_runtime_of_a_plugin() {
    let mut next = clerk(library());
    next.start().unwrap();
    let options = options_beside(value!({}), &address(&next, "add").to_string());
    let mut first = Service::at(library(), options);
    first.start().unwrap();
    run(async {
        let client = std::rc::Rc::new(Client::to(&address(&first, "relay")));
        let asked: Vec<_> = (0..50_i64)
            .map(|number| {
                let client = std::rc::Rc::clone(&client);
                tokio::task::spawn_local(async move { client.ask(value!({"numbers": [number, 1]})).await })
            })
            .collect();
        for (number, asked) in (0..50).zip(asked) {
            assert_eq!(asked.await.unwrap().ok().get("sum"), Some(&Value::Int(number + 1)));
        }
    });
    assert_eq!(first.stop().unwrap().not_drained, Vec::<String>::new());
    next.stop().unwrap();
}

#[test]
fn a_panic_in_a_plugin_is_an_answer() {
    let mut service = clerk(library());
    service.start().unwrap();
    run(async {
        for connection in ["stumble", "stumble_later", "stumble"] {
            let (code, message) = Client::to(&address(&service, connection)).ask(value!({})).await.error();
            assert_eq!(code, "panicked");
            let place = "over a cable at crates/runtime/tests/plugins/clerk/src/lib.rs:";
            assert!(message.contains(place), "{message}");
        }
    });
    check_adds(&service);
    assert_eq!(counters(&service, "stumble").refused["panicked"], 2);
    service.stop().unwrap();
}

#[test]
fn records_of_a_plugin_are_logged_with_their_workflow() {
    let logs = tempfile::tempdir().unwrap();
    for (level, lines) in [(Level::Info, 1), (Level::Debug, 2), (Level::Off, 0)] {
        let log = logs.path().join(format!("{level:?}"));
        let options = Options { log_path: Some(log.clone()), file_level: level, ..options(value!({})) };
        let mut service = Service::at(library(), options);
        service.start().unwrap();
        run(async {
            Client::to(&address(&service, "add")).ask(value!({"numbers": [1, 2]})).await.ok();
        });
        service.stop().unwrap();
        let text = logged(&log);
        let of_clerk: Vec<_> =
            text.lines().filter(|line| line.split(" - ").nth(1) == Some("clerk")).collect();
        assert_eq!(of_clerk.len(), lines, "{text}");
        for line in of_clerk {
            assert_eq!(line.split(" - ").nth(2).map(str::trim), Some("w"), "{line}");
        }
        assert_eq!(text.contains("adding count=2"), lines > 0, "{text}");
    }
}

#[test]
fn tasks_of_a_plugin_log_to_the_service_that_began_them() {
    let logs = tempfile::tempdir().unwrap();
    let path = |name: &str| logs.path().join(name);
    let mut services = ["one", "two"].map(|name| {
        let options = Options { log_path: Some(path(name)), file_level: Level::Info, ..options(value!({})) };
        let mut service = Service::at(library(), options);
        service.start().unwrap();
        service
    });
    run(async {
        for (service, name) in services.iter().zip(["one", "two"]) {
            Client::to(&address(service, "delegate")).ask(value!({"text": name})).await.ok();
        }
    });
    services.iter_mut().for_each(|service| _ = service.stop().unwrap());
    for (name, other) in [("one", "two"), ("two", "one")] {
        let text = logged(&path(name));
        for by in ["task", "thread"] {
            assert_eq!(text.matches(&format!("{by} {name}")).count(), 1, "{text}");
            assert!(!text.contains(&format!("{by} {other}")), "{text}");
        }
    }
}

/// The other service of this program, which exports its symbol, too.
struct Other;

#[service]
impl Other {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        Ok(args)
    }
}

export!(Other);

#[test]
fn two_services_link_into_one_program() {
    let mut clerk = Service::of::<clerk::Clerk>(options(value!({})));
    let mut other = Service::of::<Other>(wired(value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}})));
    clerk.start().unwrap();
    other.start().unwrap();
    check_adds(&clerk);
    run(async {
        Client::to(&address(&other, "echo")).ask(value!({"a": 1})).await.ok();
        Client::to(&address(&clerk, "rest")).ask(value!({})).await.ok();
    });
    clerk.stop().unwrap();
    other.stop().unwrap();
}
