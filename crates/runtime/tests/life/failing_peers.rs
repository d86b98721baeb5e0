//! A service whose peer is killed, stopped or not there yet: its calls end in time, and it is served again without a restart.

use std::path::Path;

use service_framework::prelude::*;
use service_framework_runtime::Service;

use crate::asker::{Asker, Question, Told, socket};
use crate::process::{self, Process};
use crate::support::{Client, address, run, until, wired};

/// Answers, or never does, in a process of its own.
struct Peer {
    folder: String,
}

#[derive(Model)]
struct Folder {
    folder: String,
}

#[service]
impl Peer {
    fn new(config: Folder) -> Result<Self> {
        Ok(Self { folder: config.folder })
    }

    #[replyer]
    async fn answer(&self, args: Question, cx: &Context) -> Result<Empty> {
        process::note(&self.folder, "asked")?;
        if !args.is_answered {
            cx.stopping().await;
        }
        Ok(())
    }
}

service_framework::link!(Peer);

/// Is the peer, if this process was started to be it.
fn be_the_peer() {
    let Some(folder) = process::folder() else { return };
    let book = value!({"in": {"answer": {"replyer": (socket(Path::new(&folder)))}}, "out": {}});
    let config = value!({"folder": (folder)}).into();
    let mut service = Service::of::<Peer>(service_framework_runtime::Options { config, ..wired(book) });
    process::run_to_exit(&mut service);
}

/// Asks `peer` of a folder, with so long for each answer.
struct Scene {
    folder: tempfile::TempDir,
    service: Service,
}

impl Scene {
    fn new(deadline_s: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = socket(folder.path());
        let book = value!({
            "in": {"ask": {"replyer": "127.0.0.1:0"}},
            "out": {"peer": {"requester": {"address": at, "deadline_s": deadline_s, "breaker_pause_s": 0.1}}},
        });
        let mut service = Service::of::<Asker>(wired(book));
        service.start().unwrap();
        Self { folder, service }
    }

    fn peer(&self, test: &str) -> Process {
        Process::start(test, self.folder.path())
    }

    /// The code of what went wrong, if anything did.
    fn ask(&self, is_answered: bool) -> Option<String> {
        let asked = async {
            let client = Client::to(&address(&self.service, "ask"));
            client.ask(value!({"is_answered": is_answered})).await
        };
        run(asked).model::<Told>().code
    }

    fn until_answered(&self) {
        until("it is answered", || self.ask(true).is_none());
    }
}

#[test]
fn a_peer_that_is_killed_fails_its_call_and_is_found_again() {
    const THIS: &str = "failing_peers::a_peer_that_is_killed_fails_its_call_and_is_found_again";
    be_the_peer();
    let scene = Scene::new(3_600.0);
    let first = scene.peer(THIS);
    let code = std::thread::scope(|scope| {
        let asked = scope.spawn(|| scene.ask(false));
        until("it is asked", || !process::notes(scene.folder.path()).is_empty());
        first.signal(libc::SIGKILL);
        asked.join().unwrap()
    });
    assert_eq!(code.as_deref(), Some("disconnected"));
    let _second = scene.peer(THIS);
    scene.until_answered();
}

#[test]
fn a_peer_that_is_stopped_costs_no_more_than_its_deadlines_and_is_asked_again_when_it_goes_on() {
    const THIS: &str = "failing_peers::a_peer_that_is_stopped_costs_no_more_than_its_deadlines_and_is_asked_again_when_it_goes_on";
    be_the_peer();
    let scene = Scene::new(1.0);
    let peer = scene.peer(THIS);
    scene.until_answered();
    peer.stop();
    let codes: Vec<_> = (0..5).map(|_| scene.ask(true)).collect();
    assert_eq!(codes, vec![Some("deadline".to_owned()); 5]);
    until("it is given up for now", || scene.ask(true).as_deref() == Some("unavailable"));
    peer.signal(libc::SIGCONT);
    scene.until_answered();
}

#[test]
fn a_peer_that_comes_late_is_found() {
    const THIS: &str = "failing_peers::a_peer_that_comes_late_is_found";
    be_the_peer();
    let scene = Scene::new(0.05);
    until("it is given up for now", || scene.ask(true).as_deref() == Some("unavailable"));
    let _peer = scene.peer(THIS);
    scene.until_answered();
}
