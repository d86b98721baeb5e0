//! The table of all settings.

use std::time::Duration;

use super::takes::{Takes, count, duration};
use super::{ConnectionSettings, Overflow, Plaintext, ServiceSettings, Set, Setting, SlowSubscriber};
use crate::declaration::ConnectionKind::{ExternalTarget, Publisher, Replyer, Requester, Subscriber};
use crate::value::Value;
use crate::wire::{Encoding, Peer};

/// The longest time that can be set: a year.
const LONGEST_S: f64 = 31_536_000.0;

/// All settings, those of connections first.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "topic",
        doc: "The topic that a subscriber takes alone, or that a publisher puts before each message; empty for none.",
        kinds: &[Subscriber, Publisher],
        takes: Takes::Text,
        is_own: true,
        default: |_| Value::from(""),
        set: of_connection(|settings, value| {
            settings.topic = text(value);
        }),
    },
    Setting {
        name: "is_binder",
        doc: "Whether the subscriber listens at its address, and publishers connect to it.",
        kinds: &[Subscriber],
        takes: Takes::Flag,
        is_own: true,
        default: |_| Value::Bool(false),
        set: of_connection(|settings, value| settings.is_binder = *value == Value::Bool(true)),
    },
    Setting {
        name: "is_x_pub",
        doc: "Whether the publisher connects to a proxy at its address, instead of listening there.",
        kinds: &[Publisher],
        takes: Takes::Flag,
        is_own: true,
        default: |_| Value::Bool(false),
        set: of_connection(|settings, value| settings.is_x_pub = *value == Value::Bool(true)),
    },
    Setting {
        name: "wait_after_creation_s",
        doc: "How long to wait after opening at most, so that subscribers are there for the first message.",
        kinds: &[Publisher],
        takes: Takes::Seconds { least: 0.0, greatest: 3_600.0 },
        is_own: false,
        default: |_| Value::Float(0.15),
        set: of_connection(|settings, value| {
            settings.wait_after_creation = duration(value).unwrap_or_default();
        }),
    },
    Setting {
        name: "wait_for_subscribers",
        doc: "How many subscribers end that wait; 0 waits all of it. A proxy is one, which subscribes when anybody behind it has.",
        kinds: &[Publisher],
        takes: Takes::Count { unit: "subscribers", least: 0, greatest: 1_000_000 },
        is_own: false,
        default: |_| Value::Int(1),
        set: of_connection(|settings, value| settings.wait_for_subscribers = count(value)),
    },
    Setting {
        name: "deadline_s",
        doc: "How long a call may take until it fails; for a replyer, how long an answer may take where the request \
              does not say, null for no bound.",
        kinds: &[Replyer, Requester, ExternalTarget],
        takes: Takes::Seconds { least: 0.001, greatest: LONGEST_S },
        is_own: false,
        // No call waits for ever, not even one of a function of the service itself.
        default: |kind| if kind == Some(Replyer) { Value::Null } else { Value::Int(5) },
        set: of_connection(|settings, value| settings.deadline = duration(value)),
    },
    Setting {
        name: "max_message_bytes",
        doc: "The largest message, without its topic; a larger one is refused when it comes, and is not sent: whoever sends \
              it is told `too_large`, and a reply becomes that error. When one comes of more than about twice as much, \
              nobody is told: its sender is disconnected, which is counted as `too_large`, too.",
        kinds: &[Replyer, Subscriber, Requester, Publisher],
        takes: Takes::Count { unit: "bytes", least: 1_024, greatest: 1 << 30 },
        is_own: false,
        default: |_| Value::Int(16 << 20),
        set: of_connection(|settings, value| settings.limits.max_message_bytes = count(value)),
    },
    Setting {
        name: "max_depth",
        doc: "How deep maps and lists may be nested in a message that comes in.",
        kinds: &[Replyer, Subscriber, Requester],
        takes: Takes::Count { unit: "levels", least: 4, greatest: 256 },
        is_own: false,
        default: |_| Value::Int(64),
        set: of_connection(|settings, value| settings.limits.max_depth = count(value)),
    },
    Setting {
        name: "max_values",
        doc: "How many values, keys included, a message that comes in may have.",
        kinds: &[Replyer, Subscriber, Requester],
        takes: Takes::Count { unit: "values", least: 16, greatest: 1_000_000_000 },
        is_own: false,
        default: |_| Value::Int(1_000_000),
        set: of_connection(|settings, value| settings.limits.max_values = count(value)),
    },
    Setting {
        name: "queue",
        doc: "How many messages may wait: received ones of a subscriber, calls of a requester, publications for each subscriber.",
        kinds: &[Subscriber, Requester, Publisher],
        takes: Takes::Count { unit: "messages", least: 1, greatest: 10_000_000 },
        is_own: false,
        default: |kind| Value::Int(if kind == Some(Publisher) { 10_000 } else { 1_000 }),
        set: of_connection(|settings, value| settings.queue = count(value)),
    },
    Setting {
        name: "queue_bytes",
        doc: "How many bytes may wait: received ones of a subscriber, also those that wait for the handler of a copy; of a replyer and a publisher, \
              those to be sent to one peer. The last message may go beyond.",
        kinds: &[Replyer, Subscriber, Publisher],
        takes: Takes::Count { unit: "bytes", least: 1_024, greatest: 1 << 40 },
        is_own: false,
        default: |_| Value::Int(64 << 20),
        set: of_connection(|settings, value| settings.queue_bytes = count(value)),
    },
    Setting {
        name: "slow_subscriber",
        doc: "What becomes of a publication when the queue of a subscriber is full. drop_newest: it is dropped for that subscriber, and \
              counted. drop_oldest: those that have waited longest are. disconnect: so is the subscriber, which may come again. wait: it \
              is sent to nobody, `publish` fails with `busy` (on another thread than the service's, it is dropped), and `publish_when_ready` \
              waits until all have room.",
        kinds: &[Publisher],
        takes: Takes::Choice(SlowSubscriber::NAMES),
        is_own: false,
        default: |_| Value::from("drop_newest"),
        set: of_connection(|settings, value| {
            let named = SlowSubscriber::ALL.into_iter().find(|choice| value.as_text() == Some(choice.name()));
            settings.slow_subscriber = named.unwrap_or_default();
        }),
    },
    Setting {
        name: "max_peers",
        doc: "How many peers may connect to it; more are refused, and counted.",
        kinds: &[Replyer, Subscriber, Publisher],
        takes: Takes::Count { unit: "peers", least: 1, greatest: 1_000_000 },
        is_own: false,
        default: |_| Value::Int(10_000),
        set: of_connection(|settings, value| settings.max_peers = count(value)),
    },
    Setting {
        name: "overflow",
        doc: "What happens when the queue is full: the socket is not read, or the oldest message is dropped and counted.",
        kinds: &[Subscriber],
        takes: Takes::Choice(&["wait", "drop_oldest"]),
        is_own: false,
        default: |_| Value::from("wait"),
        set: of_connection(|settings, value| {
            let drops = value.as_text() == Some("drop_oldest");
            settings.overflow = if drops { Overflow::DropOldest } else { Overflow::Wait };
        }),
    },
    Setting {
        name: "idempotent",
        doc: "Whether a request that was sent when its peer was lost is sent once more, within its deadline: the peer may then do it \
              twice. Ten may be, and one more for each ten requests.",
        kinds: &[Requester],
        takes: Takes::Flag,
        is_own: false,
        default: |_| Value::Bool(false),
        set: of_connection(|settings, value| settings.idempotent = *value == Value::Bool(true)),
    },
    Setting {
        name: "breaker_failures",
        doc: "After how many deadlines and losses in a row a peer is asked but now and then, and all other requests fail with \
              `unavailable` at once, until it gives a sign of life; 0 for never.",
        kinds: &[Requester],
        takes: Takes::Count { unit: "failures", least: 0, greatest: 1_000_000 },
        is_own: false,
        default: |_| Value::Int(5),
        set: of_connection(|settings, value| settings.breaker_failures = count(value)),
    },
    Setting {
        name: "breaker_pause_s",
        doc: "How often such a peer is asked.",
        kinds: &[Requester],
        takes: Takes::Seconds { least: 0.001, greatest: 3_600.0 },
        is_own: false,
        default: |_| Value::Int(1),
        set: of_connection(|settings, value| settings.breaker_pause = duration(value).unwrap_or_default()),
    },
    Setting {
        name: "curve_keys",
        doc: "The file with this side's key pair, as `service_framework keys` makes it: the connection is then encrypted, by CURVE; \
              empty for not.",
        kinds: &[Replyer, Subscriber, Requester, Publisher],
        takes: Takes::Text,
        is_own: false,
        default: |_| Value::from(""),
        set: of_connection(|settings, value| settings.curve_keys = text(value)),
    },
    Setting {
        name: "curve_server",
        doc: "With `curve_keys`, the public key of whom it connects to; nobody else is talked to.",
        kinds: &[Subscriber, Requester, Publisher],
        takes: Takes::Text,
        is_own: true,
        default: |_| Value::from(""),
        set: of_connection(|settings, value| settings.curve_server = text(value)),
    },
    Setting {
        name: "curve_allow",
        doc: "With `curve_keys`, where it listens: the public keys of those who are let in, separated by spaces, or `anybody` for all \
              who know this side's.",
        kinds: &[Replyer, Subscriber, Publisher],
        takes: Takes::Text,
        is_own: false,
        default: |_| Value::from(""),
        set: of_connection(|settings, value| {
            settings.curve_allow = text(value).filter(|keys| !keys.trim().is_empty())
        }),
    },
    Setting {
        name: "peer",
        doc: "Who is at the other end: python takes less than the wire can carry, and is sent no more.",
        kinds: &[Replyer, Requester, Publisher],
        takes: Takes::Choice(&["any", "python"]),
        is_own: false,
        default: |_| Value::from("any"),
        set: of_connection(|settings, value| {
            settings.peer = if value.as_text() == Some("python") { Peer::Python } else { Peer::Any };
        }),
    },
    Setting {
        name: "encoding",
        doc: "How messages are written; a replyer answers in the encoding it is asked in.",
        kinds: &[Requester, Publisher],
        takes: Takes::Choice(&["msgpack", "json"]),
        is_own: false,
        default: |_| Value::from("msgpack"),
        set: of_connection(|settings, value| {
            let is_json = value.as_text() == Some("json");
            settings.encoding = if is_json { Encoding::Json } else { Encoding::MessagePack };
        }),
    },
    Setting {
        name: "in_flight",
        doc: "How many handlers may run or wait for their turn; requests beyond are answered `busy`.",
        kinds: &[],
        takes: Takes::Count { unit: "handlers", least: 1, greatest: 1_000_000 },
        is_own: false,
        default: |_| Value::Int(1_024),
        set: of_service(|settings, value| settings.in_flight = count(value)),
    },
    Setting {
        name: "blocking_threads",
        doc: "The most threads for blocking handlers, and for external targets that block as many again; each is started when it \
              is needed.",
        kinds: &[],
        takes: Takes::Count { unit: "threads", least: 1, greatest: 1_024 },
        is_own: false,
        default: |_| Value::Int(8),
        set: of_service(|settings, value| settings.blocking_threads = count(value)),
    },
    Setting {
        name: "drain_s",
        doc: "How long stopping waits for work that has begun; `on_sigint` and `on_sigterm` have a second at least.",
        kinds: &[],
        takes: Takes::Seconds { least: 0.0, greatest: LONGEST_S },
        is_own: false,
        default: |_| Value::Int(10),
        set: of_service(|settings, value| settings.drain = duration(value).unwrap_or_default()),
    },
    Setting {
        name: "watchdog_s",
        doc: "After how long a handler that holds the service's thread is named in the log; 0 for never.",
        kinds: &[],
        takes: Takes::Seconds { least: 0.0, greatest: LONGEST_S },
        is_own: false,
        default: |_| Value::Int(10),
        set: of_service(|settings, value| settings.watchdog = duration(value).unwrap_or_default()),
    },
    Setting {
        name: "max_workflow_id_bytes",
        doc: "The longest workflow id that is taken.",
        kinds: &[],
        // A UUID in text has 36 bytes, and numbers follow it.
        takes: Takes::Count { unit: "bytes", least: 64, greatest: 1 << 20 },
        is_own: false,
        default: |_| Value::Int(1_024),
        set: of_service(|settings, value| settings.max_workflow_id_bytes = count(value)),
    },
    Setting {
        name: "heartbeat_s",
        doc: "How often the peer of each connection is asked for a sign of life; one that gives none for twice as long is \
              disconnected, and looked for again; 0 for never. Peers that speak ZMTP 3.0 alone are not asked.",
        kinds: &[],
        takes: Takes::Seconds { least: 0.0, greatest: 3_600.0 },
        is_own: false,
        default: |_| Value::Int(10),
        set: of_service(|settings, value| settings.heartbeat = duration(value).unwrap_or_default()),
    },
    Setting {
        name: "spin_us",
        doc: "For how long the service's thread looks for the next message before it sleeps, for services that are asked again soon; it \
              takes a core meanwhile. One thread of a process does so at a time, and ever more rarely while it does not pay; 0 for not \
              at all.",
        kinds: &[],
        takes: Takes::Count { unit: "microseconds", least: 0, greatest: 10_000 },
        is_own: false,
        default: |_| Value::Int(0),
        set: of_service(|settings, value| settings.spin = Duration::from_micros(count(value) as u64)),
    },
    Setting {
        name: "plaintext",
        doc: "What becomes of an endpoint without `curve_keys` that others than this machine can reach: it is warned of, allowed or \
              refused.",
        kinds: &[],
        takes: Takes::Choice(Plaintext::NAMES),
        is_own: false,
        default: |_| Value::from("warn"),
        set: of_service(|settings, value| {
            settings.plaintext = value.as_text().and_then(|text| text.parse().ok()).unwrap_or_default();
        }),
    },
    Setting {
        name: "engine",
        doc: "The transport engine that opens the sockets: our own, or the `zeromq` crate, which a stranger can end.",
        kinds: &[],
        takes: Takes::Choice(&["zmtp", "zeromq"]),
        is_own: false,
        default: |_| Value::from("zmtp"),
        set: of_service(|settings, value| settings.engine = value.as_text().unwrap_or_default().to_owned()),
    },
];

/// A text, of which an empty one is none.
fn text(value: &Value) -> Option<String> {
    value.as_text().filter(|text| !text.is_empty()).map(str::to_owned)
}

const fn of_connection(set: fn(&mut ConnectionSettings, &Value)) -> Set {
    Set::Connection(set)
}

const fn of_service(set: fn(&mut ServiceSettings, &Value)) -> Set {
    Set::Service(set)
}
