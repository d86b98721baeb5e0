//! Checks an address book against what a service declares.

use super::{AddressBook, Endpoint, Entry, Group, Side};
use crate::declaration::{ConnectionKind, ConnectionModel, Declaration, StateModel};
use crate::fault::Step;
use crate::near::nearest;
use crate::problem::{Problem, Problems, meant};
use crate::shown::named;

/// What a service declares that has addresses: a connection or a state.
pub(crate) struct Declared<'d> {
    group: Group,
    name: &'d str,
    side: Side,
    kind: &'static str,
    /// The sockets that have addresses.
    sockets: &'d [ConnectionKind],
}

impl<'d> From<&'d ConnectionModel> for Declared<'d> {
    fn from(model: &'d ConnectionModel) -> Self {
        Self {
            group: Group::Connections,
            name: &model.name,
            side: if model.kind.is_in() { Side::In } else { Side::Out },
            kind: model.kind.name(),
            sockets: match model.kind {
                ConnectionKind::ExternalTarget => &[],
                _ => std::slice::from_ref(&model.kind),
            },
        }
    }
}

impl<'d> From<&'d StateModel> for Declared<'d> {
    fn from(model: &'d StateModel) -> Self {
        Self {
            group: Group::States,
            name: &model.name,
            side: if model.kind.is_in() { Side::In } else { Side::Out },
            kind: model.kind.name(),
            sockets: model.kind.sockets(),
        }
    }
}

impl Declared<'_> {
    /// Its type as a noun with its article.
    fn kind(&self) -> String {
        let article = if self.kind == ConnectionKind::ExternalTarget.name() { "an" } else { "a" };
        format!("{article} {}", self.kind.replace("external_target", "external target"))
    }

    /// What to write for its sockets.
    fn example(&self) -> String {
        let sockets: Vec<_> =
            self.sockets.iter().map(|socket| format!("\"{socket}\": \"HOST:PORT\"")).collect();
        format!("{{{}}}", sockets.join(", "))
    }

    /// Under which keys it is written.
    fn under(&self) -> String {
        match self.group {
            Group::Connections => format!("`{}`", self.side.name()),
            Group::States => format!("`states`, `{}`", self.side.name()),
        }
    }
}

impl AddressBook {
    /// Adds to `problems` what the book lacks, and what it has that the service does not.
    pub(crate) fn check(&self, declaration: &Declaration, problems: &mut Problems) {
        let connections: Vec<Declared<'_>> = declaration.connections.iter().map(Declared::from).collect();
        let states: Vec<Declared<'_>> = declaration.states.iter().map(Declared::from).collect();
        self.check_group(Group::Connections, &connections, &declaration.name, problems);
        self.check_group(Group::States, &states, &declaration.name, problems);
    }

    fn check_group(&self, group: Group, all: &[Declared<'_>], service: &str, problems: &mut Problems) {
        for entry in self.entries(group) {
            match all.iter().find(|declared| declared.name == entry.name) {
                None => self.unknown(entry, all, service, problems),
                Some(declared) if declared.side != entry.side => {
                    let (name, side, right) = (&entry.name, entry.side.name(), declared.side.name());
                    let text = format!("`{name}` is {}: move it from `{side}` to `{right}`", declared.kind());
                    problems.add_with(|| Problem::at(self.key_place(&self.path_of(entry)), text));
                }
                Some(declared) => self.check_sockets(entry, declared, problems),
            }
        }
        // Of a book that was read in part, nobody knows what is missing.
        for declared in all.iter().filter(|declared| !self.is_partial && !declared.sockets.is_empty()) {
            let is_there = self.entries(group).iter().any(|entry| entry.name == declared.name);
            if !is_there && !self.is_meant(declared, all) {
                self.missing(declared, problems);
            }
        }
    }

    /// The endpoint of a socket of a connection or state, if the book has it.
    pub(crate) fn endpoint<'d>(
        &self,
        declared: impl Into<Declared<'d>>,
        socket: ConnectionKind,
    ) -> Option<(&Entry, &Endpoint)> {
        let declared = declared.into();
        let mut entries = self.entries(declared.group).iter();
        let entry = entries.find(|entry| entry.name == declared.name && entry.side == declared.side)?;
        let endpoint = entry.endpoints.iter().find(|endpoint| endpoint.socket == socket.name())?;
        Some((entry, endpoint))
    }

