//! How the framework behaves, in numbers and choices that may be set beside an address.

mod layers;
mod states;
mod table;
mod takes;

use std::fmt;
use std::time::Duration;

use crate::declaration::ConnectionKind;
use crate::problem::Place;
use crate::value::Value;
use crate::wire::{Encoding, Limits, Peer};

pub(crate) use layers::{Layers, check_common, check_connection, check_state};
pub use states::{STATE_SETTINGS, StateSetting, StateSettings};
pub use table::SETTINGS;
pub use takes::Takes;

/// How one connection behaves. What a connection of its type does not have keeps its default and is of no meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// The topic that is subscribed to or published under, if there is one.
    pub topic: Option<String>,
    /// Whether a subscriber listens, and its publishers connect.
    pub is_binder: bool,
    /// Whether a publisher connects, to a proxy that many publish to.
    pub is_x_pub: bool,
    /// How long a publisher waits after opening, for its subscribers to connect.
    pub wait_after_creation: Duration,
    /// How many subscribers end that wait; 0 for none.
    pub wait_for_subscribers: usize,
    /// How long a call or a handler may take; `None` is without bound, which calls never are.
    pub deadline: Option<Duration>,
    /// Bounds on each message.
    pub limits: Limits,
    /// How many messages may wait: received ones of a subscriber, calls of a requester, publications for each subscriber.
    pub queue: usize,
    /// How many bytes may wait: received ones of a subscriber; of a replyer and a publisher, those to be sent to one peer.
    pub queue_bytes: usize,
    /// What becomes of a publication for a subscriber whose queue is full.
    pub slow_subscriber: SlowSubscriber,
    /// How many peers may connect.
    pub max_peers: usize,
    /// What happens when the queue of a subscriber is full.
    pub overflow: Overflow,
    /// Whether a request that was sent when its peer was lost is sent once more, and may so be done twice.
    pub idempotent: bool,
    /// After how many failures in a row a peer is asked but now and then; 0 for never.
    pub breaker_failures: usize,
    /// How often it is asked then.
    pub breaker_pause: Duration,
    /// The file with this side's key pair, if the connection is encrypted.
    pub curve_keys: Option<String>,
    /// The public key of whom it connects to.
    pub curve_server: Option<String>,
    /// The public keys of those who are let in, separated by spaces, or [`ANYBODY`].
    pub curve_allow: Option<String>,
    /// Who is at the other end.
    pub peer: Peer,
    /// How messages are written that answer none.
    pub encoding: Encoding,
}

/// Stands for all public keys in [`ConnectionSettings::curve_allow`].
pub const ANYBODY: &str = "anybody";

/// What becomes of an endpoint that is not encrypted and that others than this machine can reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Plaintext {
    /// It is warned of.
    #[default]
    Warn,
    /// Nothing.
    Allow,
    /// It is refused.
    Refuse,
}

impl Plaintext {
    /// What may be written for it.
    pub const NAMES: &[&str] = &["warn", "allow", "refuse"];
}

impl std::str::FromStr for Plaintext {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "warn" => Ok(Self::Warn),
            "allow" => Ok(Self::Allow),
            "refuse" => Ok(Self::Refuse),
            _ => Err("expected warn, allow or refuse".to_owned()),
        }
    }
}

/// What happens when a queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// The socket is not read until there is room.
    #[default]
    Wait,
    /// The oldest message is dropped, and counted.
    DropOldest,
}

/// What becomes of a publication when the queue of a subscriber is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SlowSubscriber {
    /// It is dropped for that subscriber, and counted.
    #[default]
    DropNewest,
    /// The oldest that waits for that subscriber is dropped, and counted.
    DropOldest,
    /// It is sent to nobody until all have room.
    Wait,
    /// That subscriber is disconnected.
    Disconnect,
}

impl SlowSubscriber {
    /// What may be written for it, in the order of the variants.
    pub const NAMES: &[&str] = &["drop_newest", "drop_oldest", "wait", "disconnect"];

    /// All of them.
    pub const ALL: [Self; 4] = [Self::DropNewest, Self::DropOldest, Self::Wait, Self::Disconnect];

