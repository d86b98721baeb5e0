//! What a service has done so far, per connection and state, readable from any thread.

mod states;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use service_framework_connections::{Counters as SocketCounters, PeerCounts, Peers, Refusal};
use service_framework_core::declaration::{ConnectionKind, StateModel};
use service_framework_core::failure::code;

pub use self::states::StateCounters;
pub(crate) use self::states::{StateEntry, StateSource};

/// The counters of a service at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceCounters {
    /// By the name of the connection.
    pub connections: BTreeMap<String, ConnectionCounters>,
    /// By the name of the state.
    pub states: BTreeMap<String, StateCounters>,
    /// Log lines that were lost: those that the console did not take, and those that the file did not.
    pub log_lines_lost: (u64, u64),
}

/// The counters of one connection at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounters {
    /// Messages that arrived.
    pub messages_in: u64,
    /// Messages that were sent.
    pub messages_out: u64,
    /// Messages and calls that came to nothing, by reason.
    pub refused: BTreeMap<String, u64>,
    /// How long its handler took.
    pub handler: HandlerTimes,
    /// Who is connected now, and what each peer has carried since then.
    pub peers: Peers,
}

/// How long the calls of a handler took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandlerTimes {
    /// How many calls ended.
    pub count: u64,
    /// Half of the calls took no longer.
    pub p50: Duration,
    /// 99 of 100 calls took no longer.
    pub p99: Duration,
}

/// How long the thread of a service may take to say who its peers are.
const PATIENCE: Duration = Duration::from_millis(200);

/// The counters of all connections and states of one service.
#[derive(Debug)]
pub(crate) struct Counters {
    /// Those of connections, then those of states.
    entries: Vec<Entry>,
    connections: usize,
    states: Vec<StateEntry>,
}

/// The counters of one connection.
#[derive(Debug)]
pub(crate) struct Entry {
    name: String,
    kind: ConnectionKind,
    socket: Mutex<Option<Arc<SocketCounters>>>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    calls: u64,
    refused: BTreeMap<&'static str, u64>,
    /// Microseconds, two digits exact; made with the first call, since most connections have no handler.
    times: Option<Histogram<u32>>,
}

impl Counters {
    pub(crate) fn new(
        connections: impl Iterator<Item = (String, ConnectionKind)>,
        states: &[StateModel],
    ) -> Self {
        let entry = |(name, kind)| Entry { name, kind, socket: Mutex::default(), inner: Mutex::default() };
        let mut entries: Vec<Entry> = connections.map(entry).collect();
        let connections = entries.len();
        entries.extend(states.iter().map(|model| entry((model.name.clone(), ConnectionKind::Subscriber))));
        Self {
            entries,
            connections,
            states: states.iter().map(|model| StateEntry::new(model.kind)).collect(),
        }
    }

    /// Takes over what there is to tell of a state, by its position among the states.
    pub(crate) fn watch_state(&self, position: usize, source: StateSource) {
        self.of(self.connections + position).watch(&source.updates);
        self.states[position].watch(source);
    }

    /// The counters of a connection by its number.
    pub(crate) fn of(&self, connection: usize) -> &Entry {
        &self.entries[connection]
    }

    /// Reads all of them, the peers from the thread of the service, which is not waited for for long.
    pub(crate) fn read(&self) -> (BTreeMap<String, ConnectionCounters>, BTreeMap<String, StateCounters>) {
        let sockets = self.entries.iter().map(|entry| entry.socket.lock().clone());
        // All at once, so that the thread is waited for once.
        let asked: Vec<_> = sockets.map(|socket| socket.map(|socket| (socket.ask(), socket))).collect();
        let until = Instant::now() + PATIENCE;
        let told =
            asked.into_iter().map(|asked| asked.map(|(asked, socket)| socket.told(asked, until).peers));
        let mut read = self
            .entries
            .iter()
            .zip(told)
            .map(|(entry, peers)| (entry.name.clone(), entry.read(peers.unwrap_or_default())));
        let connections = read.by_ref().take(self.connections).collect();
        let states = read.zip(&self.states).map(|((name, updates), state)| (name, state.read(updates)));
        (connections, states.collect())
    }
}

