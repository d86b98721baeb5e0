//! Those that are compared, in the order in which they run.

mod framework;
pub(crate) mod nats;
mod own_peer;
mod python;
mod redis;

use crate::{case::names, contender::Contender, options::Options, peers::Peer};

/// All that the options leave.
pub(crate) fn all(options: &Options) -> anyhow::Result<Vec<Box<dyn Contender>>> {
    let mut all: Vec<Box<dyn Contender>> = vec![
        Box::new(framework::Framework::new(options)?),
        Box::new(own_peer::OwnPeer::new(names::ENGINE, Peer::Zmtp)?),
        Box::new(own_peer::OwnPeer::new(names::TCP, Peer::Tcp)?),
        Box::new(own_peer::OwnPeer::new(names::LIBZMQ, Peer::Libzmq)?),
        Box::new(own_peer::OwnPeer::new(names::LIBZMQ_MESSAGEPACK, Peer::LibzmqMessagepack)?),
        Box::new(own_peer::OwnPeer::new(names::ZEROMQ, Peer::Zeromq)?),
        Box::new(own_peer::OwnPeer::new(names::OMQ, Peer::Omq)?),
        Box::new(own_peer::OwnPeer::new(names::TARPC, Peer::Tarpc)?),
        Box::new(own_peer::OwnPeer::new(names::TONIC, Peer::Tonic)?),
        Box::new(nats::Nats::new()?),
        Box::new(redis::Redis::new()?),
        Box::new(python::Python::new(options)?),
    ];
    let wanted = &options.contender;
    all.retain(|contender| {
        wanted.is_empty() || wanted.iter().any(|part| contender.name().contains(part.as_str()))
    });
    Ok(all)
}
