//! What a service says of a state: a value that one service owns and others hold a copy of.

use super::json::{message, name, run, settings};
use super::{ConnectionKind, Run};
use crate::fault::Fault;
use crate::model::parts::{fields, first_repeated, flag, list, optional, required, text};
use crate::model::{Shape, named_choice};
use crate::value::{Map, Value};

/// A declared state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateModel {
    /// What addresses, counters and errors call it.
    pub name: String,
    /// What it is for.
    pub doc: String,
    /// Of which type it is.
    pub kind: StateKind,
    /// The value, whole.
    pub state: Shape,
    /// How the handler runs that is called after each update; `None` if there is none.
    pub run: Option<Run>,
    /// Whether that handler has the service to itself (`&mut self`).
    pub exclusive: bool,
    /// Options and settings that the author gave it.
    pub settings: Map,
}

/// The types of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateKind {
    /// In: a copy of what another service publishes whole.
    FullUpdateIn,
    /// Out: published whole whenever it is set.
    FullUpdateOut,
    /// In: a copy of what another service publishes by its changes.
    DeltaUpdateIn,
    /// Out: published by its changes, and whole to those who ask.
    DeltaUpdateOut,
}

impl StateKind {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::FullUpdateIn, Self::FullUpdateOut, Self::DeltaUpdateIn, Self::DeltaUpdateOut];

    /// Its name, as authors and address books write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FullUpdateIn => "full_update_in",
            Self::FullUpdateOut => "full_update_out",
            Self::DeltaUpdateIn => "delta_update_in",
            Self::DeltaUpdateOut => "delta_update_out",
        }
    }

    /// The one of that name; the names that the original's README has for copies are read, too.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "local_variable_full_update" => Some(Self::FullUpdateIn),
            "local_variable_delta_update" => Some(Self::DeltaUpdateIn),
            _ => Self::ALL.iter().copied().find(|kind| kind.name() == name),
        }
    }

    /// Whether it is a copy of what another service owns.
    pub fn is_in(self) -> bool {
        matches!(self, Self::FullUpdateIn | Self::DeltaUpdateIn)
    }

    /// Whether it is published by its changes.
    pub fn is_delta(self) -> bool {
        matches!(self, Self::DeltaUpdateIn | Self::DeltaUpdateOut)
    }

    /// `in` or `out`, as address books sort them.
    pub fn side(self) -> &'static str {
        if self.is_in() { "in" } else { "out" }
    }

    /// Its sockets, as address books name them: the one by which updates go first, then the one by which the whole is asked for.
    pub fn sockets(self) -> &'static [ConnectionKind] {
        use ConnectionKind::{Publisher, Replyer, Requester, Subscriber};
        match self {
            Self::FullUpdateIn => &[Subscriber],
            Self::FullUpdateOut => &[Publisher],
            Self::DeltaUpdateIn => &[Subscriber, Requester],
            Self::DeltaUpdateOut => &[Publisher, Replyer],
        }
    }
}

impl std::fmt::Display for StateKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl StateModel {
    pub(super) fn to_map(&self) -> Map {
        let mut map = Map::new();
        map.insert("name", &*self.name);
        if !self.doc.is_empty() {
            map.insert("doc", &*self.doc);
        }
        map.insert("type", self.kind.name());
        map.insert("state", self.state.to_value());
        if let Some(run) = self.run {
            map.insert("run", run.name());
        }
        if self.exclusive {
            map.insert("exclusive", true);
        }
        if !self.settings.is_empty() {
            map.insert("settings", self.settings.clone());
        }
        map
    }
}

pub(super) fn states(value: &Value) -> Result<Vec<StateModel>, Fault> {
    let states = list(value, state)?;
    match first_repeated(states.iter().map(|state| &*state.name)) {
        Some(name) => Err(Fault::malformed(format!("two states are called {}", crate::fault::quoted(name)))),
        None => Ok(states),
    }
}

fn state(value: &Value) -> Result<StateModel, Fault> {
    let map = fields(value, &["name", "doc", "type", "state", "run", "exclusive", "settings"])?;
    let kind = |value: &Value| {
        let known = || named_choice(StateKind::ALL.iter().map(|kind| kind.name()));
        value.as_text().and_then(StateKind::from_name).ok_or_else(|| Fault::mismatch(known(), value.named()))
    };
    let shape = optional(map, "state", Shape::from_value)?.unwrap_or(Shape::Any);
    Ok(StateModel {
        name: required(map, "name", name)?,
        doc: optional(map, "doc", text)?.unwrap_or_default(),
        kind: required(map, "type", kind)?,
        state: message(shape).map_err(|fault| fault.within("state"))?,
        run: optional(map, "run", run)?,
        exclusive: optional(map, "exclusive", flag)?.unwrap_or(false),
        settings: optional(map, "settings", settings)?.unwrap_or_default(),
    })
}
