//! What a service says of itself: its config, its connections, and which optional methods it has.

use crate::fault::Fault;
use crate::model::parts::{fields, first_repeated, flag, list, optional, required, text};
use crate::model::{Model, Shape, Shapes, named_choice};
use crate::value::{Map, Value};
use crate::wire::{Reader, Writer};

/// What a service says of itself, as `describe` prints it and as it crosses the plugin boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The name of its crate.
    pub name: String,
    /// The version of its crate.
    pub version: String,
    /// What it is for.
    pub doc: String,
    /// Whether it checks messages against its models itself; if not, the runtime does.
    pub checks_messages: bool,
    /// The config that it needs.
    pub config: Shape,
    /// Its connections, in the order they were declared. The position of one is its number at the plugin boundary.
    pub connections: Vec<ConnectionModel>,
    /// Its optional methods.
    pub hooks: Vec<(Hook, Run)>,
}

/// A declared connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionModel {
    /// What addresses, counters and errors call it.
    pub name: String,
    /// What it is for.
    pub doc: String,
    /// Of which type it is.
    pub kind: ConnectionKind,
    /// The arguments of a message.
    pub args: Shape,
    /// The return arguments; an empty record where none are due.
    pub returns: Shape,
    /// How its handler runs; of no meaning for requesters and publishers.
    pub run: Run,
    /// Whether its handler has the service to itself (`&mut self`).
    pub exclusive: bool,
    /// Options and settings that the author gave it.
    pub settings: Map,
}

/// The types of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionKind {
    /// In: answers requests.
    Replyer,
    /// In: takes what is published.
    Subscriber,
    /// Out: sends requests.
    Requester,
    /// Out: publishes.
    Publisher,
    /// Out: calls a function of the service, with no address.
    ExternalTarget,
}

/// How a handler runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Run {
    /// On the service's thread, to its end.
    #[default]
    Inline,
    /// On the service's thread, and may wait.
    Async,
    /// On a thread of a pool.
    Blocking,
}

/// The optional methods of a service, by the names of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hook {
    /// Starts work of its own, beside the handlers.
    Main,
    /// After the sockets are open, before main or the loop.
    Init,
    /// Gives keys that overwrite those of the config.
    SetupConfig,
    /// Gives the whole address book.
    SetupAddresses,
    /// Gives settings per connection.
    SetupConnections,
    /// Gives settings per state, once there are states: it is not called yet.
    SetupStates,
    /// On SIGINT, before the service stops.
    OnSigint,
    /// On SIGTERM, before the service stops.
    OnSigterm,
}

macro_rules! named {
    ($type:ident: $($variant:ident = $name:literal),+) => {
        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name, as authors and address books write it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The one of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Model for $type {
            fn shape(shapes: &mut Shapes) -> Shape {
                shapes.choice(stringify!($type), "", &[$($name),+])
            }

            fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
                let start = reader.offset();
                let name = String::decode(reader)?;
                Self::from_name(&name).ok_or_else(|| {
                    let found = format!("the text {}", crate::fault::quoted(&name));
                    Fault::mismatch(named_choice([$($name),+]), found).at_offset(start)
                })
            }

            fn encode(&self, writer: &mut Writer) {
                writer.text(self.name());
            }
        }
    };
}

named!(ConnectionKind: Replyer = "replyer", Subscriber = "subscriber", Requester = "requester",
    Publisher = "publisher", ExternalTarget = "external_target");
named!(Run: Inline = "inline", Async = "async", Blocking = "blocking");
named!(Hook: Main = "main", Init = "init", SetupConfig = "setup_config", SetupAddresses = "setup_addresses",
    SetupConnections = "setup_connections", SetupStates = "setup_states", OnSigint = "on_sigint",
    OnSigterm = "on_sigterm");

impl ConnectionKind {
    /// Whether messages come in by it.
    pub fn is_in(self) -> bool {
        matches!(self, Self::Replyer | Self::Subscriber)
    }

    /// Whether it has a handler in the service.
    pub fn has_handler(self) -> bool {
        self.is_in() || self == Self::ExternalTarget
    }

    /// Whether an answer is due.
    pub fn has_answer(self) -> bool {
        !matches!(self, Self::Subscriber | Self::Publisher)
    }

    /// `in` or `out`, as address books sort them.
    pub fn side(self) -> &'static str {
        if self.is_in() { "in" } else { "out" }
    }
}

impl Declaration {
    /// A service with nothing but a name.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            doc: String::new(),
            checks_messages: true,
            config: crate::model::describe::<()>(),
            connections: Vec::new(),
            hooks: Vec::new(),
        }
    }

    /// How the service runs a hook, if it has it.
    pub fn hook(&self, hook: Hook) -> Option<Run> {
        self.hooks.iter().find(|(held, _)| *held == hook).map(|(_, run)| *run)
    }

    /// A connection by its name, with its number.
    pub fn connection(&self, name: &str) -> Option<(usize, &ConnectionModel)> {
        self.connections.iter().enumerate().find(|(_, connection)| connection.name == name)
    }
}

/// The JSON of `describe`, which reads back to an equal declaration.
impl Model for Declaration {
    fn shape(_: &mut Shapes) -> Shape {
        Shape::Any
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let value = Value::decode(reader)?;
        let map = fields(
            &value,
            &["service", "version", "doc", "checks_messages", "config", "connections", "hooks"],
        )?;
        let mut declaration = Self::new(&required(map, "service", text)?, "");
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
fn message(shape: Shape) -> Result<Shape, Fault> {
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
    let settings = |value: &Value| match value {
        Value::Map(map) => Ok(map.clone()),
        other => Err(Fault::mismatch("a map", other.named())),
    };
    Ok(ConnectionModel {
        name: required(map, "name", connection_name)?,
        doc: optional(map, "doc", text)?.unwrap_or_default(),
        kind: required(map, "type", kind)?,
        args: message("args")?,
        returns: message("returns")?,
        run: optional(map, "run", run)?.unwrap_or_default(),
        exclusive: optional(map, "exclusive", flag)?.unwrap_or(false),
        settings: optional(map, "settings", settings)?.unwrap_or_default(),
    })
}

/// A text that address books, counters and errors can call a connection.
fn connection_name(value: &Value) -> Result<String, Fault> {
    match text(value)? {
        name if name.is_empty() => Err(Fault::mismatch("the name of a connection", value.named())),
        name => Ok(name),
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

fn run(value: &Value) -> Result<Run, Fault> {
    let known = || named_choice(Run::ALL.iter().map(|run| run.name()));
    value.as_text().and_then(Run::from_name).ok_or_else(|| Fault::mismatch(known(), value.named()))
}
