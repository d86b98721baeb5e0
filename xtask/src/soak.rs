//! `cargo xtask soak`: what takes minutes to try, crowds and faults, and the page that says what came of it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use clap::ValueEnum as _;

use crate::say::say;
use crate::step::step;
use crate::workspace::{self, Workspace};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What is tried; all, and the page `SOAK.md` written, if nothing is named.
    what: Option<What>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Strangers that come and go, 1,000 in each of 60 seconds.
    Churn,
    /// 10,000 peers that are there and do nothing.
    Idle,
    /// The same strangers at the replyer of a service under load.
    ServiceChurn,
    /// The same peers at the replyer of a service.
    ServiceIdle,
    /// A publisher that is killed or stopped 100 times, and a subscriber that hears it each time.
    Restarts,
    /// A million calls, of which half are answered too late, twice, or when their callers have gone.
    LateReplies,
    /// Peers that are killed, stopped, absent or cut off, and for how long that is felt.
    Faults,
    /// 1,500 strangers who do not end their handshake, at the replyer of a service under load.
    Handshakes,
    /// A publisher beside a subscriber that reads one of a hundred, and beside quick ones alone.
    SlowSubscriber,
}

/// Tells the tests where to write what they have measured.
const VARIABLE: &str = "SERVICE_FRAMEWORK_SOAK";

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::Idle => "idle",
            Self::ServiceChurn => "service_churn",
            Self::ServiceIdle => "service_idle",
            Self::Restarts => "restarts",
            Self::LateReplies => "late_replies",
            Self::Faults => "faults",
            Self::Handshakes => "handshakes",
            Self::SlowSubscriber => "slow_subscriber",
        }
    }

    /// The package, its test binary and the test in it.
    fn test(self) -> [&'static str; 3] {
        const ENGINE: &str = "service-framework-zmtp";
        const RUNTIME: &str = "service-framework-runtime";
        match self {
            Self::Churn => [ENGINE, "soak", "churn::a_minute_of_strangers_leaves_nothing_behind"],
            Self::Idle => [ENGINE, "soak", "idle::ten_thousand_idle_peers_take_little_and_give_it_back"],
            Self::ServiceChurn => {
                [RUNTIME, "faults", "crowd::a_minute_of_those_who_come_and_go_leaves_nothing_behind"]
            }
            Self::ServiceIdle => {
                [RUNTIME, "faults", "crowd::ten_thousand_idle_clients_take_little_and_give_it_back"]
            }
            Self::Restarts => [
                RUNTIME,
                "faults",
                "restarts::a_subscriber_hears_a_publisher_that_is_restarted_a_hundred_times",
            ],
            Self::LateReplies => {
                [RUNTIME, "faults", "late_replies::of_a_million_calls_none_takes_the_late_reply_to_another"]
            }
            Self::Faults => [RUNTIME, "faults", "seconds::each_fault_is_over_in_time"],
            Self::Handshakes => [
                RUNTIME,
                "faults",
                "handshakes::who_does_not_end_its_handshake_is_left_in_time_and_harms_nobody",
            ],
            Self::SlowSubscriber => {
                [RUNTIME, "faults", "publish_times::publishing_takes_no_longer_beside_a_slow_subscriber"]
            }
        }
    }

    /// What stands above its table.
    fn says(self) -> &'static str {
        match self {
            Self::Churn => CHURN,
            Self::Idle => IDLE,
            Self::ServiceChurn => SERVICE_CHURN,
            Self::ServiceIdle => SERVICE_IDLE,
            Self::Restarts => RESTARTS,
            Self::LateReplies => LATE_REPLIES,
            Self::Faults => FAULTS,
            Self::Handshakes => HANDSHAKES,
            Self::SlowSubscriber => SLOW_SUBSCRIBER,
        }
    }
}

const PAGE: &str = "\
# Soak

`cargo xtask soak` writes this page; nobody edits it. It says what many strangers and many idle peers take of one socket of
`crates/zmtp`, a ROUTER over TCP, and of a service, and what stays of it; for how long a service does without a peer that fails; and what a slow subscriber costs. Memory, descriptors and counts do not
depend on how fast the machine is; times do. A short form of all of it, in which no time is measured, runs with the other tests.
";

const CHURN: &str = "\
## Strangers that come and go

Another process connects again and again. Of four strangers, one asks and is answered, one leaves after the handshake, one leaves within it, one breaks the
connection at once. All the time one good peer, on a thread of its own, asks as soon as it was answered. It fails if one descriptor or task more, or
32 KiB more are there at the end, or if a question is not answered.
";

const IDLE: &str = "\
## Peers that do nothing

Another process connects 10,000 times, does the handshake and falls silent; then one more peer is served, and all go; three times over. It
fails if a peer takes more than 40 KiB, if a descriptor or task is left, or if later waves take more than the first. What stays is room in tables, for
those to come. What was freed is the allocator's to give back to the system: here that of the C library, which keeps it.
";

const SERVICE_CHURN: &str = "\
## Strangers at a service

