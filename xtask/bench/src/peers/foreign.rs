//! Peers that take long to build, and so are part of this program for measuring alone.

mod nats;
mod nats_kv;
mod omq;
mod redis;
mod states;
mod tarpc;
mod tonic;

use super::{Peer, on_tokio};
use crate::options::Role;

/// Runs one process, on one thread.
pub(super) fn run(peer: Peer, role: &Role) -> anyhow::Result<()> {
    on_tokio::run(async {
        match (peer, role) {
            (Peer::Omq, Role::Reply { .. }) => omq::reply().await,
            (Peer::Omq, Role::Request { target, load }) => omq::request(target, load).await,
            (Peer::Omq, Role::Publish { .. }) => omq::publish().await,
            (Peer::Omq, Role::Subscribe { target }) => omq::subscribe(target).await,
            (Peer::Tarpc, Role::Reply { .. }) => tarpc::reply().await,
            (Peer::Tarpc, Role::Request { target, load }) => tarpc::request(target, load).await,
            (Peer::Tonic, Role::Reply { .. }) => tonic::reply().await,
            (Peer::Tonic, Role::Request { target, load }) => tonic::request(target, load).await,
            (Peer::Nats, Role::Reply { broker: Some(broker), .. }) => nats::reply(broker).await,
            (Peer::Nats, Role::Request { target, load }) => nats::request(target, load).await,
            (Peer::Nats, Role::Publish { broker: Some(broker) }) => nats::publish(broker).await,
            (Peer::Nats, Role::Subscribe { target }) => nats::subscribe(target).await,
            (Peer::Nats, Role::Own { keys, readers, broker }) => nats_kv::own(broker, *keys, *readers).await,
            (Peer::Nats, Role::Follow { target, copies, keys }) => {
                let server = || target.endpoint.clone();
                states::follow(target, *copies, |desk| nats_kv::follow(server(), *keys, desk)).await
            }
            (Peer::Redis, Role::Own { keys, readers, broker }) => redis::own(broker, *keys, *readers).await,
            (Peer::Redis, Role::Follow { target, copies, .. }) => {
                let server = || target.endpoint.clone();
                states::follow(target, *copies, |desk| redis::follow(server(), desk)).await
            }
            (peer, role) => anyhow::bail!("{} does no such thing: {role:?}", peer.word()),
        }
    })
}
