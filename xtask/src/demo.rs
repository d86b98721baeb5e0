//! `cargo xtask demo`: this machine, watched by five services in five processes, one of which is killed and started again.

mod books;
mod child;
mod outage;
mod tied;

use std::fs;
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::say::{is_unheard, say};
use crate::step::step;
use crate::workspace::{self, Workspace};
use books::Books;
use child::{Child, Ready};
use outage::{Outage, Step};

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
    Part { service: "host_board", does: "owns a state of what it knows", is_leading: false },
    Part { service: "host_alarm", does: "has a notice sent at a limit", is_leading: false },
    Part { service: "ask", does: "shows a copy of that state", is_leading: true },
];

/// The service that is killed and started again.
const KILLED: &str = "host_board";

/// How the demo is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Ends after that many seconds; without it on Ctrl+C, or after 10 where there is no terminal.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// Listens on ports that are free, instead of those in `addresses/`.
    #[arg(long)]
    any_ports: bool,

    /// Has the alarm send a notice above that many percent of the processor, instead of the limit in `configs/host_alarm.json`.
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    limit: Option<f64>,

    /// Has the alarm end as many percent below the limit, instead of the margin in `configs/host_alarm.json`.
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    margin: Option<f64>,
}

/// Runs short demos beside whatever else runs on this machine, and checks what they show.
pub(crate) fn check() -> anyhow::Result<()> {
    check_shown()?;
    check_outage()
}

/// A demo on free ports, with its error output among this program's.
fn demo() -> anyhow::Result<Command> {
    let mut demo = Command::new(tied::this_program()?);
    demo.args(["demo", "--any-ports"]).stderr(Stdio::inherit());
    Ok(demo)
}

/// Checks what one shows that ends when its time is over.
fn check_shown() -> anyhow::Result<()> {
    // Nothing is used less than that, so that there is a notice; nor more than 999, where the alarm ends, so that there is one for each sample.
    let output = demo()?.args(["--seconds", "5", "--limit", "-1", "--margin", "-1000"]).output()?;
    let shown = String::from_utf8_lossy(&output.stdout);
    say(shown.trim_end());
    if !output.status.success() {
        bail!("the demo ended with {}", output.status);
    }
    for due in [
        "cpu used_percent",
        "memory used_percent",
        "5 of 5 services stopped cleanly",
        ", above -1",
        // By the copy that the alarm has of what the board knows, which has nothing yet when the first notice is sent.
        "; its mean is ",
    ] {
        if !shown.contains(due) {
            bail!("the demo does not show `{due}`");
        }
    }
    Ok(())
}

/// Checks that a copy goes stale when its owner is killed, and live again with fresh readings when that is back; and that a demo ends well, and before its time,
/// whose reader has seen enough.
fn check_outage() -> anyhow::Result<()> {
    let mut demo = demo()?.args(["--seconds", "600"]).stdout(Stdio::piped()).spawn()?;
    let shown = BufReader::new(demo.stdout.take().expect("it was piped above"));
    let mut lines = shown.lines().map_while(Result::ok);
    for due in ["live at", "cpu used_percent", "stale for", "live at", "cpu used_percent"] {
        match lines.find(|line| line.starts_with(due)) {
            Some(line) => say(line),
            None => bail!("the demo ended with {}, and had not shown `{due}` in its turn", demo.wait()?),
        }
    }
    drop(lines);
    let left = Instant::now();
    let status = demo.wait()?;
    if !status.success() || left.elapsed() > Duration::from_secs(60) {
        bail!("the demo whose reader had gone away ended with {status} after {:?}", left.elapsed());
    }
    Ok(())
}

