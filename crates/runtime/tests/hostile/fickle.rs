//! Handlers that fail in every way: the caller is told, the next call works, and others are answered meanwhile.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};

use service_framework::prelude::*;
use service_framework_runtime::Service;

use crate::support::{Client, address, counters, risen, run, wired};
use crate::under_load::{REQUESTS_OF_ALL, under_load};

/// Fails as it is told to.
struct Fickle;

/// The calls of `never_blocking` that return after all.
static RELEASED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static RELEASE: Condvar = Condvar::new();

#[derive(Model)]
struct How {
    how: String,
}

/// A panic whose text panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a panic in a drop");
    }
}

fn fail(how: &str) -> Result<Value> {
    match how {
        "well" => Ok(value!({"fine": true})),
        "err" => Err(Error::msg("no such order")),
        "named" => Err(Error::named("sold_out", "come back tomorrow").with_data(value!({"left": 0}))),
        "as_framework" => Err(Error::new("busy", "somebody else is")),
        "io" => Err(std::fs::read("/nowhere/at/all").unwrap_err().into()),
        "panic" => panic!("boom {}", 7),
        "panic_any" => std::panic::panic_any(5_u8),
        "bomb" => std::panic::panic_any(Bomb),
        "index" => Ok(value!({"item": ([0_i64; 3][std::hint::black_box(5)])})),
        "not_on_the_wire" => Ok(value!({"number": (Value::Int(i128::MAX))})),
        "long" => Err(Error::msg("é".repeat(5_000))),
        other => Err(Error::msg(format!("what is {other}?"))),
    }
}

#[service]
impl Fickle {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn inline(&self, args: How) -> Result<Value> {
        fail(&args.how)
    }

    #[replyer]
    fn inline_mut(&mut self, args: How) -> Result<Value> {
        fail(&args.how)
    }

    #[replyer]
    async fn at_once(&self, args: How) -> Result<Value> {
        fail(&args.how)
    }

    #[replyer]
    async fn later(&self, args: How, cx: &Context) -> Result<Value> {
        cx.sleep(Duration::from_millis(1)).await;
        fail(&args.how)
    }

    #[replyer]
    async fn later_mut(&mut self, args: How, cx: &Context) -> Result<Value> {
        cx.sleep(Duration::from_millis(1)).await;
        fail(&args.how)
    }

    #[replyer(blocking)]
    fn blocking(&self, args: How) -> Result<Value> {
        fail(&args.how)
    }

    #[replyer(deadline_s = 0.2)]
    async fn never(&self) -> Result<Empty> {
        std::future::pending().await
    }

    #[replyer(deadline_s = 0.2)]
    async fn never_mut(&mut self) -> Result<Empty> {
        std::future::pending().await
    }

    #[replyer(blocking, deadline_s = 0.2)]
    fn never_blocking(&self, args: How) -> Result<Empty> {
        let released = RELEASED.lock().unwrap();
        drop(RELEASE.wait_while(released, |released| !released.contains(&args.how)).unwrap());
        Ok(())
    }

    #[replyer]
    fn good(&self, args: Value) -> Result<Value> {
        Ok(args)
    }
}

service_framework::link!(Fickle);

const FAILING: [&str; 6] = ["inline", "inline_mut", "at_once", "later", "later_mut", "blocking"];
const STUCK: [&str; 3] = ["never", "never_mut", "never_blocking"];

/// Each way to fail, with the code and a part of the message that the caller is told.
const WAYS: [(&str, &str, &str); 10] = [
    ("err", "failed", "no such order"),
    ("named", "service-framework-runtime.sold_out", "come back tomorrow"),
    ("as_framework", "failed", "busy: somebody else is"),
    ("io", "failed", "No such file"),
    ("panic", "panicked", "boom 7 at crates/runtime/tests/hostile/fickle.rs:"),
    ("panic_any", "panicked", "a panic without a text"),
    ("bomb", "panicked", "a panic without a text"),
    ("index", "panicked", "index out of bounds"),
    ("not_on_the_wire", "bad_return", "return_args: expected an integer"),
    ("long", "failed", "éé"),
];

