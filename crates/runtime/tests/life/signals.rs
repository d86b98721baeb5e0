//! A service in a process of its own, which the system stops while it works.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use service_framework::prelude::*;
use service_framework_core::address::Address;
use service_framework_runtime::{Options, Service};

use crate::ledger::{Handlers, Ledger};
use crate::process::{self, Process};
use crate::support::{Answer, Client, request, run, until, until_async, wired};

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
        Ok(process::note(&self.folder, text)?)
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
fn be_noting(folder: &str) -> ! {
    let book = value!({
        "in": {"at_once": {"replyer": "127.0.0.1:0"}, "later": {"replyer": "127.0.0.1:0"}},
        "settings": {"drain_s": 60},
    });
    let options = Options {
        config: value!({"folder": folder}).into(),
        ready: Some(Path::new(folder).join("ready")),
        ..wired(book)
    };
    process::run_to_exit(&mut Service::of::<Noting>(options))
}

/// The process, and where it answers.
fn start(folder: &Path) -> (Process, Address, Address) {
    let process = Process::start("signals::sigterm_under_load_loses_nothing", folder);
    let ready = folder.join("ready");
    until("the service is ready", || ready.exists());
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(ready).unwrap()).unwrap();
    let at = |name: &str| ready["endpoints"][name].as_str().unwrap().parse().unwrap();
    (process, at("at_once"), at("later"))
}

#[derive(Debug, Default)]
struct Load {
    /// How many requests were numbered.
    sent: Cell<i64>,
    ledgers: [Ledger; 8],
    has_stopped: Cell<bool>,
}

impl Load {
    fn sum(&self, of: impl Fn(&Ledger) -> u64) -> u64 {
        self.ledgers.iter().map(of).sum()
    }
}

/// Sends 250 requests a second, and keeps a ledger of them.
async fn put_under(load: Rc<Load>, number: usize, at: Address) {
    let client = Rc::new(Client::to(&at));
    let mut asked = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(4));
    while !load.has_stopped.get() {
        ticks.tick().await;
        load.sent.set(load.sent.get() + 1);
        let (client, sent, load) = (Rc::clone(&client), load.sent.get(), Rc::clone(&load));
        asked.push(tokio::task::spawn_local(async move {
            let ledger = &load.ledgers[number];
            let call = ledger.send();
            let reply = client.send(request(&value!({"number": sent}))).await;
            if let Some(value) = ledger.end(call, reply.map(|reply| Answer::read(&reply))) {
                assert_eq!(value, value!({"number": sent}));
            }
        }));
    }
    client.is_alone().await;
    client.close().await;
    for asked in asked {
        asked.await.unwrap();
    }
}

#[test]
fn sigterm_under_load_loses_nothing() {
    if let Some(folder) = process::folder() {
        be_noting(&folder);
    }
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let (mut process, at_once, later) = start(folder.path());
        let load = Rc::new(Load::default());
        let status = run(async {
            let clients: Vec<_> = (0..8)
                .map(|client| (client, Handlers::of(client).choose(&at_once, &later)))
                .map(|(client, at)| tokio::task::spawn_local(put_under(Rc::clone(&load), client, at.clone())))
                .collect();
            until_async(|| load.sum(Ledger::answered) >= 300).await;
            process.signal(libc::SIGTERM);
            let status = tokio::task::spawn_blocking(move || process.wait()).await.unwrap();
            load.has_stopped.set(true);
            for client in clients {
                client.await.unwrap();
            }
            status
        });
        assert_eq!(status.code(), Some(0), "round {round}");
        // What was run was answered, and nothing that was refused or lost was run.
        let mut notes = process::notes(folder.path());
        assert_eq!(notes.iter().filter(|note| *note == "on_sigterm").count(), 1);
        notes.retain(|note| note != "on_sigterm");
        load.ledgers.iter().for_each(Ledger::check);
        assert_eq!(notes.len() as u64, load.sum(Ledger::answered), "round {round}: {load:?}");
        let runs = notes.len();
        notes.sort();
        notes.dedup();
        assert_eq!(notes.len(), runs, "nothing was run twice in round {round}");
    }
}

#[test]
fn sigint_calls_its_own_hook_and_drains() {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, at_once, _) = start(folder.path());
    run(async {
        Client::to(&at_once).ask(value!({"number": 1})).await.ok();
    });
    process.signal(libc::SIGINT);
    assert_eq!(process.wait().code(), Some(0));
    assert_eq!(process::notes(folder.path()), ["at once 1", "on_sigint"]);
}

/// Has an `init` that takes its time, each in its way.
struct Beginning {
    at: At,
    how: &'static str,
}

#[service]
impl Beginning {
    fn new(at: At) -> Result<Self> {
        let how = HOW.into_iter().find(|how| at.folder.ends_with(how)).expect("the folder says how");
        Ok(Self { at, how })
    }

    async fn init(&self, cx: &Context) -> Result<()> {
        process::note(&self.at.folder, "init")?;
        match self.how {
            "ends" => cx.stopping().await,
            "waits" => std::future::pending().await,
            _ => std::thread::sleep(Duration::from_secs(3600)),
        }
        Ok(())
    }

    fn on_sigterm(&self) -> Result<()> {
        Ok(process::note(&self.at.folder, "on_sigterm")?)
    }
}

service_framework::link!(Beginning);

const HOW: [&str; 3] = ["ends", "waits", "holds"];

#[test]
fn a_signal_during_init_ends_the_process() {
    if let Some(folder) = process::folder() {
        let options = Options {
            config: value!({"folder": (folder.as_str())}).into(),
            ..wired(value!({"settings": {"drain_s": 0.3}}))
        };
        process::run_to_exit(&mut Service::of::<Beginning>(options));
    }
    for (how, code, noted) in [
        ("ends", 0, &["init", "on_sigterm"][..]),
        ("waits", 75, &["init", "on_sigterm"]),
        ("holds", 75, &["init"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join(how);
        std::fs::create_dir(&folder).unwrap();
        let mut process = Process::start("signals::a_signal_during_init_ends_the_process", &folder);
        until("it has begun", || !process::notes(&folder).is_empty());
        process.signal(libc::SIGTERM);
        assert_eq!(process.wait().code(), Some(code), "{how}");
        assert_eq!(process::notes(&folder), noted, "{how}");
    }
}
