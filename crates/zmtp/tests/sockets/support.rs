//! Sockets, places for them to meet at, and peers that are driven by hand.

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_zmtp::socket::{Ended, Event, InprocListener, Listener, Options, Socket, Stream};
use service_framework_zmtp::{self as zmtp, Config, Connection, Message, SocketType};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::LocalOptions;
use tokio::task::{LocalSet, yield_now};

/// How long anything may take. Nothing is as slow as that.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// Runs a test on this thread alone.
#[track_caller]
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let done = LocalSet::new().block_on(&runtime, async { tokio::time::timeout(PATIENCE, test).await });
    assert!(done.is_ok(), "it is not done after {PATIENCE:?}");
}

/// Runs a test on this thread alone, in a runtime that counts its tasks.
#[track_caller]
pub(crate) fn run_alone(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let done = runtime.expect("a runtime").block_on(async { tokio::time::timeout(PATIENCE, test).await });
    assert!(done.is_ok(), "it is not done after {PATIENCE:?}");
}

/// What carries the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Tcp,
    Unix,
    Inproc,
}

pub(crate) const CARRIERS: [Carrier; 3] = [Carrier::Tcp, Carrier::Unix, Carrier::Inproc];

/// Where a socket listens.
#[derive(Debug)]
pub(crate) enum Place {
    Tcp(u16),
    Unix(PathBuf, #[expect(dead_code, reason = "the folder goes with it")] TempDir),
    Inproc(String),
}

/// Listens at a place that nobody else knows.
pub(crate) async fn listener(carrier: Carrier) -> (Listener, Place) {
    match carrier {
        Carrier::Tcp => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
            let port = listener.local_addr().expect("an address").port();
            (Listener::Tcp(listener), Place::Tcp(port))
        }
        Carrier::Unix => {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("socket");
            (Listener::Unix(UnixListener::bind(&path).expect("a file")), Place::Unix(path, folder))
        }
        Carrier::Inproc => {
            static NAMES: AtomicUsize = AtomicUsize::new(0);
            let name = format!("place {}", NAMES.fetch_add(1, Ordering::Relaxed));
            (Listener::Inproc(InprocListener::bind(&name).expect("a free name")), Place::Inproc(name))
        }
    }
}

impl Place {
    /// A stream to whoever listens there.
    pub(crate) async fn dial(&self) -> Stream {
        match self {
            Self::Tcp(port) => {
                Stream::Tcp(TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).await.expect("a listener"))
            }
            Self::Unix(path, _) => Stream::Unix(UnixStream::connect(path).await.expect("a listener")),
            Self::Inproc(name) => Stream::inproc(name).expect("a listener"),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Tcp(port) => *port,
            Self::Unix(..) | Self::Inproc(_) => panic!("it has no port"),
        }
    }
}

/// A socket with settings changed.
pub(crate) fn socket(socket_type: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
    let mut options = Options::new(socket_type);
    change(&mut options);
    Socket::new(options)
}

/// A socket that listens.
pub(crate) async fn bound(
    socket_type: SocketType,
    carrier: Carrier,
    change: impl FnOnce(&mut Options),
) -> (Socket, Place) {
    let socket = socket(socket_type, change);
    let (listener, place) = listener(carrier).await;
    socket.listen(listener);
    (socket, place)
}

/// A socket that has met whoever listens there.
pub(crate) async fn connected(
    socket_type: SocketType,
    place: &Place,
    change: impl FnOnce(&mut Options),
) -> Socket {
    let socket = socket(socket_type, change);
    socket.connect(place.dial().await).await.expect("a peer");
    socket
}

/// Two sockets of these types that know one another; the first listens.
pub(crate) async fn pair(ours: SocketType, theirs: SocketType, carrier: Carrier) -> (Socket, Socket) {
    let (here, place) = bound(ours, carrier, |_| ()).await;
    let there = connected(theirs, &place, |_| ()).await;
    until(|| here.peers() == 1).await;
    (here, there)
}

