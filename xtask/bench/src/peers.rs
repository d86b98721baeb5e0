//! The processes of the peers that are written here, each as fast as it can reasonably be.

mod body;
mod message;

#[cfg(feature = "peers")]
mod foreign;
mod libzmq;
mod on_tokio;
mod tcp;
mod zeromq;
mod zmtp;

use std::time::Duration;

use clap::ValueEnum;

pub(crate) use self::body::SIZE;
use self::{body::Raw, message::Typed};
use crate::options::PeerOptions;

/// A peer that this program plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// Length-prefixed messages on tokio.
    Tcp,
    /// 64 bytes on libzmq.
    Libzmq,
    /// Typed MessagePack with a workflow id on libzmq.
    LibzmqMessagepack,
    /// 64 bytes on the transport engine of the framework.
    Zmtp,
    /// 64 bytes on the crate `zeromq`.
    Zeromq,
    /// 64 bytes on omq-tokio.
    Omq,
    /// 64 bytes by tarpc.
    Tarpc,
    /// 64 bytes by tonic.
    Tonic,
    /// 64 bytes through a NATS server.
    Nats,
}

impl Peer {
    /// What it is called on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Libzmq => "libzmq",
            Self::LibzmqMessagepack => "libzmq-messagepack",
            Self::Zmtp => "zmtp",
            Self::Zeromq => "zeromq",
            Self::Omq => "omq",
            Self::Tarpc => "tarpc",
            Self::Tonic => "tonic",
            Self::Nats => "nats",
        }
    }

    /// Whether it is part of this program.
    pub(crate) fn is_built(self) -> bool {
        cfg!(feature = "peers") || !matches!(self, Self::Omq | Self::Tarpc | Self::Tonic | Self::Nats)
    }
}

/// Runs one process of a peer.
pub(crate) fn run(options: &PeerOptions) -> anyhow::Result<()> {
    match options.peer {
        Peer::Tcp => tcp::run(&options.role),
        Peer::Libzmq => libzmq::run::<Raw>(&options.role),
        Peer::LibzmqMessagepack => libzmq::run::<Typed>(&options.role),
        Peer::Zmtp => zmtp::run(&options.role),
        Peer::Zeromq => zeromq::run(&options.role),
        #[cfg(feature = "peers")]
        peer => foreign::run(peer, &options.role),
        #[cfg(not(feature = "peers"))]
        peer => anyhow::bail!("{} is not built into this program", peer.word()),
    }
}

/// Asks a typed replyer once, and waits for its answer.
///
/// # Errors
///
/// When there is none in time, or it is not the answer.
pub(crate) fn ask_once(endpoint: &str, patience: Duration) -> anyhow::Result<()> {
    libzmq::ask_once::<Typed>(endpoint, patience)
}

/// Says on which endpoint a server is ready.
fn print_endpoint(endpoint: &str) -> anyhow::Result<()> {
    print_line(&format!("ready {endpoint}"))
}

/// Reads what [`print_endpoint`] wrote.
pub(crate) fn endpoint_of_line(line: &str) -> Option<String> {
    line.strip_prefix("ready ").map(str::to_owned)
}

/// Prints a line for the bench.
pub(crate) fn print_line(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
