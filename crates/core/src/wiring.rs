//! What a service is wired to: each declared connection and state with its addresses and settings, all of it checked.

mod check;

use self::check::{check_listeners, check_shared, check_wired};
use crate::address::Address;
use crate::address_book::{AddressBook, Endpoint, Entry};
use crate::declaration::{ConnectionKind, ConnectionModel, Declaration, StateKind, StateModel};
use crate::fault::Step;
use crate::file::Document;
use crate::problem::{Place, Problem, Problems, meant};
use crate::settings::{self, Chosen, ConnectionSettings, Layers, Origin, ServiceSettings, StateSettings};
use crate::shown::named;
use crate::value::{Map, Value};

/// What a service is wired to, and how it behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// How the service as a whole behaves.
    pub service: ServiceSettings,
    /// Its connections, in the order they were declared.
    pub connections: Vec<Wired>,
    /// Its states, in the order they were declared.
    pub states: Vec<WiredState>,
    /// Each setting of the service, then of each connection, then of each state and of its sockets, with who set it.
    pub chosen: Vec<Chosen>,
}

/// A state, wired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WiredState {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: StateKind,
    /// How it behaves.
    pub settings: StateSettings,
    /// The socket by which its updates go.
    pub updates: Wired,
    /// The socket by which the whole is asked for, where there is one.
    pub snapshots: Option<Wired>,
}

/// A connection, or a socket of a state, wired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wired {
    /// Its name, or that of its state.
    pub name: String,
    /// Its type.
    pub kind: ConnectionKind,
    /// Where it lives; `None` for an external target alone, unless problems were found.
    pub address: Option<Address>,
    /// Where its address stands.
    pub place: Option<Place>,
    /// Whether it listens at its address, instead of connecting to it.
    pub listens: bool,
    /// How it behaves.
    pub settings: ConnectionSettings,
}

/// What the service's own code gave beside the attributes: for each name a map of settings.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What `setup_connections` gave.
    pub connections: Option<Document>,
    /// What `setup_states` gave.
    pub states: Option<Document>,
}

/// Brings together what a service declares, what its `setup_connections` and `setup_states` gave, and its address book.
///
/// What does not fit is added to `problems`; the wiring may be used only if there is none.
pub fn wire(declaration: &Declaration, given: &Setup, book: &AddressBook, problems: &mut Problems) -> Wiring {
    book.check(declaration, problems);
    settings::check_common(&book.settings, |name| book.place_of_setting(name), problems);
    let of_connections = given.connections.as_ref().and_then(|document| {
        let names: Vec<_> = declaration.connections.iter().map(|model| &*model.name).collect();
        check_given("connection", &names, document, problems, |name, settings, place, problems| {
            if let Some((_, model)) = declaration.connection(name) {
                settings::check_connection(name, model.kind, settings, place, problems);
            }
        })
    });
    let of_states = given.states.as_ref().and_then(|document| {
        let names: Vec<_> = declaration.states.iter().map(|model| &*model.name).collect();
        check_given("state", &names, document, problems, |name, settings, place, problems| {
            if let Some((_, model)) = declaration.state(name) {
                settings::check_state(name, model.kind, model.kind.sockets(), settings, place, problems);
            }
        })
    });
    let mut layers = Layers::default();
    layers.push(&book.settings, |name| Origin::Book(book.place_of_setting(name)));
    let mut chosen = Vec::new();
    let service = layers.service(&mut chosen);
    let connections = declaration.connections.iter().map(|model| {
        let given = of_connections.and_then(|map| map.get(&model.name)).and_then(Value::as_map);
        connection(model, given, book, &service, &mut chosen, problems)
    });
    let connections: Vec<_> = connections.collect();
    let states = declaration.states.iter().map(|model| {
        let given = of_states.and_then(|map| map.get(&model.name)).and_then(Value::as_map);
        state(model, given, book, &service, &mut chosen, problems)
    });
    let states: Vec<_> = states.collect();
    let wiring = Wiring { service, connections, states, chosen };
    let sockets: Vec<&Wired> = wiring.sockets().collect();
    check_listeners(&sockets, problems);
    check_shared(&sockets, problems);
    wiring
}

impl Wiring {
    /// The sockets of all connections, then those of all states.
    pub fn sockets(&self) -> impl Iterator<Item = &Wired> {
        self.connections.iter().chain(self.states.iter().flat_map(WiredState::sockets))
    }
}

impl WiredState {
    /// Its sockets: the one by which its updates go, then the one by which the whole is asked for.
    pub fn sockets(&self) -> impl Iterator<Item = &Wired> {
        [&self.updates].into_iter().chain(&self.snapshots)
    }
}

/// The settings that code gave for each of `names`, checked by `check`.
fn check_given<'d>(
    noun: &str,
    names: &[&str],
    document: &'d Document,
    problems: &mut Problems,
    check: impl Fn(&str, &Map, &dyn Fn(&str) -> Place, &mut Problems),
) -> Option<&'d Map> {
    let wrong = |text: String, name: &str, problems: &mut Problems| {
        problems.add_with(|| Problem::at(document.key_place(&[Step::Field(name.to_owned())]), text));
    };
    let value = document.value()?;
    let Some(map) = value.as_map() else {
        let text = format!("expected a map of settings for each {noun}, got {}", value.named());
        wrong(text, "", problems);
        return None;
    };
    for (name, value) in map.iter() {
        let name = name.as_text().unwrap_or_default();
        if !names.contains(&name) {
            let meant = meant(name, noun, names.iter().copied());
            let text = format!("{} is no {noun} of the service{meant}", named(name));
            wrong(text, name, problems);
            continue;
        }
        let Some(settings) = value.as_map() else {
            wrong(format!("`{name}`: expected a map of settings, got {}", value.named()), name, problems);
            continue;
        };
        let place = |setting: &str| {
            document.key_place(&[Step::Field(name.to_owned()), Step::Field(setting.to_owned())])
        };
        check(name, settings, &place, problems);
    }
    Some(map)
}

