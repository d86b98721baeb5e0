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

use clap::ValueEnum;

use self::{body::Raw, message::Typed};
pub(crate) use self::{body::SIZE, libzmq::Asker};
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
    /// States in a Redis server.
    Redis,
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
            Self::Redis => "redis",
        }
    }

    /// Whether it is part of this program.
    pub(crate) fn is_built(self) -> bool {
        cfg!(feature = "peers")
            || !matches!(self, Self::Omq | Self::Tarpc | Self::Tonic | Self::Nats | Self::Redis)
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
