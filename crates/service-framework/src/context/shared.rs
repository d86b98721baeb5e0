//! What all calls of one service have in common: its host, its log, the names of its connections.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use service_framework_core::declaration::{ConnectionKind, Declaration};
use service_framework_core::plugin::guest::{Guest, Host, Outcome};
use service_framework_core::plugin::{Call, Outgoing};
use service_framework_core::wire::{Reader, Writer};

use crate::running::HOST_HAS_BOUNDED;
use crate::states::States;
use crate::surroundings::Surroundings;
use crate::{Error, Result};

/// What all calls of one service have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(super) host: Host,
    pub(crate) around: Surroundings,
    service: String,
    /// Name and type of the connections, by their numbers.
    connections: Vec<(String, ConnectionKind)>,
    /// The numbers by name.
    numbers: HashMap<String, u32, RandomState>,
    pub(super) states: States,
    /// When the instance was made, by the host's clock.
    pub(super) began: Duration,
    pub(super) spawn: fn(&Host, Background),
}

/// Work beside a handler.
type Background = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Shared {
    pub(crate) fn new<G: Guest>(
        host: Host,
        around: Surroundings,
        declaration: &Declaration,
        states: States,
    ) -> Self {
        let connections = declaration.connections.iter().map(|model| (model.name.clone(), model.kind));
        let numbers = declaration.connections.iter().map(|model| model.name.clone()).zip(0..);
        let spawn = |host: &Host, work: Background| host.spawn::<G>(work);
        Self {
            began: host.now(),
            states,
            host,
            around,
            service: declaration.name.clone(),
            connections: connections.collect(),
            numbers: numbers.collect(),
            spawn,
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<(u32, ConnectionKind)> {
        let number = *self.numbers.get(name).ok_or_else(|| self.unknown(name))?;
        Ok((number, self.connections[number as usize].1))
    }

    /// The failure of whoever names what the service does not have.
    pub(super) fn unknown(&self, name: &str) -> Error {
        let connections = self.connections.iter().filter(|(_, kind)| !kind.is_in());
        let states = self.states.iter().map(|(model, _)| model.name.as_str());
        let known = connections.map(|(name, _)| name.as_str()).chain(states);
        let near = service_framework_core::near::nearest(name, known);
        let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
        let what = if self.states.iter().next().is_some() { "connection or state" } else { "connection" };
        Error::msg(format!(
            "service `{}` declares no {what} `{name}`: name its port in `#[service(uses(..))]`{near}",
            self.service
        ))
    }

    /// Whether what is sent by a name goes to a state: an incoming connection may have the same one.
    pub(super) fn is_state(&self, name: &str) -> bool {
        let is_out = |number: &u32| !self.connections[*number as usize].1.is_in();
        !self.numbers.get(name).is_some_and(is_out) && self.states.find(name).is_some()
    }

    /// The number of a state: those of states follow those of the connections.
    pub(super) fn number_of_state(&self, position: usize) -> u32 {
        (self.connections.len() + position) as u32
    }

    /// Takes what the host tells of a copy. A service that does not know the state holds no copy of it.
    pub(crate) fn feed(&self, position: u32, call: &Call<'_>) -> Outcome {
        if let Some((_, held)) = self.states.get(position as usize) {
            held.feed(&mut Reader::new(call.args, call.encoding, &HOST_HAS_BOUNDED))?;
        }
        Ok(Vec::new())
    }

    /// Publishes what the own states start with.
    pub(crate) fn start_states(&self) -> Result<()> {
        for (position, (model, held)) in self.states.iter().enumerate() {
            let connection = self.number_of_state(position);
            let publish = |write: &dyn Fn(&mut Writer)| {
                let (encoding, peer) = self.host.encoding(connection);
                let mut writer = Writer::new(encoding, peer);
                write(&mut writer);
                let args = &writer.finish().map_err(|fault| super::unwritten(&model.name, fault))?;
                self.host.publish(&Outgoing {
                    connection,
                    encoding,
                    args,
                    topic: None,
                    workflow_id: None,
                    deadline: None,
                    until: None,
                })
            };
            held.start(&publish)
                .map_err(|failure| failure.while_doing(&format!("state `{}`", model.name)))?;
        }
        Ok(())
    }
}
