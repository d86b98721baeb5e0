//! What the bench can be told.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    many::Many,
    peers::{Peer, SIZE},
    sample::Window,
};

/// Measures the framework against raw TCP, libzmq and the Python original, and writes the page of results.
#[derive(Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    /// The page of results; a run that is quick, partial or of fewer rounds than 5 writes none unless told where.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Short rounds, few of them: shows that everything runs, measures nothing.
    #[arg(long)]
    pub(crate) quick: bool,

    /// How often each contender runs in each case [default: 5, quick: 2].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Seconds counted in each run, half as many in those for pictures [default: 1.5, quick: 0.3].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    seconds: Option<Duration>,

    /// Seconds run before counting [default: 0.4, quick: 0.1].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    warm_up: Option<Duration>,

    /// Only cases whose name contains this; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) case: Vec<String>,

    /// Only contenders whose name contains this; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) contender: Vec<String>,

    /// A virtual environment with the Python `service_framework` 0.0.20 in it.
    #[arg(long, value_name = "DIR")]
    pub(crate) python: Option<PathBuf>,

    /// The `service_framework` command, built for release [default: beside this program].
    #[arg(long, value_name = "FILE")]
    pub(crate) framework: Option<PathBuf>,

    /// Where the plugins of the bench lie [default: beside the command].
    #[arg(long, value_name = "DIR")]
    pub(crate) plugins: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What the bench runs of itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// One process of a peer; the bench starts these itself.
    #[command(hide = true)]
    Peer(PeerOptions),
    /// Many services in one process, each with a replyer `echo`; the bench starts it itself.
    #[command(hide = true)]
    Crowd(Many),
    /// Many services in one process, each with a copy `book`; the bench starts it itself.
    #[command(hide = true)]
    Join(Many),
}

/// Which process of which peer.
#[derive(Debug, Args)]
pub(crate) struct PeerOptions {
    /// Whose process this is.
    pub(crate) peer: Peer,

    #[command(subcommand)]
    pub(crate) role: Role,
}

/// What a process of a peer does.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Answers requests on a port of its own, which it prints.
    Reply {
        /// Calls in flight on one connection; libzmq has another socket for more than one.
        #[arg(long, default_value_t = 1)]
        calls: u32,
        /// The broker through which it is asked, of peers that have one.
        #[arg(long)]
        broker: Option<String>,
    },
    /// Requests as fast as it can, counts, prints a sample.
    Request {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        load: Load,
    },
    /// Publishes as fast as it can on a port of its own, which it prints.
    Publish {
        /// The broker through which it publishes, of peers that have one.
        #[arg(long)]
        broker: Option<String>,
    },
    /// Subscribes once, counts, prints a sample.
    Subscribe {
        #[command(flatten)]
        target: Target,
    },
    /// Has a state, and changes it as fast as it can if anybody follows.
    Own {
        /// How many keys it has.
        #[arg(long)]
        keys: u32,
        /// How many readers follow.
        #[arg(long)]
        readers: u32,
        /// Where it is kept.
        #[arg(long)]
        broker: String,
    },
    /// Gets copies of a state; prints how long that took, and stays, or counts what changes if it is given time.
    Follow {
        #[command(flatten)]
        target: Target,
        /// How many copies.
        #[arg(long, default_value_t = 1)]
        copies: u32,
        /// How many keys the state has.
        #[arg(long)]
        keys: u32,
    },
}

/// What a client keeps in flight.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Load {
    /// Connections, each with its own calls.
    #[arg(long, default_value_t = 1)]
    pub(crate) connections: u32,
    /// Calls in flight on each connection.
    #[arg(long, default_value_t = 1)]
    pub(crate) calls: u32,
    /// Bytes in each request, and in each reply.
    #[arg(long, default_value_t = SIZE)]
    pub(crate) bytes: usize,
}

/// What a client connects to, and how long it counts.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// `tcp://HOST:PORT`.
    #[arg(long)]
    pub(crate) endpoint: String,
    /// Seconds before counting.
    #[arg(long, value_parser = seconds)]
    pub(crate) warm_up: Duration,
    /// Seconds of counting.
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Duration,
}

impl Target {
    pub(crate) fn window(&self) -> Window {
        Window { warm_up: self.warm_up, counted: self.seconds }
    }
}

/// How often each contender runs by default, and at least for the page.
const ROUNDS: u32 = 5;

impl Options {
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 2 } else { ROUNDS })
    }

    pub(crate) fn window(&self) -> Window {
        let (warm_up, counted) = if self.quick { (100, 300) } else { (400, 1_500) };
        Window {
            warm_up: self.warm_up.unwrap_or(Duration::from_millis(warm_up)),
            counted: self.seconds.unwrap_or(Duration::from_millis(counted)),
        }
    }

    /// How long an idle process is watched.
    pub(crate) fn idle_time(&self) -> Duration {
        Duration::from_millis(if self.quick { 500 } else { 5_000 })
    }

    /// Where the page goes, if anywhere: a run that proves nothing must not replace one that does.
    pub(crate) fn page(&self) -> Option<PathBuf> {
        let is_all = self.case.is_empty() && self.contender.is_empty();
        let whole = !self.quick && is_all && self.rounds() >= ROUNDS;
        self.out.clone().or_else(|| whole.then(|| workspace().join("BENCHMARKS.md")))
    }
}

/// The root of the workspace that built this program.
pub(crate) fn workspace() -> &'static Path {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("the manifest lies in xtask/bench")
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|cause| format!("`{text}` seconds: {cause}"))
}
