//! What the tests share: a runtime as a service has it, deadlines, and raw peers.

use std::io::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::engine::{Bound, Event, Frames, Role, Socket};
use service_framework_connections::{
    Counters, Engine, EngineOptions, Replyer, Requester, engine_by_name, requester,
};
use service_framework_core::address::{Address, Host};
use service_framework_zmtp::{self as zmtp, Config, Connection, SocketType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// Generous: a test that comes near it has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const LINGER: Duration = Duration::from_secs(10);

/// Runs a test as a service would: on a current-thread runtime, inside a local set, with a deadline.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let with_deadline =
        async { tokio::time::timeout(DEADLINE, test).await.expect("the test takes too long") };
    tokio::task::LocalSet::new().block_on(&runtime, with_deadline)
}

/// Whether it is this engine that carries the tests, which cannot pass one or a part of it; says so, and why, where it is seen though the test passes.
pub(crate) fn cannot(engine: &str, why: &str) -> bool {
    let is_this = crate::ENGINE == engine;
    if is_this {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or_default();
        let line = format!("left out, wholly or in part: {test}, as the engine `{engine}` {why}\n");
        // What is printed by a macro, the test harness keeps to itself. In one write, as tests run beside each other.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    is_this
}

pub(crate) fn engine() -> Rc<dyn Engine> {
    engine_by_name(crate::ENGINE, EngineOptions::default()).unwrap()
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) fn any_port() -> Address {
    address("127.0.0.1:0")
}

/// A place that is the same whoever listens there, one after the other, and that nobody else takes in between.
pub(crate) struct Home {
    pub(crate) address: Address,
    /// Holds the port: it listens to nobody, and leaves room for one who does.
    _port: TcpSocket,
}

impl Home {
    pub(crate) fn new() -> Self {
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseaddr(true).unwrap();
        port.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self { address: address(&port.local_addr().unwrap().to_string()), _port: port }
    }
}

pub(crate) fn deadline() -> Option<Instant> {
    Some(Instant::now() + DEADLINE)
}

pub(crate) async fn replyer(at: &Address) -> Replyer {
    Replyer::bind(&engine(), "orders", at).await.unwrap()
}

pub(crate) fn requester(to: &Address) -> Requester {
    Requester::connect(&engine(), "to_orders", to, requester::Options::default()).unwrap()
}

/// Answers each request with its own payload, until the task is aborted.
pub(crate) fn echo(replyer: Rc<Replyer>) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_local(async move {
        loop {
            let request = replyer.recv().await;
            replyer.reply(request.reply_to, request.payload);
        }
    })
}

/// Waits until a connecting socket has found its peer that often.
pub(crate) async fn until_connected(counters: &Counters, times: u64) {
    until(|| counters.counts().connected >= times).await;
}

pub(crate) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) fn frames(frames: &[&[u8]]) -> Frames {
    frames.iter().map(|frame| Bytes::copy_from_slice(frame)).collect()
}

/// A peer that asks once, and never reads what it is answered.
pub(crate) async fn deaf(to: &Address, request: &[&[u8]]) -> TcpStream {
    let (mut stream, mut side) = meet(to, SocketType::Dealer).await;
    side.send(&frames(request)).unwrap();
    stream.write_all(&side.take_output()).await.unwrap();
    stream
}

/// A subscriber that wants everything, and never reads it.
pub(crate) async fn deaf_subscriber(to: &Address) -> TcpStream {
    subscriber_to(to, [String::new()]).await
}

/// A subscriber that wants all of this, and never reads it.
pub(crate) async fn subscriber_to(to: &Address, topics: impl IntoIterator<Item = String>) -> TcpStream {
    let (mut stream, mut side) = meet(to, SocketType::Sub).await;
    topics.into_iter().for_each(|topic| side.subscribe(true, topic.as_bytes()).unwrap());
    stream.write_all(&side.take_output()).await.unwrap();
    stream
}

async fn meet(to: &Address, socket_type: SocketType) -> (TcpStream, Connection) {
    let Address::Tcp { host: Host::Ip(ip), port } = to else { panic!("{to} is no address of TCP") };
    shake_hands(TcpStream::connect((*ip, *port)).await.unwrap(), socket_type).await
}

/// Is a socket of this type at this end of a stream, and meets whoever is at the other.
pub(crate) async fn shake_hands(mut stream: TcpStream, socket_type: SocketType) -> (TcpStream, Connection) {
    let mut side = Connection::new(Config::new(socket_type), Instant::now());
    while !side.is_ready() {
        stream.write_all(&side.take_output()).await.unwrap();
        stream.read_buf(side.input()).await.unwrap();
        while !side.is_ready() && side.poll().unwrap().is_some() {}
    }
    stream.write_all(&side.take_output()).await.unwrap();
    (stream, side)
}

/// Answers the next request with its own payload.
pub(crate) async fn answer(stream: &mut TcpStream, side: &mut Connection) {
    loop {
        match side.poll().unwrap() {
            Some(zmtp::Event::Message(request)) => {
                side.send(&request).unwrap();
                return stream.write_all(&side.take_output()).await.unwrap();
            }
            Some(_) => {}
            None => drop(stream.read_buf(side.input()).await.unwrap()),
        }
    }
}

/// A socket without a connection around it, to send what no connection of ours would.
pub(crate) struct Raw(pub(crate) Rc<dyn Socket>);

impl Raw {
    pub(crate) async fn connect(role: Role, to: &Address) -> Self {
        Self(engine().connect(role, to, DEADLINE).await.unwrap())
    }

    pub(crate) async fn bind(role: Role, at: &Address) -> (Self, Address) {
        let Bound { socket, address } = engine().bind(role, at).await.unwrap();
        (Self(socket), address)
    }

    pub(crate) fn send(&self, parts: &[&[u8]]) {
        self.0.send(frames(parts)).unwrap();
    }

    pub(crate) async fn recv(&self) -> Frames {
        loop {
            match std::future::poll_fn(|cx| self.0.poll_recv(cx)).await {
                Event::Message(frames) => return frames,
                Event::Lost => panic!("the peer is lost"),
                Event::Met | Event::Alone => {}
            }
        }
    }
}
