//! A service in a process of its own, which the system stops while it works.

use std::cell::Cell;
use std::path::Path;
use std::process::{Child, Command};
use std::rc::Rc;
use std::time::Duration;

use service_framework::prelude::*;
use service_framework_connections::CallError;
use service_framework_core::address::Address;
use service_framework_runtime::{Options, Service};

use crate::support::{Answer, Client, request, run, until, wired};

/// Where the process that is the service finds its folder.
const FOLDER: &str = "SERVICE_FRAMEWORK_TEST_FOLDER";

/// Notes what it runs in a file for each connection.
struct Noting {
    folder: String,
}

#[derive(Model)]
struct At {
    folder: String,
}

#[derive(Model)]
struct Numbered {
    number: u64,
}

impl Noting {
    fn note(&self, text: &str) -> Result<()> {
        use std::io::Write;
        let path = Path::new(&self.folder).join("notes");
        Ok(writeln!(std::fs::OpenOptions::new().create(true).append(true).open(path)?, "{text}")?)
    }
}

#[service]
impl Noting {
    fn new(config: At) -> Result<Self> {
        Ok(Self { folder: config.folder })
    }

    #[replyer]
    fn at_once(&self, args: Numbered) -> Result<Numbered> {
        self.note(&format!("at once {}", args.number))?;
        Ok(args)
    }

    #[replyer]
    async fn later(&self, args: Numbered, cx: &Context) -> Result<Numbered> {
        self.note(&format!("later {}", args.number))?;
        cx.sleep(Duration::from_millis(3)).await;
        Ok(args)
    }

    async fn on_sigterm(&self, cx: &Context) -> Result<()> {
        cx.sleep(Duration::from_millis(1)).await;
        self.note("on_sigterm")
    }

    fn on_sigint(&self) -> Result<()> {
        self.note("on_sigint")
    }
}

service_framework::link!(Noting);

/// Runs the service, in the process that was started for it.
fn be_the_service(folder: &str) -> ! {
    let book = value!({"in": {"at_once": {"replyer": "127.0.0.1:0"}, "later": {"replyer": "127.0.0.1:0"}}});
    let options = Options {
        config: value!({"folder": folder}).into(),
        ready: Some(Path::new(folder).join("ready")),
        ..wired(book)
    };
    let ended = Service::of::<Noting>(options).run().unwrap();
    std::process::exit(if ended.not_drained.is_empty() { 0 } else { 75 })
}

/// The process, and where it answers.
fn start(folder: &Path) -> (Child, Address, Address) {
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let test = "signals::sigterm_under_load_loses_nothing";
    let child = alone.args(["--exact", test, "--nocapture"]).env(FOLDER, folder).spawn().unwrap();
    let ready = folder.join("ready");
    until("the service is ready", || ready.exists());
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(ready).unwrap()).unwrap();
    let at = |name: &str| ready["endpoints"][name].as_str().unwrap().parse().unwrap();
    (child, at("at_once"), at("later"))
}

fn notes(folder: &Path) -> Vec<String> {
    let notes = std::fs::read_to_string(folder.join("notes")).unwrap_or_default();
    notes.lines().map(str::to_owned).collect()
}

#[expect(unsafe_code, reason = "a signal is sent by the system's own call")]
fn signal(child: &Child, signal: i32) {
    // SAFETY: it takes two numbers and touches no memory; the child is not reaped before `wait`.
    assert_eq!(unsafe { libc::kill(child.id().cast_signed(), signal) }, 0);
}

#[derive(Debug, Default)]
struct Counts {
    sent: Cell<i64>,
    answered: Cell<u64>,
    lost: Cell<u64>,
    has_stopped: Cell<bool>,
}

/// Sends 250 requests a second, and counts those that were answered.
async fn load(at: Address, counts: Rc<Counts>) {
    let client = Rc::new(Client::to(&at));
    let mut asked = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(4));
    while !counts.has_stopped.get() {
        ticks.tick().await;
        counts.sent.set(counts.sent.get() + 1);
        let (client, sent, counts) = (Rc::clone(&client), counts.sent.get(), Rc::clone(&counts));
        asked.push(tokio::task::spawn_local(async move {
            let reply = match client.send(request(&value!({"number": sent}))).await {
                Ok(reply) => reply,
                // It was on its way when the connection ended, which its caller is told.
                Err(CallError::PeerLost) => return counts.lost.set(counts.lost.get() + 1),
                // It never left.
                Err(error) => {
                    return assert!(matches!(error, CallError::Closed | CallError::NotConnected), "{error}");
                }
            };
            match Answer::read(&reply).outcome {
                Ok(value) => {
                    assert_eq!(value, value!({"number": sent}));
                    counts.answered.set(counts.answered.get() + 1);
                }
                Err((code, message)) => assert_eq!(code, "stopping", "{message}"),
            }
        }));
    }
    client.close().await;
    for asked in asked {
        asked.await.unwrap();
    }
}

#[test]
fn sigterm_under_load_loses_nothing() {
    if let Ok(folder) = std::env::var(FOLDER) {
        be_the_service(&folder);
    }
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, at_once, later) = start(folder.path());
        let counts = Rc::new(Counts::default());
        let status = run(async {
            let clients: Vec<_> = (0..8)
                .map(|client| if client % 2 == 0 { &at_once } else { &later })
                .map(|at| tokio::task::spawn_local(load(at.clone(), Rc::clone(&counts))))
                .collect();
            while counts.answered.get() < 300 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            signal(&child, libc::SIGTERM);
            let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
            counts.has_stopped.set(true);
            for client in clients {
                client.await.unwrap();
            }
            status
        });
        assert_eq!(status.code(), Some(0), "round {round}");
        // What was run was answered, and nothing that was refused was run. What the end of a connection took along is
        // known to be lost.
        let mut notes = notes(folder.path());
        assert_eq!(notes.iter().filter(|note| *note == "on_sigterm").count(), 1);
        notes.retain(|note| note != "on_sigterm");
        let (answered, lost) = (counts.answered.get(), counts.lost.get());
        assert!(
            (answered..=answered + lost).contains(&(notes.len() as u64)),
            "round {round}: {} runs, {counts:?}",
            notes.len()
        );
        let runs = notes.len();
        notes.sort();
        notes.dedup();
        assert_eq!(notes.len(), runs, "nothing was run twice in round {round}");
    }
}

#[test]
fn sigint_calls_its_own_hook_and_drains() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, at_once, _) = start(folder.path());
    run(async {
        Client::to(&at_once).ask(value!({"number": 1})).await.ok();
    });
    signal(&child, libc::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(notes(folder.path()), ["at once 1", "on_sigint"]);
}
