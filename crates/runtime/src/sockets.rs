//! Opens the sockets of a service, as its plan says.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::{
    Engine, Publisher, Replyer, Requester, Subscriber, check_host, engine_by_name, publisher, requester,
};
use service_framework_core::address::Address;
use service_framework_core::declaration::ConnectionKind;
use service_framework_core::envelope::Request;
use service_framework_core::topic;
use service_framework_core::wiring::Wired;

use crate::counters::Counters;
use crate::error::Error;
use crate::local::Connection;
use crate::plan::Plan;

/// Opens all sockets. Publishers at one endpoint share one.
pub(crate) async fn open(plan: &Plan, counters: &Counters) -> Result<Vec<Connection>, Error> {
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
        let engine = engine_by_name(&service.engine, wired.settings.limits.max_message_bytes)
            .ok_or_else(|| Error::Fault(format!("there is no engine `{}`", service.engine)))?;
        let connection = open_one(&engine, wired, &mut publishers).await?;
        if let Some(socket) = connection.counters() {
            counters.of(number).watch(socket);
        }
        opened.push(connection);
    }
    Ok(opened)
}

async fn open_one(
    engine: &Rc<dyn Engine>,
    wired: &Wired,
    publishers: &mut HashMap<(Address, bool), Rc<Publisher>>,
) -> Result<Connection, Error> {
    let Wired { name, settings, .. } = wired;
    let Some(address) = &wired.address else { return Ok(Connection::Target) };
    if !wired.listens {
        check_host(name, address).await?;
    }
    Ok(match wired.kind {
        ConnectionKind::Replyer => Connection::Replyer(Rc::new(Replyer::bind(engine, name, address).await?)),
        ConnectionKind::Requester => {
            let options = requester::Options { waiting_max: settings.queue, with_time_left };
            Connection::Requester(Requester::connect(engine, name, address, options)?)
        }
        ConnectionKind::Publisher => {
            // Port 0 means a port of its own for each.
            let key = (address.clone(), wired.listens);
            let shared = publishers.get(&key).filter(|_| !address.is_ephemeral());
            let publisher = match shared {
                Some(publisher) => publisher.share(),
                None => {
                    let options = publisher::Options { wait_after_creation: settings.wait_after_creation };
                    if wired.listens {
                        Publisher::bind(engine, name, address, options).await?
                    } else {
                        Publisher::connect(engine, name, address, options).await?
                    }
                }
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
