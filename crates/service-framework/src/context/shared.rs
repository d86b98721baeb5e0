//! What all calls of one service have in common: its host, its log, the names of its connections.

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
    pub(super) spawn: fn(&Host, Background),
}

/// Work beside a handler.
type Background = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Shared {
    pub(crate) fn new<G: Guest>(host: Host, around: Surroundings, declaration: &Declaration) -> Self {
        let connections = declaration.connections.iter().map(|model| (model.name.clone(), model.kind));
        let spawn = |host: &Host, work: Background| host.spawn::<G>(work);
        Self { host, around, service: declaration.name.clone(), connections: connections.collect(), spawn }
    }

    pub(super) fn number(&self, name: &str) -> Result<(u32, ConnectionKind)> {
        let found = self.connections.iter().position(|(known, _)| known == name);
        let number = found.ok_or_else(|| {
            let known =
                self.connections.iter().filter(|(_, kind)| !kind.is_in()).map(|(name, _)| name.as_str());
            let near = service_framework_core::near::nearest(name, known);
            let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
            Error::msg(format!(
                "service `{}` declares no connection `{name}`: name its port in `#[service(uses(..))]`{near}",
                self.service
            ))
        })?;
        Ok((number as u32, self.connections[number].1))
    }
}
