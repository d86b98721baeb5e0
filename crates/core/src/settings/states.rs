//! The settings that states have beside those of their sockets.

use std::time::Duration;

use super::takes::{Takes, count, duration};
use super::{Setting, SlowSubscriber};
use crate::declaration::ConnectionKind;
use crate::declaration::StateKind::{self, DeltaUpdateIn, DeltaUpdateOut, FullUpdateIn, FullUpdateOut};
use crate::value::Value;

/// How a state behaves. What a state of its type does not have keeps its default and is of no meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSettings {
    /// How often an owner publishes at least; zero if it publishes only what changes.
    pub heartbeat: Duration,
    /// After how long without an update a copy is stale; `None` if it may be silent for ever.
    pub expect_every: Option<Duration>,
    /// How many updates may wait for the handler.
    pub queue: usize,
    /// How many updates may be held back while the whole is asked for.
    pub held: usize,
    /// How many values, keys included, a message with the state may have.
    pub max_values: usize,
    /// What becomes of an update for a copy whose queue is full.
    pub slow_subscriber: SlowSubscriber,
}

/// A setting of states: what it is called, what it does, what it takes. It is written beside the address of the socket by which updates go.
#[derive(Debug)]
pub struct StateSetting {
    /// What it is called, with its unit last.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// The types of states that have it.
    pub kinds: &'static [StateKind],
    /// What it may be set to.
    pub takes: Takes,
    default: fn(StateKind) -> Value,
    pub(super) set: fn(&mut StateSettings, &Value),
}

impl StateSetting {
    /// What it is when nobody sets it.
    pub fn default(&self, kind: StateKind) -> Value {
        (self.default)(kind)
    }

    pub(super) fn allows(&self, kind: StateKind, value: &Value) -> bool {
        self.takes.allows(value) || *value == Value::Null && self.default(kind) == Value::Null
    }

    /// The setting of that name, for states of this type.
    pub(super) fn by_name(name: &str, kind: StateKind) -> Option<&'static Self> {
        STATE_SETTINGS.iter().find(|setting| setting.name == name && setting.kinds.contains(&kind))
    }
}

/// All settings that states have beside those of their sockets.
pub static STATE_SETTINGS: &[StateSetting] = &[
    StateSetting {
        name: "heartbeat_s",
        doc: "How often an owner publishes at least: a change that changes nothing, if there is none, so that a restarted owner, a lost \
              message and a copy that went wrong are noticed within two of them; 0 for never. A copy is told how often that is, and is stale when it hears nothing for three. \
              A full state has none unless it is set, as copies in Python take the empty message for the value.",
        kinds: &[DeltaUpdateOut, FullUpdateOut],
        takes: Takes::Seconds { least: 0.0, greatest: 3_600.0 },
        default: |kind| Value::Int(i128::from(kind.is_delta())),
        set: |settings, value| settings.heartbeat = duration(value).unwrap_or_default(),
    },
    StateSetting {
        name: "expect_every_s",
        doc: "After how long without an update the copy is stale, though the connection is there; null for never.",
        kinds: &[FullUpdateIn, DeltaUpdateIn],
        takes: Takes::Seconds { least: 0.001, greatest: 31_536_000.0 },
        default: |_| Value::Null,
        set: |settings, value| settings.expect_every = duration(value),
    },
    StateSetting {
        name: "queue",
        doc: "How many updates may wait for the handler that is called after each, of `queue_bytes` together; beyond, the oldest are dropped and \
              counted. The copy has all of them in any case.",
        kinds: &[FullUpdateIn, DeltaUpdateIn],
        takes: Takes::Count { unit: "updates", least: 1, greatest: 10_000_000 },
        default: |_| Value::Int(1_000),
        set: |settings, value| settings.queue = count(value),
    },
    StateSetting {
        name: "held",
        doc: "How many updates may be held back while the whole state is asked for; beyond, the oldest is dropped and counted, and it is \
              asked for once more.",
        kinds: &[DeltaUpdateIn],
        takes: Takes::Count { unit: "updates", least: 1, greatest: 10_000_000 },
        default: |_| Value::Int(100_000),
        set: |settings, value| settings.held = count(value),
    },
    StateSetting {
        name: "slow_subscriber",
        doc: "What becomes of an update when the queue of a copy is full. drop_newest: it is dropped for that copy, and counted; a copy of changes \
              asks for the whole then. drop_oldest: those that have waited longest are, so that the last value comes in any case. disconnect: so is \
              the copy, which comes again.",
        kinds: &[FullUpdateOut, DeltaUpdateOut],
        takes: Takes::Choice(&["drop_newest", "drop_oldest", "disconnect"]),
        default: |kind| Value::from(if kind.is_delta() { "drop_newest" } else { "drop_oldest" }),
        set: |settings, value| {
            let named = SlowSubscriber::ALL.into_iter().find(|choice| value.as_text() == Some(choice.name()));
            settings.slow_subscriber = named.unwrap_or_default();
        },
    },
    StateSetting {
        name: "max_values",
        doc: "How many values, keys included, a message with the state or with a change of it may have.",
        kinds: &[FullUpdateIn, DeltaUpdateIn],
        takes: Takes::Count { unit: "values", least: 16, greatest: 1_000_000_000 },
        default: |_| Value::Int(100_000_000),
        set: |settings, value| settings.max_values = count(value),
    },
];

impl StateSettings {
    /// How a state of this type behaves that nobody says anything of.
    pub fn default_of(kind: StateKind) -> Self {
        let mut settings = Self {
            heartbeat: Duration::ZERO,
            expect_every: None,
            queue: 0,
            held: 0,
            max_values: 0,
            slow_subscriber: SlowSubscriber::default(),
        };
        for setting in STATE_SETTINGS.iter().filter(|setting| setting.kinds.contains(&kind)) {
            (setting.set)(&mut settings, &setting.default(kind));
        }
        settings
    }
}

/// Settings of connections that states have no use for: they are written in MessagePack, ask by themselves as often as it makes sense, and keep all updates.
const OF_CONNECTIONS_ALONE: [&str; 5] =
    ["encoding", "overflow", "idempotent", "breaker_failures", "breaker_pause_s"];

impl Setting {
    /// Whether the sockets of states have it that are of this type.
    pub fn is_of_state(&self, kind: StateKind, socket: ConnectionKind) -> bool {
        self.is_of(socket)
            && !OF_CONNECTIONS_ALONE.contains(&self.name)
            && StateSetting::by_name(self.name, kind).is_none()
    }
}
