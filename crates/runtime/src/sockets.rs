//! Opens the sockets of a service, as its plan says.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::{
    Engine, EngineOptions, Publisher, Replyer, Requester, Subscriber, WhenFull, check_host, engine_by_name,
    publisher, requester,
};
use service_framework_core::address::Address;
use service_framework_core::declaration::ConnectionKind;
use service_framework_core::envelope::Request;
use service_framework_core::settings::{Plaintext, ServiceSettings, SlowSubscriber};
use service_framework_core::topic;
use service_framework_core::wiring::Wired;

use crate::connection::Connection;
use crate::counters::Counters;
use crate::error::Error;
use crate::keys;
use crate::plan::Plan;
use crate::states::Sockets;

/// Opens all sockets, those of connections and those of states. Publishers at one endpoint share one.
pub(crate) async fn open(plan: &Plan, counters: &Counters) -> Result<(Vec<Connection>, Vec<Sockets>), Error> {
    let service = &plan.wiring.service;
    if service.engine == "zeromq" {
        tracing::warn!(target: crate::LOG,
            "engine `zeromq`: 73 bytes of a stranger end this process, peers that send heartbeats are put out, and \
             publications to slow subscribers are lost without a count; leave `engine` out of the address book"
        );
    }
    let mut opened = Vec::new();
    let mut publishers: HashMap<(Address, bool), Rc<Publisher>> = HashMap::new();
    for (number, wired) in plan.wiring.connections.iter().enumerate() {
        let connection = open_one(service, wired, &mut publishers).await?;
        if let Some(socket) = connection.counters() {
            counters.of(number).watch(socket);
        }
        opened.push(connection);
    }
    let mut states = Vec::new();
    for wired in &plan.wiring.states {
        let updates = open_one(service, &wired.updates, &mut publishers).await?;
        let snapshots = match &wired.snapshots {
            Some(wired) => open_one(service, wired, &mut publishers).await?,
            None => Connection::Target,
        };
        states.push(match (updates, snapshots) {
            (Connection::Subscriber(updates), Connection::Requester(snapshots)) => {
                Sockets::DeltaIn(updates, snapshots)
            }
            (Connection::Publisher(updates), Connection::Replyer(snapshots)) => {
                Sockets::DeltaOut(updates, snapshots)
            }
            (Connection::Subscriber(updates), _) => Sockets::FullIn(updates),
            (Connection::Publisher(updates), _) => Sockets::FullOut(updates),
            _ => return Err(Error::Fault(format!("state `{}` has no sockets", wired.name))),
        });
    }
    // All are open by then: two services that subscribe to each other find what they wait for.
    let of_connections = opened.iter().filter_map(|connection| match connection {
        Connection::Publisher(publisher) => Some(publisher),
        _ => None,
    });
    let of_states = states.iter().filter_map(|sockets| match sockets {
        Sockets::FullOut(publisher) | Sockets::DeltaOut(publisher, _) => Some(publisher),
        Sockets::FullIn(_) | Sockets::DeltaIn(..) => None,
    });
    for publisher in of_connections.chain(of_states) {
        publisher.settle().await;
    }
    Ok((opened, states))
}

/// Says that a connection leaves this machine unencrypted.
pub(crate) fn warn_of_plaintext(name: &str, address: &Address) {
    tracing::warn!(target: crate::LOG,
        "`{name}` at {address} is not encrypted: whoever is on the way reads and changes what goes by. Give it `curve_keys` \
         (`service_framework keys` makes some); a service that is to be open sets `plaintext` to allow"
    );
}

/// What the engine does with what a subscriber has no room for.
pub(crate) fn when_full(slow_subscriber: SlowSubscriber) -> WhenFull {
    match slow_subscriber {
        SlowSubscriber::DropNewest => WhenFull::DropNewest,
        SlowSubscriber::DropOldest => WhenFull::DropOldest,
        SlowSubscriber::Wait => WhenFull::Wait,
        SlowSubscriber::Disconnect => WhenFull::Disconnect,
    }
}