    fn unknown(&self, entry: &Entry, all: &[Declared<'_>], service: &str, problems: &mut Problems) {
        let names = all.iter().map(|declared| declared.name);
        let (name, noun) = (&entry.name, entry.group.noun());
        let text =
            format!("{} is no {noun} of the service `{service}`{}", named(name), meant(name, noun, names));
        problems.add_with(|| Problem::at(self.key_place(&self.path_of(entry)), text));
    }

    /// Whether an unknown entry was taken for a slip of this name, so that one mistake is told once.
    fn is_meant(&self, declared: &Declared<'_>, all: &[Declared<'_>]) -> bool {
        let known = || all.iter().map(|declared| declared.name);
        let mut strangers =
            self.entries(declared.group).iter().filter(|entry| known().all(|name| name != entry.name));
        strangers.any(|entry| nearest(&entry.name, known()) == Some(declared.name))
    }

    fn missing(&self, declared: &Declared<'_>, problems: &mut Problems) {
        let (name, noun, under) = (declared.name, declared.group.noun(), declared.under());
        let example = format!("\"{name}\": {}", declared.example());
        let Some(document) = &self.document else {
            let text = format!(
                "{noun} `{name}` has no address: give an address book that has {example} under {under}"
            );
            return problems.add(Problem::nowhere(text));
        };
        let text = format!("{noun} `{name}` has no address: write {example} under {under}");
        let path = self.path_of_side(declared.group, declared.side);
        problems.add_with(|| Problem::at(document.value_place(&path), text));
    }

    fn check_sockets(&self, entry: &Entry, declared: &Declared<'_>, problems: &mut Problems) {
        let Declared { name, kind, sockets, .. } = declared;
        for endpoint in &entry.endpoints {
            let mut path = self.path_of(entry);
            path.push(Step::Field(endpoint.socket.clone()));
            let socket = &endpoint.socket;
            let text = if sockets.is_empty() && endpoint.address.is_some() {
                format!("`{name}` is an external target, a function of the service: take its address away")
            } else if socket == kind || sockets.iter().any(|known| known.name() == socket) {
                continue;
            } else {
                let under: Vec<_> = match **sockets {
                    [] => vec![format!("`{kind}`")],
                    ref sockets => sockets.iter().map(|socket| format!("`{socket}`")).collect(),
                };
                let (what, under) = (declared.kind(), under.join(" and "));
                let endpoints = if sockets.len() > 1 { "endpoints" } else { "endpoint" };
                format!("`{name}` is {what}: write its {endpoints} under {under}, not {}", named(socket))
            };
            problems.add_with(|| Problem::at(self.key_place(&path), text));
        }
        if entry.unread || sockets.is_empty() {
            return;
        }
        let noun = declared.group.noun();
        if entry.endpoints.is_empty() {
            let text = format!("{noun} `{name}` has no address: write {}", declared.example());
            return problems.add_with(|| Problem::at(self.value_place(&self.path_of(entry)), text));
        }
        let has = |socket: &&ConnectionKind| entry.endpoints.iter().any(|held| held.socket == socket.name());
        // One that stands under a wrong name has been told of.
        if entry.endpoints.len() < sockets.len() {
            for socket in sockets.iter().filter(|socket| !has(socket)) {
                let text =
                    format!("{noun} `{name}` has no `{socket}`: write \"{socket}\": \"HOST:PORT\", too");
                problems.add_with(|| Problem::at(self.value_place(&self.path_of(entry)), text));
            }
        }
    }
}