/// Lets others have their turn until it is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        yield_now().await;
    }
}

/// What happens next to a connection.
pub(crate) async fn event(socket: &Socket) -> Event {
    poll_fn(|context| socket.poll_event(context)).await
}

/// Why the next connection ends.
pub(crate) async fn ended(socket: &Socket) -> Ended {
    loop {
        match event(socket).await {
            Event::Disconnected { why, .. } | Event::HandshakeFailed { why } => return why,
            _ => {}
        }
    }
}

/// A message of one frame.
pub(crate) fn text(text: &str) -> Message {
    Message::from([text.to_owned()])
}

#[track_caller]
pub(crate) fn send(socket: &Socket, message: Message) {
    socket.send(message).unwrap_or_else(|unsent| panic!("not sent: {}", unsent.why));
}

/// Takes so many messages of one frame.
pub(crate) async fn texts(socket: &Socket, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        let message = socket.recv().await;
        assert_eq!(message.len(), 1, "{message:?}");
        texts.push(String::from_utf8(message[0].to_vec()).expect("text"));
    }
    texts
}

/// All that comes before the first message of a socket of this type: its greeting and what it says of itself.
pub(crate) fn introduction(socket_type: SocketType) -> Vec<u8> {
    let new = || Connection::new(Config::new(socket_type), Instant::now());
    let mut side = new();
    let mut said = side.take_output().to_vec();
    side.receive(&new().take_output(), Instant::now());
    side.poll().expect("a greeting");
    said.extend_from_slice(&side.take_output());
    said
}

/// A peer that does what the test says, and nothing else.
#[derive(Debug)]
pub(crate) struct Hand {
    pub(crate) stream: TcpStream,
    pub(crate) connection: Connection,
}

impl Hand {
    /// A peer of this type that has done the handshake.
    pub(crate) async fn met(socket_type: SocketType, place: &Place) -> Self {
        Self::met_with(socket_type, place, &[]).await
    }

    /// One that said this with the last word of the handshake.
    pub(crate) async fn met_with(socket_type: SocketType, place: &Place, messages: &[Message]) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, place.port())).await.expect("a listener");
        let mut hand = Self { stream, connection: Connection::new(Config::new(socket_type), Instant::now()) };
        for message in messages {
            hand.connection.send(message).expect("it waits for the handshake");
        }
        assert!(matches!(hand.event().await, Ok(Some(zmtp::Event::Ready(_)))));
        hand.flush().await;
        hand
    }

    /// Writes all that is to be sent.
    pub(crate) async fn flush(&mut self) {
        let output = self.connection.take_output();
        self.stream.write_all(&output).await.expect("it is taken");
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, message: &Message) {
        self.connection.send(message).expect("it is ready");
        self.flush().await;
    }

    /// What happens next; `None` at the end of the stream.
    pub(crate) async fn event(&mut self) -> Result<Option<zmtp::Event>, zmtp::Error> {
        loop {
            if let Some(event) = self.connection.poll()? {
                return Ok(Some(event));
            }
            self.flush().await;
            let mut bytes = vec![0; 64 << 10];
            match self.stream.read(&mut bytes).await {
                Ok(0) | Err(_) => return Ok(None),
                Ok(read) => self.connection.receive(&bytes[..read], Instant::now()),
            }
        }
    }

    /// The messages that come until the stream ends.
    pub(crate) async fn rest(mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Ok(Some(event)) = self.event().await {
            if let zmtp::Event::Message(message) = event {
                messages.push(message);
            }
        }
        messages
    }
}

/// As many bytes, each telling where it stands.
pub(crate) fn ramp(length: usize) -> Bytes {
    let once: Vec<u8> = (0..=u8::MAX).collect();
    let mut bytes = once.repeat(length / once.len() + 1);
    bytes.truncate(length);
    bytes.into()
}