The same at the replyer of a running service, whose handler is asked all the time.
";

const SERVICE_IDLE: &str = "\
## Idle clients of a service

The same at the replyer of a running service.
";

const RESTARTS: &str = "\
## A publisher that is restarted

A service that publishes is killed, or told to stop, a hundred times, and started again at the same address; a service that subscribes hears it each time
without a restart of its own, and what it misses is a gap in the numbers of the messages. It fails if a life of the publisher is not heard in time, or if anything is
missing or twice within what was heard of one. None lives for long, so that the subscriber, which troubles a peer that does not stay the less, waits as long as it ever does.
";

const LATE_REPLIES: &str = "\
## Replies that come too late

A requester makes a million calls, 200 at a time, to a peer that answers some of them twice, some once they have run into their deadline, and some, twice, once their
callers have dropped them. It fails if a call ends otherwise than it should, with a reply to another call above all, or if a late reply is not counted.
";

const FAULTS: &str = "\
## For how long a fault is felt

A service asks a peer in another process. That is killed in the middle of a call, and another one takes its place; or stopped for half a minute (calls have one second,
all other settings are as they are by default); or not there for ten seconds; or the network between two services falls silent and closes nothing. It fails if
anything takes longer than it may. That depends on the machine, too, which should have nothing else to do.
";

const HANDSHAKES: &str = "\
## Strangers who do not end their handshake

To the replyer of a running service, 500 strangers connect and say nothing, 500 greet and say nothing more, and 500 say one byte of their greeting each second. Four
good peers ask all the time. It fails if a stranger is left before the 30 seconds that it has or a second after them, if one is not counted, if a good peer waits for
a second, or if a descriptor, a task or 2 MiB are there afterwards that were not before.
";

const SLOW_SUBSCRIBER: &str = "\
## A subscriber that is too slow

A service publishes to two subscribers in another process, and takes the time of each publication. In every second round both read all; in the others, which take turns with those,
one of them reads one of a hundred, so that its queue of 32 MiB is soon full. It fails if in the median of the pairs of rounds the time that 99 of 100 publications keep is more than 1.1 times as long
beside the slow one, if the quick one misses anything, if what the slow one misses is not exactly what was counted, or if more waits for it than it may. It may well be less: what is
dropped is not queued.
";

/// Runs what was asked for.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    ensure!(cfg!(target_os = "linux"), "what a process holds is read from /proc, which Linux alone has");
    let folder = tempfile::tempdir().context("cannot create a folder")?;
    if let Some(what) = options.what {
        return soak(workspace, what, folder.path()).map(say);
    }
    // Before anything is written that would change it.
    let facts = facts(workspace);
    let mut page = format!("{PAGE}\n{facts}");
    for &what in What::value_variants() {
        let table = soak(workspace, what, folder.path())?;
        page += &format!("\n{}\n{table}", what.says());
    }
    let path = workspace.root.join("SOAK.md");
    fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    say(format_args!("    written to {}", path.display()));
    Ok(())
}

/// Runs one of them, and gives its table.
fn soak(workspace: &Workspace, what: What, folder: &Path) -> anyhow::Result<String> {
    step(what.name(), || {
        let mut command = workspace.cargo_command();
        let [package, binary, test] = what.test();
        command.args(["test", "--quiet", "--package", package, "--test", binary, "--"]);
        command.args([test, "--exact", "--ignored"]).env(VARIABLE, folder);
        workspace::run(&mut command)?;
        let table = folder.join(what.name()).with_extension("md");
        fs::read_to_string(&table).with_context(|| format!("no result in {}", table.display()))
    })
}

/// What a reader must know of the machine, as a table.
fn facts(workspace: &Workspace) -> String {
    let said_by = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        let output = command.args(args).current_dir(&workspace.root).stderr(Stdio::null()).output();
        known(&output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default())
    };
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        known(line.trim_start_matches([' ', '\t', ':']))
    };
    let commit = said_by("git", &["rev-parse", "--short", "HEAD"]);
    let changed = said_by("git", &["status", "--porcelain", "--untracked-files=no"]);
    let rows = [
        ("date", said_by("date", &["-u", "+%F"])),
        ("commit", if changed == UNKNOWN { commit } else { format!("{commit}, with changes") }),
        ("processor", field(&read("/proc/cpuinfo"), "model name")),
        ("cores", std::thread::available_parallelism().map_or(UNKNOWN.to_owned(), |count| count.to_string())),
        ("memory", field(&read("/proc/meminfo"), "MemTotal")),
        ("kernel", known(&read("/proc/sys/kernel/osrelease"))),
        ("rustc", said_by("rustc", &["--version"])),
        ("build", "not optimised, as tests are".to_owned()),
    ];
    rows.iter().fold("| | |\n|---|---|\n".to_owned(), |table, (name, value)| {
        table + &format!("| {name} | {value} |\n")
    })
}

const UNKNOWN: &str = "unknown";

fn known(text: &str) -> String {
    if text.trim().is_empty() { UNKNOWN.to_owned() } else { text.trim().to_owned() }
}
