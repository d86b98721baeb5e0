//! Opens the sockets of a service, as its plan says.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::{
    Engine, EngineOptions, Publisher, Replyer, Requester, Subscriber, WhenFull, check_host, engine_by_name,
    publisher, requester,
};
use service_framework_core::address::Address;
use service_framework_core::declaration::ConnectionKind;
use service_framework_core::envelope::Request;
use service_framework_core::problem::{Place, Problem, Problems};
use service_framework_core::settings::{Plaintext, ServiceSettings, SlowSubscriber};
use service_framework_core::topic;
use service_framework_core::wiring::Wired;

use crate::connection::Connection;
use crate::counters::Counters;
use crate::error::{Error, Unopened};
use crate::keys;
use crate::plan::Plan;
use crate::states::Sockets;

/// Opens all sockets, those of connections and those of states. Publishers at one endpoint share one.
///
/// # Errors
///
/// [`Error::Socket`] for one that cannot be opened, [`Error::Refused`] with all of them if there are several; none is open then.
pub(crate) async fn open(plan: &Plan, counters: &Counters) -> Result<(Vec<Connection>, Vec<Sockets>), Error> {
    let service = &plan.wiring.service;
    if service.engine == "zeromq" {
        tracing::warn!(target: crate::LOG,
            "engine `zeromq`: 73 bytes of a stranger end this process, peers that send heartbeats are put out, and \
             publications to slow subscribers are lost without a count; leave `engine` out of the address book"
        );
    }
    let mut opened = Vec::new();
    let mut opening = Opening { service, publishers: HashMap::new(), unopened: Vec::new() };
    for (number, wired) in plan.wiring.connections.iter().enumerate() {
        let Some(connection) = opening.open(wired).await? else { continue };
        if let Some(socket) = connection.counters() {
            counters.of(number).watch(socket);
        }
        opened.push(connection);
    }
    let mut states = Vec::new();
    for wired in &plan.wiring.states {
        let updates = opening.open(&wired.updates).await?;
        let snapshots = match &wired.snapshots {
            Some(wired) => opening.open(wired).await?,
            None => Some(Connection::Target),
        };
        let (Some(updates), Some(snapshots)) = (updates, snapshots) else { continue };
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
    opening.end()?;
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

/// Opens one socket after the other, so that all that cannot be opened are told of together.
struct Opening<'a> {
    service: &'a ServiceSettings,
    publishers: HashMap<(Address, bool), Rc<Publisher>>,
    unopened: Vec<Unopened>,
}

impl Opening<'_> {
    /// Opens a socket; nothing if it cannot be.
    async fn open(&mut self, wired: &Wired) -> Result<Option<Connection>, Error> {
        let engine = engine_of(self.service, wired)?;
        let warns = wired.is_exposed() && self.service.plaintext == Plaintext::Warn;
        if let Some(address) = wired.address.as_ref().filter(|_| warns) {
            warn_of_plaintext(&wired.name, address);
        }
        let opened = open_by(&engine, wired, &mut self.publishers).await;
        let opened =
            opened.map_err(|cause| self.unopened.push(Unopened { place: wired.place.clone(), cause }));
        Ok(opened.ok())
    }

    fn end(mut self) -> Result<(), Error> {
        if self.unopened.len() < 2 {
            return self.unopened.pop().map_or(Ok(()), |unopened| Err(Error::Socket(Arc::new(unopened))));
        }
        let mut problems = Problems::new();
        self.unopened.into_iter().for_each(|Unopened { place, cause }| problems.add(problem(place, &cause)));
        problems.into_result(()).map_err(Error::Refused)
    }
}

/// A socket that cannot be opened, and why, in one line.
pub(crate) fn problem(place: Option<Place>, error: &service_framework_connections::Error) -> Problem {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    Problem { text: format!("{error}{}", cause.unwrap_or_default()), place }
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
