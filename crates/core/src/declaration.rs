//! What a service says of itself: its config, its connections, its states, and which optional methods it has.

mod json;
mod state;

use crate::fault::Fault;
use crate::model::{Model, Shape, Shapes, named_choice};
use crate::value::Map;
use crate::wire::{Reader, Writer};

pub use state::{StateKind, StateModel};

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
    /// Its states, in the order they were declared. Their numbers follow those of the connections.
    pub states: Vec<StateModel>,
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
    /// Gives settings per state.
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
            states: Vec::new(),
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

    /// A state by its name, with its position among the states.
    pub fn state(&self, name: &str) -> Option<(usize, &StateModel)> {
        self.states.iter().enumerate().find(|(_, state)| state.name == name)
    }

    /// How a handler runs, by the number of its connection, or of its state after these.
    pub fn run(&self, number: usize) -> Option<Run> {
        match self.connections.get(number) {
            Some(connection) => Some(connection.run),
            None => self.states.get(number - self.connections.len()).and_then(|state| state.run),
        }
    }
}