fn release(call: &str) {
    RELEASED.lock().unwrap().insert(call.to_owned());
    RELEASE.notify_all();
}

fn fickle() -> Service {
    let entry = |name: &str| (Value::from(name), value!({"replyer": "127.0.0.1:0"}));
    let book: Map = FAILING.iter().chain(&STUCK).chain(&["good"]).map(|name| entry(name)).collect();
    let mut service = Service::of::<Fickle>(wired(value!({"in": (Value::Map(book))})));
    service.start().unwrap();
    service
}

/// Has a handler fail in each way, and asks it each time for something that it does well.
async fn fail_in_each_way(service: &Service, connection: &str) {
    let client = Client::to(&address(service, connection));
    for (how, code, told) in WAYS {
        let before = counters(service, connection);
        let (found, message) = client.ask(value!({"how": how})).await.error();
        assert_eq!(found, code, "{connection} {how}: {message}");
        assert!(message.contains(told), "{connection} {how}: {message}");
        assert!(message.len() <= 1024);
        let reason = if code.contains('.') { "failed" } else { code };
        let rise = risen(&before, &counters(service, connection));
        assert_eq!(rise, [(reason.to_owned(), 1)].into(), "{connection} {how}");
        let fine = client.ask(value!({"how": "well"})).await.ok();
        assert_eq!(fine, value!({"fine": true}), "{connection} after {how}");
    }
    client.close().await;
}

#[test]
fn a_handler_that_fails_or_panics_says_so_and_the_next_call_works() {
    let mut service = fickle();
    run(async {
        for connection in FAILING {
            fail_in_each_way(&service, connection).await;
        }
    });
    service.stop().unwrap();
}

#[test]
fn handlers_that_fail_panic_or_never_return_keep_nobody_else_waiting() {
    let mut service = fickle();
    let calls = Cell::new(0);
    under_load("good", &service, async || {
        for connection in FAILING {
            fail_in_each_way(&service, connection).await;
        }
        for connection in STUCK {
            let call = format!("under load {}", calls.replace(calls.get() + 1));
            let client = Client::to(&address(&service, connection));
            let args = if connection == "never_blocking" { value!({"how": (&*call)}) } else { value!({}) };
            assert_eq!(client.ask(args).await.code(), "deadline", "{connection}");
            // Whoever is to have the service alone would wait for it for ever, and all others behind.
            release(&call);
            client.close().await;
        }
    });
    let counted = counters(&service, "good");
    assert_eq!((counted.handler.count, counted.refused), (REQUESTS_OF_ALL, [].into()));
    assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
}

#[test]
fn a_handler_that_never_returns_is_answered_at_its_deadline() {
    let mut service = fickle();
    run(async {
        for connection in ["never", "never_mut", "never", "never_mut"] {
            let client = Client::to(&address(&service, connection));
            assert_eq!(client.ask(value!({})).await.code(), "deadline", "{connection}");
            let fine = Client::to(&address(&service, "later_mut")).ask(value!({"how": "well"})).await.ok();
            assert_eq!(fine, value!({"fine": true}), "others go on after {connection}");
        }
        let client = Client::to(&address(&service, "never_blocking"));
        assert_eq!(client.ask(value!({"how": "alone"})).await.code(), "deadline");
        // Its thread still has the service lent, so that only those who share it go on.
        for connection in ["inline", "later", "blocking"] {
            let fine = Client::to(&address(&service, connection)).ask(value!({"how": "well"})).await.ok();
            assert_eq!(fine, value!({"fine": true}), "{connection}");
        }
        assert_eq!(counters(&service, "never_blocking").refused["deadline"], 1);
        assert_eq!(counters(&service, "never").refused["deadline"], 2);
    });
    release("alone");
    // Stopping waits for the thread to give back what it held.
    assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
}