fn connection(
    model: &ConnectionModel,
    given: Option<&Map>,
    book: &AddressBook,
    service: &ServiceSettings,
    chosen: &mut Vec<Chosen>,
    problems: &mut Problems,
) -> Wired {
    let (name, kind) = (&model.name, model.kind);
    settings::check_connection(name, kind, &model.settings, attribute, problems);
    let mut layers = authors(&model.settings, given, Origin::SetupConnections);
    layers.push(&book.settings, |name| Origin::Book(book.place_of_setting(name)));
    let found = book.endpoint(model, kind);
    if let Some((entry, endpoint)) = found {
        let place = |name: &str| book.place_of_endpoint_setting(entry, endpoint, name);
        settings::check_connection(name, kind, &endpoint.settings, place, problems);
        layers.push(&endpoint.settings, move |name| Origin::Book(place(name)));
    }
    let settings = layers.connection(name, kind, chosen);
    wired(name, kind, found, settings, book, service, problems)
}

fn state(
    model: &StateModel,
    given: Option<&Map>,
    book: &AddressBook,
    service: &ServiceSettings,
    chosen: &mut Vec<Chosen>,
    problems: &mut Problems,
) -> WiredState {
    let (name, kind) = (&model.name, model.kind);
    settings::check_state(name, kind, kind.sockets(), &model.settings, attribute, problems);
    let mut layers = authors(&model.settings, given, Origin::SetupStates);
    let updates = book.endpoint(model, kind.sockets()[0]);
    if let Some((entry, endpoint)) = updates {
        let place = move |name: &str| Origin::Book(book.place_of_endpoint_setting(entry, endpoint, name));
        layers.push(&endpoint.settings, place);
    }
    let settings = layers.state(name, kind, chosen);
    let mut socket = |socket: ConnectionKind, chosen: &mut Vec<Chosen>| {
        let mut layers = authors(&model.settings, given, Origin::SetupStates);
        layers.push(&book.settings, |name| Origin::Book(book.place_of_setting(name)));
        let found = book.endpoint(model, socket);
        if let Some((entry, endpoint)) = found {
            let place = |name: &str| book.place_of_endpoint_setting(entry, endpoint, name);
            settings::check_state(name, kind, &[socket], &endpoint.settings, place, problems);
            layers.push(&endpoint.settings, move |name| Origin::Book(place(name)));
        }
        let mut of_socket = layers.state_socket(name, kind, socket, chosen);
        let is_usual = settings.slow_subscriber == StateSettings::default_of(kind).slow_subscriber;
        match kind.is_in() {
            true => of_socket.limits.max_values = settings.max_values,
            // That engine has no choice, which is told only to those who make one.
            false if service.engine == "zeromq" && is_usual => {}
            false => of_socket.slow_subscriber = settings.slow_subscriber,
        }
        wired(name, socket, found, of_socket, book, service, problems)
    };
    let updates = socket(kind.sockets()[0], chosen);
    let snapshots = kind.sockets().get(1).map(|kind| socket(*kind, chosen));
    WiredState { name: name.clone(), kind, settings, updates, snapshots }
}

fn attribute(_: &str) -> Place {
    Place::Code("the attribute".into())
}

/// What the author has set, at the connection or state and in the method that sets up all of them.
fn authors<'a>(attributes: &'a Map, given: Option<&'a Map>, by: Origin) -> Layers<'a> {
    let mut layers = Layers::default();
    layers.push(attributes, |_| Origin::Attribute);
    if let Some(given) = given {
        layers.push(given, move |_| by.clone());
    }
    layers
}

fn wired(
    name: &str,
    kind: ConnectionKind,
    found: Option<(&Entry, &Endpoint)>,
    settings: ConnectionSettings,
    book: &AddressBook,
    service: &ServiceSettings,
    problems: &mut Problems,
) -> Wired {
    let wired = Wired {
        name: name.to_owned(),
        kind,
        address: found.and_then(|(_, endpoint)| endpoint.address.clone()),
        place: found.map(|(entry, endpoint)| book.place_of_address(entry, endpoint)),
        listens: settings.listens(kind),
        settings,
    };
    check_wired(&wired, service, problems);
    wired
}

impl Wired {
    /// Whether others than this machine can reach it, or are reached by it, and can read and change what goes by.
    pub fn is_exposed(&self) -> bool {
        let leaves = self.address.as_ref().is_some_and(Address::leaves_this_machine);
        leaves && self.settings.curve_keys.is_none()
    }
}

/// Says that a connection would leave this machine unencrypted, which is not wanted.
pub fn refuse_plaintext(name: &str, address: &Address) -> String {
    format!(
        "`{name}` at `{address}` is not encrypted, and `plaintext` is refuse: set `curve_keys`, or have it stay on this machine"
    )
}
