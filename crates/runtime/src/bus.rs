//! Runs a bus in the foreground: one address for all publishers, one for all subscribers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use service_framework_connections::{self as connections, EngineOptions};
use service_framework_core::address::Address;
use service_framework_core::declaration::ConnectionKind;
use service_framework_core::problem::{Problem, Problems};
use service_framework_core::settings::{ConnectionSettings, Plaintext, ServiceSettings, SlowSubscriber};
use service_framework_core::wiring::refuse_plaintext;
use tokio::runtime::{self, LocalOptions};

use crate::control::{Control, Up};
use crate::counters::{Counters, ServiceCounters};
use crate::error::Error;
use crate::log::{Level, Log, LogOptions};
use crate::stopping::LINGER;
use crate::{keys, ready, signals, sockets};

/// What a bus is run with.
#[derive(Clone, Debug)]
pub struct Bus {
    /// Where publishers connect to, as `is_x_pub` has them do.
    pub publishers: Address,
    /// Where subscribers connect to.
    pub subscribers: Address,
    /// The largest message, topic included.
    pub max_message_bytes: usize,
    /// How many messages may wait to be sent to one peer.
    pub queue: usize,
    /// How many bytes may.
    pub queue_bytes: usize,
    /// What becomes of a message when the queue of a subscriber is full. With [`SlowSubscriber::Wait`], it is dropped for all and counted: a bus waits for nobody.
    pub slow_subscriber: SlowSubscriber,
    /// How many publishers may connect, and how many subscribers.
    pub max_peers: usize,
    /// How often peers are asked for a sign of life; zero for never.
    pub heartbeat: Duration,
    /// The file with its keys, as [`keys::create`] makes it, if connections are to be encrypted; and whom it lets in: public keys with spaces
    /// between them, or `anybody`.
    pub curve: Option<(PathBuf, String)>,
    /// What becomes of an end that is not encrypted and that others than this machine can reach.
    pub plaintext: Plaintext,
    /// What is logged on stderr.
    pub console_level: Level,
    /// Where it is written that the sockets are open, and where.
    pub ready: Option<PathBuf>,
}

/// What it is called in its log and its ready file.
const NAME: &str = "bus";

impl Bus {
    /// A bus between these two addresses, with the defaults of services.
    pub fn new(publishers: Address, subscribers: Address) -> Self {
        let of_publishers = ConnectionSettings::default_of(ConnectionKind::Publisher);
        Self {
            publishers,
            subscribers,
            max_message_bytes: of_publishers.limits.max_message_bytes,
            queue: of_publishers.queue,
            queue_bytes: of_publishers.queue_bytes,
            slow_subscriber: of_publishers.slow_subscriber,
            max_peers: of_publishers.max_peers,
            heartbeat: ServiceSettings::default().heartbeat,
            curve: None,
            plaintext: Plaintext::default(),
            console_level: Level::Info,
            ready: None,
        }
    }

    /// Passes publications on until a signal comes; gives what came and went by its ends, `publishers` and `subscribers`.
    ///
    /// # Errors
    ///
    /// If a socket cannot be opened, its keys are none, or signals cannot be watched for.
    pub fn run(&self) -> Result<ServiceCounters, Error> {
        if let Some(path) = &self.ready {
            ready::clear(path)?;
        }
        let control = Arc::new(Control::new());
        let _signals = signals::Watch::new(&control)?;
        let log = LogOptions { service: NAME.into(), console: self.console_level, ..LogOptions::default() };
        let log = Log::open(&log).map_err(|error| Error::Log(Arc::new(error)))?;
        let _records = tracing::dispatcher::set_default(log.dispatch());
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        let runtime = runtime
            .map_err(|error| Error::System { what: "start the event loop".into(), why: error.to_string() })?;
        let ended = runtime.block_on(self.live(&control, &log));
        let counters = control.counters();
        log.close(LINGER);
        ended.map(|()| counters)
    }

    fn security(&self) -> Result<connections::Security, Error> {
        let wrong = |text| Error::from(Problems::from(Problem::nowhere(text)));
        if let Some((path, allow)) = &self.curve {
            return keys::server(NAME, &path.to_string_lossy(), allow).map_err(wrong);
        }
        let ends = [("publishers", &self.publishers), ("subscribers", &self.subscribers)];
        for (name, address) in ends.into_iter().filter(|(_, address)| address.leaves_this_machine()) {
            match self.plaintext {
                Plaintext::Warn => sockets::warn_of_plaintext(name, address),
                Plaintext::Allow => {}
                Plaintext::Refuse => return Err(wrong(refuse_plaintext(name, address))),
            }
        }
        Ok(connections::Security::Open)
    }

    async fn live(&self, control: &Control, log: &Log) -> Result<(), Error> {
        let options = EngineOptions {
            message_bytes: self.max_message_bytes,
            heartbeat: self.heartbeat,
            peers: self.max_peers,
            queue_messages: self.queue,
            queue_bytes: self.queue_bytes,
            when_full: sockets::when_full(self.slow_subscriber),
            security: self.security()?,
        };
        let engine = connections::engine_by_name("zmtp", options)
            .ok_or_else(|| Error::Fault("there is no engine for a bus".into()))?;
        let opened = tokio::select! {
            biased;
            () = control.asked() => return Ok(()),
            opened = connections::Bus::open(&engine, &self.publishers, &self.subscribers) => opened,
        };
        let bus = opened.map_err(|cause| Error::at(None, cause))?;
        let ends = [
            ("publishers", ConnectionKind::Subscriber, bus.publishers()),
            ("subscribers", ConnectionKind::Publisher, bus.subscribers()),
        ];
        let counters = Counters::new(ends.iter().map(|(name, kind, _)| ((*name).to_owned(), *kind)), &[]);
        for (number, (_, _, (_, counted))) in ends.iter().enumerate() {
            counters.of(number).watch(counted);
        }
        let endpoints: BTreeMap<String, Address> =
            ends.iter().map(|(name, _, (address, _))| ((*name).to_owned(), (*address).clone())).collect();
        if let Some(path) = &self.ready {
            ready::write(path, NAME, endpoints.iter().map(|(name, address)| (name.as_str(), address)))?;
        }
        tracing::info!(target: crate::LOG, "the bus is up: publishers {}, subscribers {}",
            bus.publishers().0, bus.subscribers().0
        );
        control.opened(Up {
            service: NAME.into(),
            endpoints,
            drain: LINGER,
            counters: Arc::new(counters),
            recorder: log.recorder().clone(),
            watched: Arc::default(),
        });
        control.asked().await;
        bus.close(LINGER).await;
        tracing::info!(target: crate::LOG, "the bus has stopped");
        Ok(())
    }
}
