//! The JSON of a declaration, as `describe` prints it and reads it back.

use super::state::states;
use super::{ConnectionKind, ConnectionModel, Declaration, Hook, Run};
use crate::fault::Fault;
use crate::model::parts::{fields, first_repeated, flag, list, optional, required, text};
use crate::model::{Model, Shape, Shapes, named_choice};
use crate::shown::must_be_escaped;
use crate::value::{Map, Value};
use crate::wire::{Reader, Writer};

/// The JSON of `describe`, which reads back to an equal declaration.
impl Model for Declaration {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Any
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let value = Value::decode(reader)?;
        let map = fields(
            &value,
            &["service", "version", "doc", "checks_messages", "config", "connections", "states", "hooks"],
        )?;
        let mut declaration = Self::new(&required(map, "service", name)?, "");
        for (field, value) in map.iter().filter_map(|(key, value)| Some((key.as_text()?, value))) {
            let within = |fault: Fault| fault.within(field);
            match field {
                "version" => declaration.version = text(value).map_err(within)?,
                "doc" => declaration.doc = text(value).map_err(within)?,
                "checks_messages" => declaration.checks_messages = flag(value).map_err(within)?,
                "config" => {
                    declaration.config = Shape::from_value(value).and_then(message).map_err(within)?;
                }
                "connections" => declaration.connections = connections(value).map_err(within)?,
                "states" => declaration.states = states(value).map_err(within)?,
                "hooks" => declaration.hooks = hooks(value).map_err(within)?,
                _ => {}
            }
        }
        Ok(declaration)
    }

    fn encode(&self, writer: &mut Writer) {
        let mut map = Map::new();
        map.insert("service", &*self.name);
        map.insert("version", &*self.version);
        map.insert("doc", &*self.doc);
        map.insert("checks_messages", self.checks_messages);
        map.insert("config", self.config.to_value());
        let connections = self.connections.iter().map(|connection| Value::Map(connection.to_map()));
        map.insert("connections", connections.collect::<Vec<_>>());
        if !self.states.is_empty() {
            let states = self.states.iter().map(|state| Value::Map(state.to_map()));
            map.insert("states", states.collect::<Vec<_>>());
        }
        let hooks: Map = self.hooks.iter().map(|(hook, run)| (hook.name(), run.name())).collect();
        map.insert("hooks", hooks);
        map.encode(writer);
    }
}

impl ConnectionModel {
    fn to_map(&self) -> Map {
        let mut map = Map::new();
        map.insert("name", &*self.name);
        if !self.doc.is_empty() {
            map.insert("doc", &*self.doc);
        }
        map.insert("type", self.kind.name());
        map.insert("args", self.args.to_value());
        if self.kind.has_answer() {
            map.insert("returns", self.returns.to_value());
        }
        if self.kind.has_handler() {
            map.insert("run", self.run.name());
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

/// Refuses a shape whose values have no named fields, as messages and configs do.
pub(super) fn message(shape: Shape) -> Result<Shape, Fault> {
    match shape {
        Shape::Any | Shape::Map(..) | Shape::Record(_) => Ok(shape),
        _ => Err(Fault::mismatch(
            "the model of a map, such as a struct with fields",
            format!("that of {}", shape.named()),
        )),
    }
}

fn connections(value: &Value) -> Result<Vec<ConnectionModel>, Fault> {
    let connections = list(value, connection)?;
    match first_repeated(connections.iter().map(|connection| &*connection.name)) {
        Some(name) => {
            Err(Fault::malformed(format!("two connections are called {}", crate::fault::quoted(name))))
        }
        None => Ok(connections),
    }
}

fn connection(value: &Value) -> Result<ConnectionModel, Fault> {
    let map = fields(value, &["name", "doc", "type", "args", "returns", "run", "exclusive", "settings"])?;
    let message = |field: &str| {
        let shape = optional(map, field, Shape::from_value)?.unwrap_or_else(crate::model::describe::<()>);
        message(shape).map_err(|fault| fault.within(field))
    };
    let kind = |value: &Value| {
        let known = || named_choice(ConnectionKind::ALL.iter().map(|kind| kind.name()));
        value
            .as_text()
            .and_then(ConnectionKind::from_name)
            .ok_or_else(|| Fault::mismatch(known(), value.named()))
    };
    Ok(ConnectionModel {
        name: required(map, "name", name)?,
        doc: optional(map, "doc", text)?.unwrap_or_default(),
        kind: required(map, "type", kind)?,
        args: message("args")?,
        returns: message("returns")?,
        run: optional(map, "run", run)?.unwrap_or_default(),
        exclusive: optional(map, "exclusive", flag)?.unwrap_or(false),
        settings: optional(map, "settings", settings)?.unwrap_or_default(),
    })
}

/// A text that address books, counters, log files and errors can call a service, a connection or a state.
pub(super) fn name(value: &Value) -> Result<String, Fault> {
    match text(value)? {
        name if name.is_empty() => Err(Fault::mismatch("a name", value.named())),
        name if name.contains(|c| c == '/' || must_be_escaped(c)) => {
            Err(Fault::mismatch("a name without `/` and control characters", value.named()))
        }
        name => Ok(name),
    }
}

pub(super) fn settings(value: &Value) -> Result<Map, Fault> {
    match value {
        Value::Map(map) => Ok(map.clone()),
        other => Err(Fault::mismatch("a map", other.named())),
    }
}

fn hooks(value: &Value) -> Result<Vec<(Hook, Run)>, Fault> {
    let map = value.as_map().ok_or_else(|| Fault::mismatch("a map", value.named()))?;
    let hook = |(key, value): (&Value, &Value)| {
        let name = key.as_text().unwrap_or_default();
        let known = Hook::ALL.iter().map(|hook| hook.name());
        let hook = Hook::from_name(name).ok_or_else(|| Fault::unknown(name, known))?;
        Ok((hook, run(value).map_err(|fault| fault.within(name))?))
    };
    map.iter().map(hook).collect()
}

pub(super) fn run(value: &Value) -> Result<Run, Fault> {
    let known = || named_choice(Run::ALL.iter().map(|run| run.name()));
    value.as_text().and_then(Run::from_name).ok_or_else(|| Fault::mismatch(known(), value.named()))
}