impl Entry {
    /// Takes over what the socket of the connection counts.
    pub(crate) fn watch(&self, socket: &Arc<SocketCounters>) {
        *self.socket.lock() = Some(Arc::clone(socket));
    }

    /// Counts a message or call that came to nothing.
    pub(crate) fn refuse(&self, reason: &'static str) {
        *self.inner.lock().refused.entry(reason).or_default() += 1;
    }

    /// Counts a failure by its code; all codes of authors count as `failed`.
    pub(crate) fn refuse_for(&self, code: &str) {
        let known = [
            code::BAD_MESSAGE,
            code::BAD_ARGS,
            code::BAD_RETURN,
            code::TOO_LARGE,
            code::BUSY,
            code::DEADLINE,
            code::PANICKED,
            code::STOPPING,
            code::DISCONNECTED,
            code::UNAVAILABLE,
        ];
        self.refuse(known.into_iter().find(|known| *known == code).unwrap_or(code::FAILED));
    }

    /// Counts a call of an external target, which has no socket to count it.
    pub(crate) fn call(&self) {
        self.inner.lock().calls += 1;
    }

    /// Counts the time that a handler took.
    pub(crate) fn handled(&self, time: Duration) {
        let mut inner = self.inner.lock();
        let times = inner.times.get_or_insert_with(|| {
            Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("one microsecond to one hour are bounds")
        });
        times.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    fn read(&self, peers: Peers) -> ConnectionCounters {
        let counts = self.socket.lock().as_ref().map(|socket| socket.counts()).unwrap_or_default();
        let inner = self.inner.lock();
        let mut refused: BTreeMap<String, u64> =
            inner.refused.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect();
        for reason in Refusal::ALL {
            if counts.refused(reason) > 0 {
                *refused.entry(reason.name().to_owned()).or_default() += counts.refused(reason);
            }
        }
        let quantile = |q: f64| {
            Duration::from_micros(inner.times.as_ref().map_or(0, |times| times.value_at_quantile(q)))
        };
        let is_target = self.kind == ConnectionKind::ExternalTarget;
        ConnectionCounters {
            messages_in: counts.messages_in,
            messages_out: if is_target { inner.calls } else { counts.messages_out },
            refused,
            handler: HandlerTimes {
                count: inner.times.as_ref().map_or(0, Histogram::len),
                p50: quantile(0.5),
                p99: quantile(0.99),
            },
            peers,
        }
    }
}

impl ServiceCounters {
    /// The counters as one line of JSON; times are in microseconds.
    pub fn to_json(&self) -> String {
        let peer = |peer: &PeerCounts| {
            serde_json::json!({
                "address": peer.address,
                "identity": peer.identity,
                "messages_in": peer.messages_in,
                "messages_out": peer.messages_out,
                "bytes_in": peer.bytes_in,
                "bytes_out": peer.bytes_out,
                "queued_messages": peer.queued_messages,
                "queued_bytes": peer.queued_bytes,
                "dropped": peer.dropped,
            })
        };
        let connection = |counters: &ConnectionCounters| {
            serde_json::json!({
                "messages_in": counters.messages_in,
                "messages_out": counters.messages_out,
                "refused": counters.refused,
                "handled": counters.handler.count,
                "handler_p50_us": counters.handler.p50.as_micros() as u64,
                "handler_p99_us": counters.handler.p99.as_micros() as u64,
                "peers": counters.peers.busiest.iter().map(peer).collect::<Vec<_>>(),
                "more_peers": counters.peers.more,
            })
        };
        let connections: serde_json::Map<String, serde_json::Value> =
            self.connections.iter().map(|(name, counters)| (name.clone(), connection(counters))).collect();
        let (console, file) = self.log_lines_lost;
        let lost = serde_json::json!({"console": console, "file": file});
        let mut line = serde_json::json!({"counters": connections, "log_lines_lost": lost});
        if !self.states.is_empty() {
            let state = |(name, state): (&String, &StateCounters)| {
                (name.clone(), state.to_json(&connection(&state.updates)))
            };
            line["states"] = self.states.iter().map(state).collect::<serde_json::Map<_, _>>().into();
        }
        line.to_string()
    }
}
