//! A service object: started, asked, stopped, started again, dropped.

use service_framework::prelude::*;
use service_framework_runtime::{Error as ServiceError, Mode, Service};

use crate::support::{Client, HeldPort, address, counters, run, until, wired};

/// Answers, and waits a little.
struct Echo;

#[service]
impl Echo {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        Ok(args)
    }

    #[replyer]
    async fn later(&self, args: Value, cx: &Context) -> Result<Value> {
        cx.sleep(Duration::from_millis(20)).await;
        Ok(args)
    }

    #[replyer(blocking)]
    fn blocking(&self, args: Value) -> Result<Value> {
        Ok(args)
    }
}

service_framework::link!(Echo);

fn echo_at(at: &str) -> Service {
    let any = "127.0.0.1:0";
    let book = value!({"in": {
        "echo": {"replyer": at}, "later": {"replyer": any}, "blocking": {"replyer": any},
    }});
    Service::of::<Echo>(wired(book))
}

/// Threads and open files of this process.
#[cfg(target_os = "linux")]
fn held() -> (usize, usize) {
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    (count("task"), count("fd"))
}

fn ask_all(service: &Service) {
    run(async {
        for connection in ["echo", "later", "blocking"] {
            let client = Client::to(&address(service, connection));
            assert_eq!(client.ask(value!({"a": 1})).await.ok(), value!({"a": 1}));
            client.close().await;
        }
    });
}

#[test]
fn a_service_starts_again_at_the_same_port() {
    let port = HeldPort::new();
    let mut service = echo_at(&port.address());
    for round in 1..=20 {
        service.start().unwrap();
        assert!(service.is_running());
        assert_eq!(address(&service, "echo").to_string(), port.address());
        ask_all(&service);
        assert_eq!(counters(&service, "echo").messages_in, 1, "counters begin anew in round {round}");
        assert_eq!(service.stop().unwrap().not_drained, Vec::<String>::new());
        assert!(service.endpoints().is_empty());
        assert_eq!(counters(&service, "echo").messages_out, 1, "and stay readable");
    }
}

#[test]
fn starting_twice_is_refused_and_harms_nothing() {
    let mut service = echo_at("127.0.0.1:0");
    service.start().unwrap();
    let error = service.start().unwrap_err();
    assert!(matches!(error, ServiceError::Running { .. }), "{error:?}");
    assert_eq!(error.to_string(), "service `service-framework-runtime` is running already: stop it first");
    ask_all(&service);
    service.stop().unwrap();
    service.stop().unwrap();
    service.wait().unwrap();
}

#[test]
fn dropping_a_service_stops_it() {
    let port = HeldPort::new();
    let mut service = echo_at(&port.address());
    service.start().unwrap();
    drop(service);
    let mut next = echo_at(&port.address());
    next.start().unwrap();
    ask_all(&next);
}

#[test]
fn fifty_services_live_in_one_process() {
    let mut services: Vec<_> = (0..50).map(|_| echo_at("127.0.0.1:0")).collect();
    for service in &mut services {
        service.start().unwrap();
    }
    run(async {
        for service in &services {
            let client = Client::to(&address(service, "echo"));
            for _ in 0..10 {
                client.ask(value!({"a": 1})).await.ok();
            }
        }
    });
    for service in &mut services {
        assert_eq!(counters(service, "echo").messages_in, 10);
        service.stop().unwrap();
    }
}

#[test]
fn services_of_one_process_may_be_held_by_any_thread() {
    let mut service = echo_at("127.0.0.1:0");
    service.start().unwrap();
    let service = std::thread::spawn(move || {
        ask_all(&service);
        service
    });
    let mut service = service.join().unwrap();
    std::thread::spawn(move || service.stop().unwrap()).join().unwrap();
}

#[test]
fn another_thread_stops_a_service_that_is_waited_for() {
    let mut service = echo_at("127.0.0.1:0");
    let stopper = service.stopper();
    // It does not run yet, so that there is nothing to be stopped.
    stopper.stop();
    for _ in 0..2 {
        service.start().unwrap();
        ask_all(&service);
        let stopper = stopper.clone();
        let stopping = std::thread::spawn(move || stopper.stop());
        assert_eq!(service.wait().unwrap().not_drained, Vec::<String>::new());
        stopping.join().unwrap();
    }
}

const PEER: Requester<Value, Value> = Requester::new("peer").deadline_s(60.0);

/// Asks its peer.
struct Asker;

#[service(uses(PEER))]
impl Asker {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn ask(&self, args: Value, cx: &Context) -> Result<Value> {
        cx.request(&PEER, &args).await
    }
}

service_framework::link!(Asker);

#[test]
fn a_requester_finds_its_peer_again_however_often_that_restarts() {
    let port = HeldPort::new();
    // It is there before its peer is.
    let book =
        value!({"in": {"ask": {"replyer": "127.0.0.1:0"}}, "out": {"peer": {"requester": (port.address())}}});
    let mut asker = Service::of::<Asker>(wired(book));
    asker.start().unwrap();
    let mut peer = echo_at(&port.address());
    run(async {
        let client = Client::to(&address(&asker, "ask"));
        for round in 0..5_i64 {
            let asking = client.ask(value!({"round": round}));
            let starting = async { peer.start().unwrap() };
            assert_eq!(tokio::join!(asking, starting).0.ok(), value!({"round": round}));
            for _ in 0..50 {
                assert_eq!(client.ask(value!({"round": round})).await.ok(), value!({"round": round}));
            }
            peer.stop().unwrap();
        }
    });
    asker.stop().unwrap();
}

#[test]
fn handler_times_are_told() {
    let mut service = echo_at("127.0.0.1:0");
    service.start().unwrap();
    run(async {
        let client = Client::to(&address(&service, "later"));
        for _ in 0..20 {
            client.ask(value!({})).await.ok();
        }
    });
    let handler = counters(&service, "later").handler;
    assert_eq!(handler.count, 20);
    // Two digits of a histogram are exact.
    let least = Duration::from_millis(19);
    assert!(handler.p50 >= least && handler.p99 >= handler.p50, "{handler:?}");
    let json: serde_json::Value = serde_json::from_str(&service.counters().to_json()).unwrap();
    assert_eq!(json["counters"]["later"]["handled"], 20);
    assert!(json["counters"]["later"]["handler_p50_us"].as_u64().unwrap() >= 19_000);
    assert_eq!(json["counters"]["echo"]["messages_in"], 0);
    service.stop().unwrap();
}

#[test]
fn a_check_opens_nothing() {
    let mut service = echo_at("127.0.0.1:0");
    service.start().unwrap();
    let taken = address(&service, "echo").to_string();
    let plan = echo_at(&taken).check(Mode::Loop).unwrap();
    assert_eq!(plan.declaration.connections.len(), 3);
    service.stop().unwrap();
}

/// Counts what starting and stopping leaves behind, alone in a process: other tests open files, too.
#[test]
#[cfg(target_os = "linux")]
fn nothing_is_left_when_a_service_has_stopped() {
    const ALONE: &str = "SERVICE_FRAMEWORK_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "again::nothing_is_left_when_a_service_has_stopped";
        let output = alone.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let mut service = echo_at("127.0.0.1:0");
    let mut round = || {
        service.start().unwrap();
        ask_all(&service);
        service.stop().unwrap();
    };
    round();
    until("the first round is over", || {
        std::thread::yield_now();
        held().0 <= 3
    });
    let before = held();
    (0..30).for_each(|_| round());
    // Threads end a little after they were told to.
    until("nothing is left", || held() <= before);
}