/// Builds everything and runs the services until the time is over, Ctrl+C, nobody reads any more, or one of them dies.
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
        say("");
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
    /// Above which the alarm has a notice sent, if not above that in its config.
    limit: Option<f64>,
    /// How far below that the alarm ends, if not as far as its config says.
    margin: Option<f64>,
    children: Vec<Child>,
    /// What happened to them on the way.
    notes: Vec<String>,
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
        Ok(Self {
            folder,
            built,
            root: workspace.root.clone(),
            books,
            limit: options.limit,
            margin: options.margin,
            children: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Starts one service after the other, each when the one before is ready.
    fn start(&mut self, stop: &AtomicBool) -> anyhow::Result<()> {
        for Part { service, .. } in &PARTS {
            self.books.check(service)?;
        }
        for (position, part) in PARTS.iter().enumerate() {
            let Some(ready) = self.start_one(position, stop)? else { return Ok(()) };
            let shown = ready.endpoints.iter().map(|(name, endpoint)| format!("{name} {endpoint}"));
            let shown = shown.collect::<Vec<_>>().join(", ");
            say(format_args!("    {:10}  {:29}  process {}, {shown}", part.service, part.does, ready.pid));
            self.books.learn(part.service, &ready.endpoints)?;
        }
        Ok(())
    }

    /// Starts the service at this position, and waits until it is ready; `None` if somebody wants an end meanwhile.
    fn start_one(&mut self, position: usize, stop: &AtomicBool) -> anyhow::Result<Option<Ready>> {
        let mut child = self.spawn(&PARTS[position])?;
        let ready = child.ready(stop);
        self.children.insert(position, child);
        ready
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
        if service == "host_alarm" {
            tied.args(self.limit.map(|limit| format!("--limit={limit}")));
            tied.args(self.margin.map(|margin| format!("--margin={margin}")));
        }
        if service == "ask" {
            tied.arg("--follow").arg("true");
        }
        // What it has a copy of is printed by `ask` itself; the rest talks into a log.
        Child::start(service, tied, &self.folder, service == "ask")
    }

    /// Waits until the time is over, somebody wants an end, or nobody reads any more.
    fn watch(&mut self, limit: Option<Duration>, stop: &AtomicBool) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut outage = Outage::within(limit);
        while !stop.load(Ordering::Relaxed) && limit.is_none_or(|limit| begun.elapsed() < limit) {
            let checked = self.children.iter_mut().try_for_each(Child::check);
            // What `ask` prints goes there, too, so that it may have ended for the same reason.
            if is_unheard() {
                return Ok(());
            }
            checked?;
            if let Some(step) = outage.due(begun.elapsed()) {
                self.take(step, stop)?;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Kills the owner of what is shown, or starts it again.
    fn take(&mut self, step: Step, stop: &AtomicBool) -> anyhow::Result<()> {
        let position = PARTS.iter().position(|part| part.service == KILLED).expect("it is one of them");
        match step {
            Step::Kill => {
                self.children.remove(position).kill()?;
                self.note(format!("{KILLED} was killed: copies of what it knows go stale"));
            }
            Step::Restart => {
                if let Some(ready) = self.start_one(position, stop)? {
                    let pid = ready.pid;
                    self.note(format!("{KILLED} was started again as process {pid}: copies go live again"));
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, note: String) {
        say(&note);
        self.notes.push(note);
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
        if std::io::stdout().is_terminal() {
            // There the next table has taken the place of each.
            self.notes.iter().for_each(say);
        }
        let stopped = self.children.iter().filter(|child| child.ended_well()).count();
        let logs = self.folder.display();
        say(format_args!("{stopped} of {} services stopped cleanly; their logs are in {logs}", PARTS.len()));
        let notices = fs::read_to_string(self.notices()).unwrap_or_default();
        if notices.is_empty() {
            let limit = self.limit.map_or("in configs/host_alarm.json".to_owned(), |limit| limit.to_string());
            say(format_args!("the alarm had no notice sent: nothing crossed the limit {limit}"));
            return;
        }
        say(format_args!("notices of the alarm: {}", notices.lines().count()));
        for notice in notices.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev() {
            say(format_args!("    {notice}"));
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
