//! `cargo xtask demo`: this machine, watched by five services in five processes.

mod books;
mod child;
mod tied;

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::step::step;
use crate::workspace::{self, Workspace};
use books::Books;
use child::Child;

pub(crate) use tied::Tied;

/// A service of the demo.
#[derive(Debug)]
struct Part {
    service: &'static str,
    /// What it does here, for people.
    does: &'static str,
    /// Whether it starts work of its own.
    is_leading: bool,
}

/// The services, each after those it needs.
const PARTS: [Part; 5] = [
    Part { service: "notifier", does: "appends notices to a file", is_leading: false },
    Part { service: "host_probe", does: "reads this machine, publishes", is_leading: true },
    Part { service: "host_board", does: "keeps what is published", is_leading: false },
    Part { service: "host_alarm", does: "has a notice sent at a limit", is_leading: false },
    Part { service: "ask", does: "asks the board, prints it", is_leading: true },
];

/// How the demo is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Ends after that many seconds; without it on Ctrl+C, or after 10 where there is no terminal.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// Listens on ports that are free, instead of those in `addresses/`.
    #[arg(long)]
    any_ports: bool,
}

/// Runs a short demo beside whatever else runs on this machine, and checks what it shows.
pub(crate) fn check() -> anyhow::Result<()> {
    let mut demo = Command::new(tied::this_program()?);
    let output = demo.args(["demo", "--any-ports", "--seconds", "5"]).stderr(Stdio::inherit()).output()?;
    let shown = String::from_utf8_lossy(&output.stdout);
    print!("{shown}");
    if !output.status.success() {
        bail!("the demo ended with {}", output.status);
    }
    for due in ["cpu used_percent", "memory used_percent", "5 of 5 services stopped cleanly"] {
        if !shown.contains(due) {
            bail!("the demo does not show `{due}`");
        }
    }
    Ok(())
}

/// Builds everything and runs the services until the time is over, Ctrl+C, or one of them dies.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    step("build", || build(workspace))?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot watch for signals")?;
    }
    let is_live = std::io::stdout().is_terminal();
    let limit = options.seconds.or((!is_live).then_some(10)).map(Duration::from_secs);
    let mut demo = Demo::new(workspace, options)?;
    let watched = demo.start(&stop).and_then(|()| demo.watch(limit, &stop));
    let stopped = demo.stop();
    if is_live {
        println!();
    }
    demo.sum_up();
    watched.and(stopped)
}

/// Builds the command and the services.
fn build(workspace: &Workspace) -> anyhow::Result<()> {
    // Not optimised: that is built in a fraction of the time, and is fast enough by far.
    let mut command = workspace.cargo_command();
    command.args(["build", "--package", "service-framework-cli"]);
    workspace::run(command.args(PARTS.iter().flat_map(|part| ["--package", part.service])))
}

/// The services that run.
#[derive(Debug)]
struct Demo {
    /// Where logs and notices are written.
    folder: PathBuf,
    /// Where the command and the plugins were built.
    built: PathBuf,
    root: PathBuf,
    books: Books,
    children: Vec<Child>,
}

impl Demo {
    fn new(workspace: &Workspace, options: &Options) -> anyhow::Result<Self> {
        let folder = workspace.target.join("demo");
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&folder),
        }
        .with_context(|| format!("cannot make {} anew", folder.display()))?;
        let addresses = workspace.root.join("addresses");
        let books = if options.any_ports {
            Books::on_free_ports(addresses, folder.clone())
        } else {
            Books::as_they_are(addresses)
        };
        let built = workspace.target.join("debug");
        Ok(Self { folder, built, root: workspace.root.clone(), books, children: Vec::new() })
    }

    /// Starts one service after the other, each when the one before is ready.
    fn start(&mut self, stop: &AtomicBool) -> anyhow::Result<()> {
        for Part { service, .. } in &PARTS {
            self.books.check(service)?;
        }
        for part in &PARTS {
            let mut child = self.spawn(part)?;
            let ready = child.ready(stop);
            self.children.push(child);
            let Some(ready) = ready? else { return Ok(()) };
            let shown = ready.endpoints.iter().map(|(name, endpoint)| format!("{name} {endpoint}"));
            let shown = shown.collect::<Vec<_>>().join(", ");
            println!("    {:10}  {:29}  process {}, {shown}", part.service, part.does, ready.pid);
            self.books.learn(part.service, &ready.endpoints)?;
        }
        Ok(())
    }

    fn spawn(&self, part: &Part) -> anyhow::Result<Child> {
        let service = part.service;
        let command = self.built.join(format!("service_framework{}", std::env::consts::EXE_SUFFIX));
        let plugin = format!("{}{service}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let mut tied = tied::command(&command)?;
        tied.current_dir(&self.root).arg("-s").arg(self.built.join(plugin));
        tied.arg("-a").arg(self.books.path(service)?);
        tied.arg("-c").arg(self.root.join("configs").join(format!("{service}.json")));
        if part.is_leading {
            tied.arg("-m");
        }
        if service == "notifier" {
            tied.arg("--file").arg(self.notices());
        }
        // What it asks is printed by `ask` itself; the rest talks into a log.
        Child::start(service, tied, &self.folder, service == "ask")
    }

    /// Waits until the time is over or somebody wants an end.
    fn watch(&mut self, limit: Option<Duration>, stop: &AtomicBool) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !stop.load(Ordering::Relaxed) && limit.is_none_or(|limit| begun.elapsed() < limit) {
            for child in &mut self.children {
                child.check()?;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Stops all, the one that was started last first, and says of each that did not end well.
    fn stop(&mut self) -> anyhow::Result<()> {
        let mut faults = Vec::new();
        for child in self.children.iter_mut().rev() {
            if let Err(fault) = child.stop() {
                faults.push(format!("{fault:#}"));
            }
        }
        if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
    }

    fn sum_up(&self) {
        if self.children.is_empty() {
            return;
        }
        let stopped = self.children.iter().filter(|child| child.ended_well()).count();
        println!(
            "{stopped} of {} services stopped cleanly; their logs are in {}",
            PARTS.len(),
            self.folder.display()
        );
        let notices = fs::read_to_string(self.notices()).unwrap_or_default();
        if notices.is_empty() {
            println!("the alarm had no notice sent: nothing crossed the limit in configs/host_alarm.json");
            return;
        }
        println!("notices of the alarm: {}", notices.lines().count());
        for notice in notices.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev() {
            println!("    {notice}");
        }
    }

    fn notices(&self) -> PathBuf {
        self.folder.join("notices.txt")
    }
}

/// The last lines of a file, for people.
fn last_lines(path: &Path, count: usize) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(count)..];
    last.iter().map(|line| format!("\n    {line}")).collect()
}
