//! What a service has done so far, per connection and state, readable from any thread.

mod states;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use service_framework_connections::{
    ByCause, Counters as SocketCounters, Counts, PeerCounts, Peers, Refusal, Told, Traffic,
};
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
    /// Bytes of the messages that arrived, without what the protocol says around them.
    pub payload_bytes_in: u64,
    /// Bytes of the messages that were sent, without what the protocol says around them.
    pub payload_bytes_out: u64,
    /// All bytes to and fro, of those who have gone, too, and what waits now. Of a subscriber, what waits for its handler is in the inbox.
    pub traffic: Traffic,
    /// Messages and calls that came to nothing, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Peers that were met.
    pub connected: u64,
    /// Of these, peers that were lost, by why.
    pub disconnected: ByCause,
    /// Strangers that came and were never met, by why.
    pub handshakes_failed: ByCause,
    /// Tries to connect that came to nothing, by why.
    pub dials_failed: ByCause,
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

/// How long the thread of a service may take to say who its peers are and what waits.
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
    /// Messages of a subscriber that were read and not handled, and bytes in them.
    waiting: (AtomicUsize, AtomicUsize),
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
        let entry = |(name, kind)| {
            let (socket, waiting, inner) = Default::default();
            Entry { name, kind, socket, waiting, inner }
        };
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

    /// Reads all of them, the peers and what waits from the thread of the service, which is not waited for for long.
    pub(crate) fn read(&self) -> (BTreeMap<String, ConnectionCounters>, BTreeMap<String, StateCounters>) {
        let sockets = self.entries.iter().map(|entry| entry.socket.lock().clone());
        let snapshots = self.states.iter().map(StateEntry::snapshots);
        // All at once, so that the thread is waited for once.
        let asked: Vec<_> =
            sockets.chain(snapshots).map(|socket| socket.map(|socket| (socket.ask(), socket))).collect();
        let until = Instant::now() + PATIENCE;
        let mut told = asked.into_iter().map(|asked| asked.map(|(asked, socket)| socket.told(asked, until)));
        let of_entries: Vec<_> = told.by_ref().take(self.entries.len()).collect();
        let mut read = self
            .entries
            .iter()
            .zip(of_entries)
            .map(|(entry, told)| (entry.name.clone(), entry.read(told.unwrap_or_default())));
        let connections = read.by_ref().take(self.connections).collect();
        let states = read.zip(self.states.iter().zip(told));
        let states = states
            .map(|((name, updates), (state, told))| (name, state.read(updates, told.unwrap_or_default())));
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

    /// Tells how much of a subscriber waits for its handler.
    pub(crate) fn wait(&self, messages: usize, bytes: usize) {
        self.waiting.0.store(messages, Relaxed);
        self.waiting.1.store(bytes, Relaxed);
    }

    fn read(&self, told: Told) -> ConnectionCounters {
        let counts = self.socket.lock().as_ref().map(|socket| socket.counts()).unwrap_or_default();
        let inner = self.inner.lock();
        let mut counters = ConnectionCounters::of(&counts, told);
        counters.traffic.inbox_messages += self.waiting.0.load(Relaxed);
        counters.traffic.inbox_bytes += self.waiting.1.load(Relaxed);
        for (reason, times) in &inner.refused {
            *counters.refused.entry((*reason).to_owned()).or_default() += times;
        }
        if self.kind == ConnectionKind::ExternalTarget {
            counters.messages_out = inner.calls;
        }
        let quantile = |q: f64| {
            Duration::from_micros(inner.times.as_ref().map_or(0, |times| times.value_at_quantile(q)))
        };
        counters.handler = HandlerTimes {
            count: inner.times.as_ref().map_or(0, Histogram::len),
            p50: quantile(0.5),
            p99: quantile(0.99),
        };
        counters
    }
}

impl ConnectionCounters {
    /// What a socket and its thread tell.
    fn of(counts: &Counts, told: Told) -> Self {
        let refused =
            Refusal::ALL.into_iter().map(|reason| (reason.name().to_owned(), counts.refused(reason)));
        Self {
            messages_in: counts.messages_in,
            messages_out: counts.messages_out,
            payload_bytes_in: counts.payload_bytes_in,
            payload_bytes_out: counts.payload_bytes_out,
            traffic: told.traffic,
            refused: refused.filter(|(_, times)| *times > 0).collect(),
            connected: counts.connected,
            disconnected: counts.disconnected,
            handshakes_failed: counts.handshakes_failed,
            dials_failed: counts.dials_failed,
            handler: HandlerTimes::default(),
            peers: told.peers,
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
        let by_cause = |counted: &ByCause| -> serde_json::Map<_, _> {
            counted.each().map(|(cause, times)| (cause.name().to_owned(), times.into())).collect()
        };
        let connection = |counters: &ConnectionCounters| {
            let traffic = &counters.traffic;
            serde_json::json!({
                "messages_in": counters.messages_in,
                "messages_out": counters.messages_out,
                "refused": counters.refused,
                "handled": counters.handler.count,
                "handler_p50_us": counters.handler.p50.as_micros() as u64,
                "handler_p99_us": counters.handler.p99.as_micros() as u64,
                "payload_bytes_in": counters.payload_bytes_in,
                "payload_bytes_out": counters.payload_bytes_out,
                "bytes_in": traffic.bytes_in,
                "bytes_out": traffic.bytes_out,
                "queued_messages": traffic.queued_messages,
                "queued_bytes": traffic.queued_bytes,
                "inbox_messages": traffic.inbox_messages,
                "inbox_bytes": traffic.inbox_bytes,
                "connected": counters.connected,
                "disconnected": by_cause(&counters.disconnected),
                "handshakes_failed": by_cause(&counters.handshakes_failed),
                "dials_failed": by_cause(&counters.dials_failed),
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
            let state = |(name, state): (&String, &StateCounters)| (name.clone(), state.to_json(connection));
            line["states"] = self.states.iter().map(state).collect::<serde_json::Map<_, _>>().into();
        }
        line.to_string()
    }
}
