//! What all calls of one service have in common: its host, its log, the names of its connections.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use service_framework_core::declaration::{ConnectionKind, Declaration};
use service_framework_core::plugin::guest::{Guest, Host};

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
    pub(super) spawn: fn(&Host, Background),
}

/// Work beside a handler.
type Background = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Shared {
    pub(crate) fn new<G: Guest>(host: Host, around: Surroundings, declaration: &Declaration) -> Self {
        let connections = declaration.connections.iter().map(|model| (model.name.clone(), model.kind));
        let numbers = declaration.connections.iter().map(|model| model.name.clone()).zip(0..);
        let spawn = |host: &Host, work: Background| host.spawn::<G>(work);
        Self {
            host,
            around,
            service: declaration.name.clone(),
            connections: connections.collect(),
            numbers: numbers.collect(),
            spawn,
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<(u32, ConnectionKind)> {
        let number = *self.numbers.get(name).ok_or_else(|| {
            let known =
                self.connections.iter().filter(|(_, kind)| !kind.is_in()).map(|(name, _)| name.as_str());
            let near = service_framework_core::near::nearest(name, known);
            let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
            Error::msg(format!(
                "service `{}` declares no connection `{name}`: name its port in `#[service(uses(..))]`{near}",
                self.service
            ))
        })?;
        Ok((number, self.connections[number as usize].1))
    }
}
