//! What the tests of running services share: peers that send any bytes, and how to read what comes back.
#![allow(dead_code, reason = "no test binary uses all of it")]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::engine::{Event, Role, Socket};
use service_framework_connections::{CallError, Engine, Requester, default_engine, requester};
use service_framework_core::Value;
use service_framework_core::address::Address;
use service_framework_core::model::Model;
use service_framework_core::value;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_runtime::log::Level;
use service_framework_runtime::{ConnectionCounters, Options, Service};
use tokio::net::TcpSocket;

/// Generous: a test that comes near it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// Runs the peers of a test on one thread.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = async { tokio::time::timeout(PATIENCE, test).await.expect("the test takes too long") };
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

/// Options with an address book, and a quiet console.
pub(crate) fn wired(addresses: Value) -> Options {
    Options { addresses: addresses.into(), console_level: Level::Off, ..Options::default() }
}

/// A port that is the same whoever listens there, one after the other, and that nobody else takes in between.
#[derive(Debug)]
pub(crate) struct HeldPort {
    /// Holds the port: it listens to nobody, and leaves room for one who does.
    held: TcpSocket,
}

impl HeldPort {
    pub(crate) fn new() -> Self {
        Self::at(Ipv4Addr::LOCALHOST)
    }

    /// One for those who listen on all interfaces.
    pub(crate) fn everywhere() -> Self {
        Self::at(Ipv4Addr::UNSPECIFIED)
    }

    fn at(ip: Ipv4Addr) -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind((ip, 0).into()).unwrap();
        Self { held }
    }

    pub(crate) fn port(&self) -> u16 {
        self.held.local_addr().unwrap().port()
    }

    /// Where it is found.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }
}

pub(crate) fn address(service: &Service, connection: &str) -> Address {
    service.endpoints()[connection].clone()
}

pub(crate) fn counters(service: &Service, connection: &str) -> ConnectionCounters {
    service.counters().connections[connection].clone()
}

/// Waits for what must happen and tells nobody: counters, files. For what a handler does there are scenes.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The same among the peers of a test.
pub(crate) async fn until_async(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A requester that sends any bytes.
pub(crate) struct Client(Requester);

impl Client {
    pub(crate) fn to(address: &Address) -> Self {
        Self::by(&default_engine(), address)
    }

    /// The same by an engine of its own, such as one that encrypts.
    pub(crate) fn by(engine: &Rc<dyn Engine>, address: &Address) -> Self {
        let options = requester::Options { waiting_max: 1_000_000, ..Default::default() };
        Self(Requester::connect(engine, "client", address, options).unwrap())
    }

    pub(crate) async fn send(&self, payload: impl Into<Bytes>) -> Result<Bytes, CallError> {
        self.0.call(payload.into(), Some(Instant::now() + PATIENCE)).await
    }

    /// Sends bytes and reads the reply, whatever it says.
    pub(crate) async fn ask_bytes(&self, payload: impl Into<Bytes>) -> Answer {
        Answer::read(&self.send(payload).await.expect("a reply"))
    }

    /// Sends arguments.
    pub(crate) async fn ask(&self, args: Value) -> Answer {
        self.ask_bytes(request(&args)).await
    }

    pub(crate) async fn ask_with(&self, args: Value, key: &str, extra: Value) -> Answer {
        let mut message = envelope(&args);
        message.insert(key, extra);
        self.ask_bytes(wire::encode(&Value::Map(message), Encoding::MessagePack).unwrap()).await
    }

    /// Waits until it has noticed that its peer is gone, so that each call that was sent has ended. What waits still was never sent.
    pub(crate) async fn is_alone(&self) {
        let probe =
            || self.0.call(request(&Value::Null).into(), Some(Instant::now() + Duration::from_millis(1)));
        // One that is sent runs into its deadline, or is lost with the rest.
        while !matches!(probe().await, Err(CallError::NotConnected)) {}
    }

    /// Fails what is still asked.
    pub(crate) async fn close(&self) {
        self.0.close(Duration::from_secs(1)).await;
    }
}

fn envelope(args: &Value) -> value::Map {
    let mut message = value::Map::new();
    message.insert("args", args.clone());
    message.insert("workflow_id", "w");
    message
}

/// The bytes of a request with the workflow id `w`.
pub(crate) fn request(args: &Value) -> Vec<u8> {
    wire::encode(&Value::Map(envelope(args)), Encoding::MessagePack).unwrap()
}

/// A reply, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) encoding: Encoding,
    pub(crate) workflow_id: Value,
    /// What is returned; or code and message.
    pub(crate) outcome: Result<Value, (String, String)>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn read(reply: &[u8]) -> Self {
        let encoding = Encoding::of(reply);
        let value: Value = wire::decode(reply, encoding, &Limits::default()).expect("a reply is a value");
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_text).unwrap().to_owned();
        let outcome = match value.get("error") {
            Some(error) => {
                assert_eq!(value.get("return_args"), Some(&Value::Null));
                Err((text(error, "code"), text(error, "message")))
            }
            None => Ok(value.get("return_args").expect("return_args").clone()),
        };
        Self { encoding, workflow_id: value.get("workflow_id").expect("workflow_id").clone(), outcome }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        match self.outcome {
            Ok(value) => value,
            Err((code, message)) => panic!("{code}: {message}"),
        }
    }

    /// What is returned, as its model says.
    #[track_caller]
    pub(crate) fn model<T: Model>(self) -> T {
        let bytes = wire::encode(&self.ok(), Encoding::MessagePack).unwrap();
        wire::decode(&bytes, Encoding::MessagePack, &Limits::default()).unwrap()
    }

    /// The code and the message of an error.
    #[track_caller]
    pub(crate) fn error(self) -> (String, String) {
        self.outcome.expect_err("an error")
    }

    #[track_caller]
    pub(crate) fn code(self) -> String {
        self.error().0
    }
}

