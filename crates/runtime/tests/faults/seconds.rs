//! For how long a service does without a peer that is killed, stopped, absent or cut off: measured, and held against what is promised.
#![cfg(target_os = "linux")]

use std::rc::Rc;
use std::time::Instant;

use service_framework::prelude::*;
use service_framework_runtime::Service;
use tokio::task::JoinSet;

use crate::asker::{Asker, Question, Told, socket};
use crate::half_open;
use crate::process::Process;
use crate::remote;
use crate::report::{self, SLACK, Times};
use crate::restarts::{listens_anew, number};
use crate::support::{Client, address, counters, run, until_async, wired};

/// Answers, or never does, in a process of its own.
struct Peer;

#[service]
impl Peer {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn answer(&self, args: Question, cx: &Context) -> Result<Empty> {
        if !args.is_answered {
            cx.stopping().await;
        }
        Ok(())
    }
}

service_framework::link!(Peer);

/// A service whose peer is another process, which comes and goes.
struct Scene {
    folder: tempfile::TempDir,
    service: Service,
    client: Client,
}

impl Scene {
    fn new(deadline: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let peer = value!({"address": (socket(folder.path())), "deadline_s": (deadline.as_secs_f64())});
        let mut service = Service::of::<Asker>(wired(value!({
            "in": {"ask": {"replyer": "127.0.0.1:0"}}, "out": {"peer": {"requester": peer}},
        })));
        service.start().unwrap();
        let client = Client::to(&address(&service, "ask"));
        Self { folder, service, client }
    }

    /// Starts the peer, and says when it began to listen.
    fn start(&self) -> (Process, Instant) {
        let file = self.folder.path().join("peer.sock");
        let before = number(&file);
        let process = Process::start(THIS, self.folder.path());
        (process, listens_anew(&file, before))
    }

    async fn ask(&self, is_answered: bool) -> Option<String> {
        self.client.ask(value!({"is_answered": is_answered})).await.model::<Told>().code
    }

    /// Asks again and again; gives how long it took until there was an answer.
    async fn until_answered(&self, since: Instant) -> Duration {
        while self.ask(true).await.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        since.elapsed()
    }

    async fn stop(self) {
        let Self { mut service, .. } = self;
        tokio::task::spawn_blocking(move || service.stop().unwrap()).await.unwrap();
    }
}

/// Kills the peer while it is asked, and starts another one.
fn killed(times: u32) -> [Times; 2] {
    const DEADLINE: Duration = Duration::from_secs(5);
    let mut failed = Times::new("a peer is killed while it is asked: until the call fails", DEADLINE + SLACK);
    let mut again =
        Times::new("another takes its place: from its listening to an answer", Duration::from_secs(1));
    run(async {
        let scene = Scene::new(DEADLINE);
        let (mut process, _) = scene.start();
        scene.until_answered(Instant::now()).await;
        for _ in 0..times {
            let sent = counters(&scene.service, "peer").messages_out;
            let (code, killed) = tokio::join!(scene.ask(false), async {
                until_async(|| counters(&scene.service, "peer").messages_out > sent).await;
                process.signal(libc::SIGKILL);
                Instant::now()
            });
            failed.add(killed.elapsed());
            assert_eq!(code.as_deref(), Some("disconnected"));
            let (next, since) = scene.start();
            process = next;
            again.add(scene.until_answered(since).await);
        }
        scene.stop().await;
    });
    [failed, again]
}

/// Stops the peer for half a minute, and lets it go on.
fn stopped() -> [Times; 3] {
    const DEADLINE: Duration = Duration::from_secs(1);
    let mut waited = Times::new("a peer is stopped for 30 s: until each call fails", DEADLINE + SLACK);
    let mut opened = Times::new("it is asked but now and then: after 5 failures", 5 * (DEADLINE + SLACK));
    let mut again = Times::new("it goes on: until it answers", Duration::from_secs(2));
    run(async {
        let scene = Scene::new(DEADLINE);
        let (process, since) = scene.start();
        scene.until_answered(since).await;
        process.stop();
        let (stopped, mut failures) = (Instant::now(), 0);
        while stopped.elapsed() < Duration::from_secs(30) {
            let asked = Instant::now();
            let code = scene.ask(true).await.expect("it is stopped");
            waited.add(asked.elapsed());
            match &*code {
                "unavailable" => {
                    if opened.is_empty() {
                        opened.add(stopped.elapsed());
                        assert!(failures <= 5, "{failures}");
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                _ => failures += 1,
            }
        }
        process.signal(libc::SIGCONT);
        again.add(scene.until_answered(Instant::now()).await);
        scene.stop().await;
    });
    [waited, opened, again]
}

/// Starts peers after ten seconds.
fn absent(times: u32) -> Times {
    let mut found = Times::new(
        "a peer that was absent for 10 s: from its listening to an answer",
        Duration::from_secs(1),
    );
    run(async {
        let scenes: Vec<_> = (0..times).map(|_| Rc::new(Scene::new(Duration::from_secs(5)))).collect();
        let mut asking = JoinSet::new();
        for scene in scenes.iter().map(Rc::clone) {
            asking.spawn_local(async move {
                let since = Instant::now();
                while since.elapsed() < Duration::from_secs(10) {
                    assert!(scene.ask(true).await.is_some(), "nobody is there");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        }
        asking.join_all().await;
        for scene in scenes {
            let (_process, since) = scene.start();
            found.add(scene.until_answered(since).await);
            Rc::into_inner(scene).expect("nobody else asks").stop().await;
        }
    });
    found
}

const THIS: &str = "seconds::each_fault_is_over_in_time";

#[test]
#[ignore = "takes minutes, and needs a machine that does nothing else"]
fn each_fault_is_over_in_time() {
    remote::be::<Peer>(|folder| value!({"in": {"answer": {"replyer": (socket(folder))}}}));
    let mut times: Vec<Times> = Vec::new();
    times.extend(killed(20));
    times.extend(stopped());
    times.push(absent(5));
    times.push(half_open::measure(5));
    report::write_times("faults", &times);
    let late: Vec<_> = times.iter().filter(|times| !times.are_kept()).collect();
    assert!(late.is_empty(), "{late:?}");
}
