//! The states of a service: opens them as the plan says, lets the service know of all that is new of its copies, publishes what it owns.

mod feeding;
pub(crate) mod handling;
mod owned;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use service_framework_connections::{Publisher, Replyer, Requester, Subscriber};
use service_framework_core::address::Address;
use service_framework_core::declaration::{ConnectionKind, ConnectionModel, Declaration, StateModel};
use service_framework_core::model::{Shape, describe};
use service_framework_core::settings::{ConnectionSettings, StateSettings};
use service_framework_core::wiring::WiredState;
use service_framework_states::delta::reader::Settings as Protocol;
use service_framework_states::{
    DeltaUpdateIn, DeltaUpdateOut, FullOptions, FullUpdateIn, FullUpdateOut, ReaderOptions,
};

use crate::counters::StateSource;
use crate::local::Local;

pub(crate) use handling::Handling;
pub(crate) use owned::Owned;

/// The sockets of a state, open; nothing has been done with them.
pub(crate) enum Sockets {
    FullIn(Rc<Subscriber>),
    FullOut(Rc<Publisher>),
    DeltaIn(Rc<Subscriber>, Requester),
    DeltaOut(Rc<Publisher>, Rc<Replyer>),
}

/// A state that goes on.
pub(crate) enum State {
    FullIn(FullUpdateIn),
    FullOut(FullUpdateOut),
    DeltaIn(DeltaUpdateIn),
    DeltaOut(DeltaUpdateOut),
}

impl Sockets {
    /// Where its sockets live, with the real ports, under the names by which they are told of.
    pub(crate) fn addresses(&self, name: &str) -> Vec<(String, Address)> {
        let of = |socket: ConnectionKind, address: &Address| (format!("{name}.{socket}"), address.clone());
        match self {
            Self::FullIn(subscriber) => vec![of(ConnectionKind::Subscriber, subscriber.address())],
            Self::FullOut(publisher) => vec![of(ConnectionKind::Publisher, publisher.address())],
            Self::DeltaIn(subscriber, requester) => vec![
                of(ConnectionKind::Subscriber, subscriber.address()),
                of(ConnectionKind::Requester, requester.address()),
            ],
            Self::DeltaOut(publisher, replyer) => vec![
                of(ConnectionKind::Publisher, publisher.address()),
                of(ConnectionKind::Replyer, replyer.address()),
            ],
        }
    }
}

/// Begins with all states of a service: its copies are fed from now on, and what it has published until now is sent.
pub(crate) fn begin<'o>(local: &Rc<Local>, sockets: Vec<Sockets>, owned: impl Iterator<Item = &'o Owned>) {
    let states = sockets.into_iter().zip(owned).enumerate().map(|(position, (sockets, owned))| {
        let WiredState { settings, updates, snapshots, .. } = &local.wiring().states[position];
        let snapshots = snapshots.as_ref().map(|wired| &wired.settings);
        let take = || feeding::take(local, position);
        let max_workflow_id_bytes = local.service_settings().max_workflow_id_bytes;
        match (sockets, owned) {
            (Sockets::FullIn(subscriber), _) => {
                let options = FullOptions {
                    topic: updates.settings.topic.clone(),
                    limits: updates.settings.limits,
                    max_workflow_id_bytes,
                    expect_every: settings.expect_every,
                };
                State::FullIn(FullUpdateIn::open(subscriber, options, take()))
            }
            (Sockets::DeltaIn(subscriber, requester), _) => {
                let options = reader_options(settings, &updates.settings, snapshots, max_workflow_id_bytes);
                State::DeltaIn(DeltaUpdateIn::open(subscriber, requester, options, take()))
            }
            (Sockets::FullOut(publisher), Owned::Full(owner)) => {
                State::FullOut(FullUpdateOut::open(Arc::clone(owner), publisher))
            }
            (Sockets::DeltaOut(publisher, replyer), Owned::Delta(owner)) => {
                State::DeltaOut(DeltaUpdateOut::open(Arc::clone(owner), publisher, replyer))
            }
            _ => unreachable!("what is owned was made from the same wiring as the sockets"),
        }
    });
    let states: Vec<State> = states.collect();
    states.iter().for_each(State::flush);
    for (position, state) in states.iter().enumerate() {
        local.watch_state(position, state.source());
    }
    local.set_states(states);
}

fn reader_options(
    settings: &StateSettings,
    updates: &ConnectionSettings,
    snapshots: Option<&ConnectionSettings>,
    max_workflow_id_bytes: usize,
) -> ReaderOptions {
    let limits = snapshots.map(|settings| settings.limits).unwrap_or_default();
    ReaderOptions {
        topic: updates.topic.clone(),
        limits: updates.limits,
        reply_limits: limits,
        deadline: snapshots.and_then(|settings| settings.deadline).unwrap_or(Duration::from_secs(5)),
        max_workflow_id_bytes,
        protocol: Protocol {
            patience: settings.expect_every,
            max_held: settings.held,
            max_reply_bytes: limits.max_message_bytes,
            seed: RandomState::new().hash_one(0),
            ..Protocol::default()
        },
    }
}

impl State {
    /// Sends what other threads have published, or what was published before there were sockets.
    pub(crate) fn flush(&self) {
        match self {
            Self::FullOut(state) => state.flush(),
            Self::DeltaOut(state) => state.flush(),
            Self::FullIn(_) | Self::DeltaIn(_) => {}
        }
    }

    /// Closes its sockets, once what was published has left.
    pub(crate) async fn close(&self, linger: Duration) {
        match self {
            Self::FullIn(state) => state.close(linger).await,
            Self::FullOut(state) => state.close(linger).await,
            Self::DeltaIn(state) => state.close(linger).await,
            Self::DeltaOut(state) => state.close(linger).await,
        }
    }

    /// What is told of it.
    fn source(&self) -> StateSource {
        match self {
            Self::FullIn(state) => StateSource {
                owned: None,
                figures: Some(Arc::clone(state.figures())),
                updates: Arc::clone(state.subscriber().counters()),
                snapshots: None,
            },
            Self::FullOut(state) => StateSource {
                owned: Some(Owned::Full(Arc::clone(state.owner()))),
                figures: None,
                updates: Arc::clone(state.publisher().counters()),
                snapshots: None,
            },
            Self::DeltaIn(state) => StateSource {
                owned: None,
                figures: Some(Arc::clone(state.figures())),
                updates: Arc::clone(state.subscriber().counters()),
                snapshots: Some(Arc::clone(state.requester().counters())),
            },
            Self::DeltaOut(state) => StateSource {
                owned: Some(Owned::Delta(Arc::clone(state.owner()))),
                figures: None,
                updates: Arc::clone(state.publisher().counters()),
                snapshots: Some(Arc::clone(state.replyer().counters())),
            },
        }
    }
}

/// The handlers of a service by their numbers: those of its connections, then those of its states, of which each takes what a subscriber would.
pub(crate) fn handlers(declaration: &Declaration) -> Vec<ConnectionModel> {
    let of_state = |model: &StateModel| ConnectionModel {
        name: model.name.clone(),
        doc: model.doc.clone(),
        kind: if model.kind.is_in() { ConnectionKind::Subscriber } else { ConnectionKind::Publisher },
        // What a handler is given was held against the model when the copy took it.
        args: Shape::Any,
        returns: describe::<()>(),
        run: model.run.unwrap_or_default(),
        exclusive: model.exclusive,
        settings: model.settings.clone(),
    };
    declaration.connections.iter().cloned().chain(declaration.states.iter().map(of_state)).collect()
}