    /// What is written for it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// How a service as a whole behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSettings {
    /// How many handlers may run or wait for their turn; requests beyond are answered `busy`.
    pub in_flight: usize,
    /// The most threads for blocking handlers, and for external targets that block as many again.
    pub blocking_threads: usize,
    /// How long stopping waits for work that has begun.
    pub drain: Duration,
    /// After how long a handler that holds the service's thread is named in the log; zero for never.
    pub watchdog: Duration,
    /// The longest workflow id that is taken, in bytes.
    pub max_workflow_id_bytes: usize,
    /// How often peers are asked for a sign of life; zero for never.
    pub heartbeat: Duration,
    /// For how long the service's thread looks for the next message before it sleeps; zero for not at all.
    pub spin: Duration,
    /// What becomes of endpoints that are not encrypted and that others can reach.
    pub plaintext: Plaintext,
    /// The transport engine, by its name.
    pub engine: String,
}

impl ConnectionSettings {
    /// How a connection of this type behaves that nobody says anything of.
    pub fn default_of(kind: ConnectionKind) -> Self {
        let mut settings = Self {
            topic: None,
            is_binder: false,
            is_x_pub: false,
            wait_after_creation: Duration::ZERO,
            wait_for_subscribers: 0,
            deadline: None,
            limits: Limits::default(),
            queue: 0,
            queue_bytes: 0,
            slow_subscriber: SlowSubscriber::default(),
            max_peers: 0,
            overflow: Overflow::default(),
            idempotent: false,
            breaker_failures: 0,
            breaker_pause: Duration::ZERO,
            curve_keys: None,
            curve_server: None,
            curve_allow: None,
            peer: Peer::default(),
            encoding: Encoding::default(),
        };
        for setting in SETTINGS.iter().filter(|setting| setting.is_of(kind)) {
            if let Set::Connection(set) = setting.set {
                set(&mut settings, &(setting.default)(Some(kind)));
            }
        }
        settings
    }

    /// Whether a connection of this type listens at its address, instead of connecting to it.
    pub fn listens(&self, kind: ConnectionKind) -> bool {
        match kind {
            ConnectionKind::Replyer => true,
            ConnectionKind::Publisher => !self.is_x_pub,
            ConnectionKind::Subscriber => self.is_binder,
            ConnectionKind::Requester | ConnectionKind::ExternalTarget => false,
        }
    }
}

impl Default for ServiceSettings {
    fn default() -> Self {
        let mut settings = Self {
            in_flight: 0,
            blocking_threads: 0,
            drain: Duration::ZERO,
            watchdog: Duration::ZERO,
            max_workflow_id_bytes: 0,
            heartbeat: Duration::ZERO,
            spin: Duration::ZERO,
            plaintext: Plaintext::default(),
            engine: String::new(),
        };
        for setting in SETTINGS {
            if let Set::Service(set) = setting.set {
                set(&mut settings, &(setting.default)(None));
            }
        }
        settings
    }
}

/// A setting: what it is called, what it does, what it takes. [`SETTINGS`] holds all of them.
#[derive(Debug)]
pub struct Setting {
    /// What it is called, with its unit last.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// The types of connections that have it; none for a setting of the service as a whole.
    pub kinds: &'static [ConnectionKind],
    /// What it may be set to.
    pub takes: Takes,
    /// Whether it is of one connection alone, and so cannot stand under `settings` at the top of the book.
    is_own: bool,
    default: fn(Option<ConnectionKind>) -> Value,
    set: Set,
}

#[derive(Clone, Copy, Debug)]
enum Set {
    Connection(fn(&mut ConnectionSettings, &Value)),
    Service(fn(&mut ServiceSettings, &Value)),
}

impl Setting {
    /// The setting of that name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// What it is when nobody sets it, for a connection of this type or, given none, for the service.
    pub fn default(&self, kind: Option<ConnectionKind>) -> Value {
        (self.default)(kind)
    }

    /// Whether connections of this type have it.
    pub fn is_of(&self, kind: ConnectionKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether it is one of the service as a whole.
    pub fn is_of_service(&self) -> bool {
        self.kinds.is_empty()
    }
}

/// Who set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// The author, at the connection.
    Attribute,
    /// The author's `setup_connections`.
    SetupConnections,
    /// The author's `setup_states`.
    SetupStates,
    /// The address book, and where in it.
    Book(Place),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Attribute => f.write_str("attribute"),
            Self::SetupConnections => f.write_str("setup_connections"),
            Self::SetupStates => f.write_str("setup_states"),
            Self::Book(place) => place.fmt(f),
        }
    }
}

/// What a setting came out as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Of which connection, or state and socket as in `book.subscriber`; `None` for the service as a whole.
    pub connection: Option<String>,
    /// The name of the setting.
    pub setting: &'static str,
    /// Its value, as text for people.
    pub value: String,
    /// Who set it.
    pub origin: Origin,
}