/// A socket without a connection around it, to send what no connection of ours would.
pub(crate) struct Raw(pub(crate) Rc<dyn Socket>);

impl Raw {
    pub(crate) async fn connect(role: Role, to: &Address) -> Self {
        Self(default_engine().connect(role, to, PATIENCE).await.unwrap())
    }

    pub(crate) async fn bind(role: Role) -> (Self, Address) {
        Self::bind_at(role, &"127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn bind_at(role: Role, at: &Address) -> (Self, Address) {
        let bound = default_engine().bind(role, at).await.unwrap();
        (Self(bound.socket), bound.address)
    }

    pub(crate) fn send(&self, parts: &[&[u8]]) {
        self.0.send(parts.iter().map(|part| Bytes::copy_from_slice(part)).collect()).unwrap();
    }

    pub(crate) async fn event(&self) -> Event {
        std::future::poll_fn(|cx| self.0.poll_recv(cx)).await
    }

    pub(crate) async fn recv(&self) -> Vec<Bytes> {
        loop {
            match self.event().await {
                Event::Message(frames) => return frames.into_iter().collect(),
                Event::Lost => panic!("the peer is lost"),
                Event::Met | Event::Alone => {}
            }
        }
    }
}

/// All lines of a log: one that is written at the turn of an hour is in two files.
pub(crate) fn logged(path: &Path) -> String {
    let (folder, name) = (path.parent().unwrap(), format!("{}.", path.file_name().unwrap().display()));
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|file| file.file_name().unwrap().to_string_lossy().starts_with(&name)).collect();
    files.sort();
    files.push(path.to_owned());
    files.iter().map(|file| std::fs::read_to_string(file).unwrap_or_default()).collect()
}

/// What was refused between two readings, by reason.
pub(crate) fn risen(before: &ConnectionCounters, after: &ConnectionCounters) -> BTreeMap<String, u64> {
    let rise = |(reason, count): (&String, &u64)| {
        let rise = count - before.refused.get(reason).copied().unwrap_or(0);
        (rise > 0).then(|| (reason.clone(), rise))
    };
    after.refused.iter().filter_map(rise).collect()
}
