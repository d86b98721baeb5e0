//! Checks an address book against what a service declares.

use super::{AddressBook, Endpoint, Entry, Side};
use crate::declaration::{ConnectionKind, ConnectionModel, Declaration};
use crate::fault::Step;
use crate::near::nearest;
use crate::problem::{Problem, Problems, meant};

impl AddressBook {
    /// Adds to `problems` what the book lacks, and what it has that the service does not.
    pub(crate) fn check(&self, declaration: &Declaration, problems: &mut Problems) {
        for entry in &self.connections {
            match declaration.connection(&entry.name) {
                None => self.unknown(entry, declaration, problems),
                Some((_, model)) if model.kind.side() != entry.side.name() => {
                    let (name, side, right) = (&entry.name, entry.side.name(), model.kind.side());
                    let text =
                        format!("`{name}` is {}: move it from `{side}` to `{right}`", article(model.kind));
                    problems.add_with(|| Problem::at(self.key_place(&self.path_of(entry)), text));
                }
                Some((_, model)) => self.check_sockets(entry, model, problems),
            }
        }
        // Of a book that was read in part, nobody knows what is missing.
        for model in declaration.connections.iter().filter(|_| !self.is_partial) {
            let is_there = self.entry(&model.name).is_some();
            if !is_there && model.kind != ConnectionKind::ExternalTarget && !self.is_meant(model, declaration)
            {
                self.missing(model, problems);
            }
        }
    }

    /// The endpoint of a connection, if the book has the right one.
    pub(crate) fn endpoint(&self, model: &ConnectionModel) -> Option<(&Entry, &Endpoint)> {
        let entry = self
            .connections
            .iter()
            .find(|entry| entry.name == model.name && entry.side.name() == model.kind.side())?;
        let endpoint = entry.endpoints.iter().find(|endpoint| endpoint.socket == model.kind.name())?;
        Some((entry, endpoint))
    }

    fn unknown(&self, entry: &Entry, declaration: &Declaration, problems: &mut Problems) {
        let names = declaration.connections.iter().map(|model| model.name.as_str());
        let (name, service) = (&entry.name, &declaration.name);
        let text = format!("`{name}` is no connection of the service `{service}`{}", meant(name, names));
        problems.add_with(|| Problem::at(self.key_place(&self.path_of(entry)), text));
    }

    /// Whether an unknown entry was taken for a slip of this name, so that one mistake is told once.
    fn is_meant(&self, model: &ConnectionModel, declaration: &Declaration) -> bool {
        let known = || declaration.connections.iter().map(|model| model.name.as_str());
        let mut strangers =
            self.connections.iter().filter(|entry| declaration.connection(&entry.name).is_none());
        strangers.any(|entry| nearest(&entry.name, known()) == Some(&model.name))
    }

    fn missing(&self, model: &ConnectionModel, problems: &mut Problems) {
        let (name, kind) = (&model.name, model.kind);
        let example = format!("\"{name}\": {{\"{kind}\": \"HOST:PORT\"}}");
        let side = if kind.is_in() { Side::In } else { Side::Out };
        let Some(document) = &self.document else {
            let text = format!(
                "connection `{name}` has no address: give an address book that has {example} under `{}`",
                side.name()
            );
            return problems.add(Problem::nowhere(text));
        };
        let text = format!("connection `{name}` has no address: write {example} under `{}`", side.name());
        problems.add_with(|| Problem::at(document.value_place(&self.path_of_side(side)), text));
    }

    fn check_sockets(&self, entry: &Entry, model: &ConnectionModel, problems: &mut Problems) {
        let (name, kind) = (&model.name, model.kind);
        for endpoint in &entry.endpoints {
            let mut path = self.path_of(entry);
            path.push(Step::Field(endpoint.socket.clone()));
            let text = if kind == ConnectionKind::ExternalTarget && endpoint.address.is_some() {
                format!("`{name}` is an external target, a function of the service: take its address away")
            } else if endpoint.socket == kind.name() {
                continue;
            } else {
                let socket = &endpoint.socket;
                format!("`{name}` is {}: write its endpoint under `{kind}`, not `{socket}`", article(kind))
            };
            problems.add_with(|| Problem::at(self.key_place(&path), text));
        }
        if entry.endpoints.is_empty() && !entry.unread && kind != ConnectionKind::ExternalTarget {
            let text = format!("connection `{name}` has no address: write {{\"{kind}\": \"HOST:PORT\"}}");
            problems.add_with(|| Problem::at(self.value_place(&self.path_of(entry)), text));
        }
    }
}

fn article(kind: ConnectionKind) -> &'static str {
    match kind {
        ConnectionKind::Replyer => "a replyer",
        ConnectionKind::Subscriber => "a subscriber",
        ConnectionKind::Requester => "a requester",
        ConnectionKind::Publisher => "a publisher",
        ConnectionKind::ExternalTarget => "an external target",
    }
}
