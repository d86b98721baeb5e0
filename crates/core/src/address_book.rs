//! The address book of a service: connection or state, socket, endpoint and its settings.

mod check;
mod read;

use crate::address::Address;
use crate::fault::Step;
use crate::file::Document;
use crate::problem::Place;
use crate::value::{Map, Value};

/// Where the connections and states of a service live, and how they behave, as the person who runs it says.
///
/// Both shapes of the Python original are read: `connections` and `states` at the top, each with `in` and `out` (0.0.18),
/// and `in` and `out` at the top (0.0.20). An endpoint is an address, or a map with an `address` and settings; `settings`
/// at the top holds those of the service as a whole, and what its connections have in common.
///
/// ```
/// use service_framework_core::address_book::AddressBook;
/// use service_framework_core::file::{Document, JsonFile};
/// use service_framework_core::problem::Problems;
///
/// let file = JsonFile::from_text("addresses/gateway.json", r#"{
///     "in": {"cancel_order": {"replyer": "*:8001"}},
///     "out": {"audit": {"requester": {"address": "localhost:8002", "deadline_s": 2}}},
///     "settings": {"in_flight": 64}
/// }"#);
/// let mut problems = Problems::new();
/// let document = Document::read(file, &mut problems);
/// let book = AddressBook::read(&document, &mut problems);
/// assert!(problems.is_empty());
/// let audit = &book.entry("audit").unwrap().endpoints[0];
/// assert_eq!(audit.address.as_ref().unwrap().to_string(), "localhost:8002");
/// ```
#[derive(Clone, Debug, Default)]
pub struct AddressBook {
    form: Form,
    /// Settings of the service as a whole, and those that its connections have in common.
    pub settings: Map,
    /// What it says of connections: those of `in`, then those of `out`.
    pub connections: Vec<Entry>,
    /// What it says of states, likewise.
    pub states: Vec<Entry>,
    document: Option<Document>,
    /// Whether a part of it that may hold connections was no such part, which has been reported.
    is_partial: bool,
}

/// What a book says of one connection or state.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Whether it is one of a connection or of a state.
    pub group: Group,
    /// Under which of the two it stands.
    pub side: Side,
    /// Its name.
    pub name: String,
    /// An endpoint for each socket: connections have one, states of deltas two.
    pub endpoints: Vec<Endpoint>,
    /// Whether it was left unfinished because of a mistake, which has been reported.
    unread: bool,
}

/// Where a socket lives, and how it behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The kind of socket: `replyer`, `subscriber`, `requester`, `publisher`.
    pub socket: String,
    /// Its address; none for an external target, which may have settings all the same.
    pub address: Option<Address>,
    /// The settings beside the address.
    pub settings: Map,
}

/// What a book tells the addresses of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Connections.
    Connections,
    /// States.
    States,
}

impl Group {
    /// `connections` or `states`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::States => "states",
        }
    }

    /// `connection` or `state`.
    fn noun(self) -> &'static str {
        match self {
            Self::Connections => "connection",
            Self::States => "state",
        }
    }
}

/// The two directions of connections and states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Messages come in.
    In,
    /// Messages go out.
    Out,
}

impl Side {
    const ALL: [Self; 2] = [Self::In, Self::Out];

    /// `in` or `out`.
    pub fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// How a book is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// `in` and `out` at the top.
    #[default]
    Sides,
    /// `connections` and `states` at the top.
    Groups,
}

impl AddressBook {
    /// What it is called in messages: its file, or what gave it; `None` if there is no book.
    pub fn name(&self) -> Option<String> {
        self.document.as_ref().map(Document::name)
    }

    /// What it says of a connection.
    pub fn entry(&self, connection: &str) -> Option<&Entry> {
        self.connections.iter().find(|entry| entry.name == connection)
    }

    /// The book as a value, laid out as it was read.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        match self.form {
            Form::Sides => map = sides(&self.connections),
            Form::Groups => {
                map.insert("connections", sides(&self.connections));
                map.insert("states", sides(&self.states));
            }
        }
        if !self.settings.is_empty() {
            map.insert("settings", self.settings.clone());
        }
        Value::Map(map)
    }

    /// Where a setting at the top stands.
    pub(crate) fn place_of_setting(&self, name: &str) -> Place {
        self.key_place(&path(&["settings", name]))
    }

    /// Where a setting of an endpoint stands.
    pub(crate) fn place_of_endpoint_setting(&self, entry: &Entry, endpoint: &Endpoint, name: &str) -> Place {
        let mut path = self.path_of(entry);
        path.extend([Step::Field(endpoint.socket.clone()), Step::Field(name.to_owned())]);
        self.key_place(&path)
    }

    /// Where the address of an endpoint stands.
    pub(crate) fn place_of_address(&self, entry: &Entry, endpoint: &Endpoint) -> Place {
        let mut path = self.path_of(entry);
        path.extend([Step::Field(endpoint.socket.clone()), Step::Field("address".to_owned())]);
        self.value_place(&path)
    }

    /// The steps to an entry.
    fn path_of(&self, entry: &Entry) -> Vec<Step> {
        let mut path = self.path_of_side(entry.group, entry.side);
        path.push(Step::Field(entry.name.clone()));
        path
    }

    fn path_of_side(&self, group: Group, side: Side) -> Vec<Step> {
        match (self.form, group) {
            (Form::Sides, Group::Connections) => path(&[side.name()]),
            _ => path(&[group.name(), side.name()]),
        }
    }

    fn entries(&self, group: Group) -> &[Entry] {
        match group {
            Group::Connections => &self.connections,
            Group::States => &self.states,
        }
    }

    fn key_place(&self, path: &[Step]) -> Place {
        match &self.document {
            Some(document) => document.key_place(path),
            None => Place::Code("the address book".into()),
        }
    }

    fn value_place(&self, path: &[Step]) -> Place {
        match &self.document {
            Some(document) => document.value_place(path),
            None => Place::Code("the address book".into()),
        }
    }
}

/// Two books are equal that say the same in the same shape, wherever they were read.
impl PartialEq for AddressBook {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
            && self.settings == other.settings
            && self.connections == other.connections
            && self.states == other.states
    }
}

fn path(steps: &[&str]) -> Vec<Step> {
    steps.iter().map(|step| Step::Field((*step).to_owned())).collect()
}

fn sides(entries: &[Entry]) -> Map {
    let mut map = Map::new();
    for side in Side::ALL {
        let entries = entries.iter().filter(|entry| entry.side == side);
        let entries: Map = entries.map(|entry| (&*entry.name, entry_to_map(entry))).collect();
        if !entries.is_empty() {
            map.insert(side.name(), entries);
        }
    }
    map
}

fn entry_to_map(entry: &Entry) -> Map {
    let endpoint = |endpoint: &Endpoint| {
        let address = endpoint.address.as_ref().map(|address| Value::from(address.to_string()));
        let value = match address {
            Some(address) if endpoint.settings.is_empty() => address,
            address => {
                let address = address.map(|address| (Value::from("address"), address));
                Value::Map(address.into_iter().chain(endpoint.settings.clone()).collect())
            }
        };
        (Value::from(&*endpoint.socket), value)
    };
    entry.endpoints.iter().map(endpoint).collect()
}
