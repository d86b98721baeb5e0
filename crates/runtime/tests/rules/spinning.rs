//! A service that looks for the next message before it sleeps.
#![cfg(target_os = "linux")]

use service_framework::prelude::*;
use service_framework_runtime::Service;

use crate::support::{Client, address, run, until, wired};

#[derive(Model)]
struct Thread {
    path: String,
}

/// Says which thread it runs on.
struct Whereabouts;

#[service]
impl Whereabouts {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn thread(&self) -> Result<Thread> {
        let path = std::fs::read_link("/proc/thread-self")?;
        Ok(Thread { path: path.to_string_lossy().into_owned() })
    }
}

service_framework::link!(Whereabouts);

fn started() -> Service {
    let book =
        value!({"in": {"thread": {"replyer": "127.0.0.1:0"}}, "out": {}, "settings": {"spin_us": 2_000}});
    let mut service = Service::of::<Whereabouts>(wired(book));
    service.start().unwrap();
    service
}

async fn ask(service: &Service) -> String {
    let client = Client::to(&address(service, "thread"));
    let mut thread = String::new();
    // Each is answered while it spins for the next, or when it sleeps again.
    for _ in 0..100 {
        let answer = client.ask(value!({})).await.ok();
        thread = answer.get("path").and_then(Value::as_text).unwrap().to_owned();
    }
    thread
}

/// How often a thread has gone to sleep.
fn sleeps(thread: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn it_answers_and_sleeps_in_the_end_beside_another() {
    let services = [started(), started()];
    let threads = run(async { tokio::join!(ask(&services[0]), ask(&services[1])) });
    for thread in [threads.0, threads.1] {
        let before = sleeps(&thread);
        let is_asleep = || std::fs::read_to_string(format!("/proc/{thread}/stat")).unwrap().contains(") S ");
        until("it sleeps", || sleeps(&thread) > before || is_asleep());
    }
}