/// The engine that is set, as this connection needs it.
pub(crate) fn engine_of(service: &ServiceSettings, wired: &Wired) -> Result<Rc<dyn Engine>, Error> {
    let settings = &wired.settings;
    let mut options = EngineOptions {
        message_bytes: settings.limits.max_message_bytes,
        heartbeat: service.heartbeat,
        security: keys::security(wired).map_err(|why| Error::System { what: "use its keys".into(), why })?,
        ..EngineOptions::default()
    };
    if wired.listens {
        options.peers = settings.max_peers;
    }
    if matches!(wired.kind, ConnectionKind::Replyer | ConnectionKind::Publisher) {
        options.queue_bytes = settings.queue_bytes;
    }
    if wired.kind == ConnectionKind::Publisher {
        options.queue_messages = settings.queue;
        options.when_full = when_full(settings.slow_subscriber);
    }
    engine_by_name(&service.engine, options)
        .ok_or_else(|| Error::Fault(format!("there is no engine `{}`", service.engine)))
}

/// Opens one socket.
async fn open_one(
    service: &ServiceSettings,
    wired: &Wired,
    publishers: &mut HashMap<(Address, bool), Rc<Publisher>>,
) -> Result<Connection, Error> {
    let engine = engine_of(service, wired)?;
    if let (true, Some(address), Plaintext::Warn) = (wired.is_exposed(), &wired.address, service.plaintext) {
        warn_of_plaintext(&wired.name, address);
    }
    let opened = open_by(&engine, wired, publishers).await;
    opened.map_err(|cause| Error::at(wired.place.clone(), cause))
}

async fn open_by(
    engine: &Rc<dyn Engine>,
    wired: &Wired,
    publishers: &mut HashMap<(Address, bool), Rc<Publisher>>,
) -> Result<Connection, service_framework_connections::Error> {
    let Wired { name, settings, .. } = wired;
    let Some(address) = &wired.address else { return Ok(Connection::Target) };
    if !wired.listens {
        check_host(name, address).await?;
    }
    Ok(match wired.kind {
        ConnectionKind::Replyer => Connection::Replyer(Rc::new(Replyer::bind(engine, name, address).await?)),
        ConnectionKind::Requester => {
            let failures = u32::try_from(settings.breaker_failures).unwrap_or(u32::MAX);
            let breaker = requester::BreakerOptions { failures, pause: settings.breaker_pause };
            let options = requester::Options {
                waiting_max: settings.queue,
                with_time_left,
                idempotent: settings.idempotent,
                breaker,
            };
            Connection::Requester(Requester::connect(engine, name, address, options)?)
        }
        ConnectionKind::Publisher => {
            // Port 0 means a port of its own for each.
            let key = (address.clone(), wired.listens);
            let shared = publishers.get(&key).filter(|_| !address.is_ephemeral());
            let options = publisher::Options {
                wait_after_creation: settings.wait_after_creation,
                subscribers: settings.wait_for_subscribers,
            };
            let publisher = match shared {
                Some(publisher) => publisher.share(options),
                None if wired.listens => Publisher::bind(engine, name, address, options).await?,
                None => Publisher::connect(engine, name, address, options)?,
            };
            let publisher = Rc::new(publisher);
            publishers.insert(key, Rc::clone(&publisher));
            Connection::Publisher(publisher)
        }
        ConnectionKind::Subscriber => {
            let filter = settings.topic.as_deref().map(topic::encode).unwrap_or_default().into();
            let subscriber = if wired.listens {
                Subscriber::bind(engine, name, address, filter).await?
            } else {
                Subscriber::connect(engine, name, address, filter)?
            };
            Connection::Subscriber(Rc::new(subscriber))
        }
        ConnectionKind::ExternalTarget => Connection::Target,
    })
}

/// What waited for its connection tells the peer how long it is waited for now.
fn with_time_left(payload: Bytes, left: Duration) -> Bytes {
    Request::with_time_left(&payload, left).map_or(payload, Bytes::from)
}
