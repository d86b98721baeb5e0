//! Carries frames by our own engine; the only file that names it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use service_framework_core::address::{Address, Host};
pub use service_framework_zmtp::Message;
use service_framework_zmtp::socket::{
    self as zmtp, Counts, Ended, InprocListener, Listener, Options, Queue, Refused, Stream,
};
pub use service_framework_zmtp::socket::{Backoff, Receiver, Redial, WhenFull, chance};
use service_framework_zmtp::{Credentials, Error, Heartbeat, Mechanism, SocketType};
pub use service_framework_zmtp::{KeyError, KeyPair, PublicKey, SecretKey};
use tokio::net::{TcpListener, TcpStream};

use super::{
    Bound, BusEnd, Engine, EngineOptions, Event, Frames, LocalFuture, Role, SendError, Socket, Unsent,
};
use crate::counters::{Counters, Refusal};
use crate::error::SocketError;
use crate::link::Task;
use crate::listen::{self, SocketFile};
use crate::peers::{PeerCounts, Peers, printable};
use crate::security::Security;

/// Our own engine, on the tokio runtime of the caller, which should be a current-thread one.
#[derive(Clone, Debug)]
pub struct Zmtp(EngineOptions);

/// Bytes of an envelope and more, which a message may have beyond what is in it.
const ENVELOPE: usize = 64 << 10;

impl Zmtp {
    /// For connections that are like this.
    ///
    /// Messages of up to twice as many are given to the connection, which can say that they are too large. A peer that announces
    /// more is put out before any of it is kept, which the connection counts as [`Refusal::TooLarge`].
    ///
    /// A peer that gives no sign of life for twice as long as the time between two questions for one is put out.
    pub fn new(options: EngineOptions) -> Self {
        Self(options)
    }
}

impl Default for Zmtp {
    fn default() -> Self {
        Self::new(EngineOptions::default())
    }
}

impl Engine for Zmtp {
    fn name(&self) -> &'static str {
        "zmtp"
    }

    fn check(&self, _: &Address) -> Result<(), SocketError> {
        Ok(())
    }

    fn bind<'a>(&'a self, role: Role, address: &'a Address) -> LocalFuture<'a, Result<Bound, SocketError>> {
        Box::pin(async move {
            let socket = self.open(&role);
            bind(socket, address).await
        })
    }

    fn bind_bus<'a>(
        &'a self,
        end: BusEnd,
        address: &'a Address,
    ) -> LocalFuture<'a, Result<Bound, SocketError>> {
        let socket_type = match end {
            BusEnd::Publishers => SocketType::XSub,
            BusEnd::Subscribers => SocketType::XPub,
        };
        Box::pin(bind(self.open_as(socket_type), address))
    }

    fn connect<'a>(
        &'a self,
        role: Role,
        address: &'a Address,
        patience: Duration,
    ) -> LocalFuture<'a, Result<Rc<dyn Socket>, SocketError>> {
        Box::pin(async move {
            let meet = async {
                let socket = self.open(&role);
                let stream = connect(address).await?;
                socket.connect(stream).await.map_err(|why| misfit(why, patience))?;
                Ok(Rc::new(ZmtpSocket::new(socket, true)) as Rc<dyn Socket>)
            };
            match tokio::time::timeout(patience, meet).await {
                Ok(met) => met,
                Err(_) => Err(SocketError::Silence { after: patience }),
            }
        })
    }
}

impl Zmtp {
    fn open_as(&self, socket_type: SocketType) -> zmtp::Socket {
        let EngineOptions { message_bytes, heartbeat, security, .. } = &self.0;
        let mut options = Options::new(socket_type);
        options.connections = self.0.peers;
        options.queue = Queue { messages: self.0.queue_messages, bytes: self.0.queue_bytes };
        options.when_full = self.0.when_full;
        // A reply is for who has asked, and for nobody who comes later by the same name.
        options.heeds_identities = false;
        // Peers are told of no time to live: a service may hold its thread for longer than they would wait.
        options.connection.heartbeat = (!heartbeat.is_zero()).then_some(Heartbeat {
            every: *heartbeat,
            patience: heartbeat.saturating_mul(2),
            time_to_live: Duration::ZERO,
        });
        let limits = &mut options.connection.limits;
        limits.message_bytes = message_bytes.saturating_mul(2).saturating_add(ENVELOPE);
        limits.frame_bytes = limits.message_bytes;
        match security {
            Security::Open => {}
            Security::Client { own, server } => {
                options.connection.mechanism = Mechanism::CurveClient { own: own.clone(), server: *server };
            }
            Security::Server { own, allow } => {
                options.connection.mechanism = Mechanism::CurveServer { own: own.clone() };
                let allow = Rc::clone(allow);
                options.admits = Some(Rc::new(move |who| match who {
                    Credentials::Key(key) => allow.admits(key),
                    _ => false,
                }));
            }
        }
        zmtp::Socket::new(options)
    }

    fn open(&self, role: &Role) -> zmtp::Socket {
        let socket = self.open_as(match role {
            Role::Router => SocketType::Router,
            Role::Dealer => SocketType::Dealer,
            Role::Publish => SocketType::Pub,
            Role::Subscribe(_) => SocketType::Sub,
        });
        if let Role::Subscribe(filter) = role {
            socket.subscribe(filter.clone());
        }
        socket
    }
}

async fn bind(socket: zmtp::Socket, address: &Address) -> Result<Bound, SocketError> {
    let (listener, file, address) = listen(address).await?;
    socket.listen(listener);
    let socket = ZmtpSocket { file: RefCell::new(file), ..ZmtpSocket::new(socket, false) };
    Ok(Bound { socket: Rc::new(socket), address })
}

/// Listens, and gives the address back as it came out.
async fn listen(address: &Address) -> Result<(Listener, Option<SocketFile>, Address), SocketError> {
    if let Address::Inproc(name) = address {
        let listener = InprocListener::bind(name).map_err(|cause| SocketError::from_bind(address, cause))?;
        return Ok((Listener::Inproc(listener), None, address.clone()));
    }
    let (listener, address) = listen::listen(address).await?;
    let (listener, file) = adopt(listener).map_err(SocketError::System)?;
    Ok((listener, file, address))
}

fn adopt(listener: listen::Listener) -> std::io::Result<(Listener, Option<SocketFile>)> {
    match listener {
        listen::Listener::Tcp(listener) => {
            listener.set_nonblocking(true)?;
            Ok((Listener::Tcp(TcpListener::from_std(listener)?), None))
        }
        #[cfg(unix)]
        listen::Listener::Ipc(listener, file) => {
            listener.set_nonblocking(true)?;
            Ok((Listener::Unix(tokio::net::UnixListener::from_std(listener)?), Some(file)))
        }
    }
}

async fn connect(address: &Address) -> Result<Stream, SocketError> {
    let connected = match address {
        Address::Tcp { host: Host::Ip(ip), port } => TcpStream::connect((*ip, *port)).await.map(Stream::Tcp),
        Address::Tcp { host: Host::Name(name), port } => {
            let found = listen::resolve(name, *port).await?;
            TcpStream::connect(&*found).await.map(Stream::Tcp)
        }
        Address::Tcp { host: Host::Any, .. } => return Err(SocketError::ConnectToAny),
        #[cfg(unix)]
        Address::Ipc(path) => tokio::net::UnixStream::connect(path).await.map(Stream::Unix),
        #[cfg(not(unix))]
        Address::Ipc(_) => Err(std::io::ErrorKind::Unsupported.into()),
        Address::Inproc(name) => Stream::inproc(name),
    };
    let connected = connected.map_err(SocketError::System)?;
    // The system gives one that connects any free port, also the one that it looks for, where nobody listens.
    if let Stream::Tcp(stream) = &connected
        && matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
    {
        return Err(SocketError::System(std::io::ErrorKind::ConnectionRefused.into()));
    }
    Ok(connected)
}

fn misfit(why: Ended, patience: Duration) -> SocketError {
    match why {
        Ended::Protocol(Error::HandshakeTimeout) => SocketError::Silence { after: patience },
        Ended::System(cause) => SocketError::System(cause),
        why => SocketError::Misfit { reason: why.to_string() },
    }
}

#[derive(Debug)]
struct ZmtpSocket {
    socket: zmtp::Socket,
    is_connecting: bool,
    file: RefCell<Option<SocketFile>>,
    watch: RefCell<Option<Watch>>,
    /// Waits for what happens to peers, where nobody else does.
    watching: RefCell<Option<Task>>,
    telling: RefCell<Option<Telling>>,
}

impl ZmtpSocket {
    fn new(socket: zmtp::Socket, is_connecting: bool) -> Self {
        let (file, watch, watching, telling) = Default::default();
        Self { socket, is_connecting, file, watch, watching, telling }
    }

    fn peers(&self) -> Peers {
        let (busiest, more) = self.socket.busiest_peers(Peers::SHOWN);
        let busiest = busiest.into_iter().map(|peer| PeerCounts {
            address: peer.address.map(|address| address.to_string()),
            identity: printable(&peer.asked_identity),
            messages_in: peer.received,
            messages_out: peer.sent,
            bytes_in: peer.bytes_read,
            bytes_out: peer.bytes_written,
            queued_messages: peer.queued_messages,
            queued_bytes: peer.queued_bytes,
            // What was given back to a replyer is dropped there.
            dropped: peer.dropped_full + peer.refused_full,
        });
        Peers { busiest: busiest.collect(), more }
    }

    /// Gives what happened next to a peer, counted and logged.
    fn poll_event(&self, cx: &mut Context<'_>) -> Poll<zmtp::Event> {
        let event = ready!(self.socket.poll_event(cx));
        if let Some(watch) = &*self.watch.borrow() {
            watch.count(self.socket.counts());
            watch.tell(&event);
        }
        Poll::Ready(event)
    }
}

/// Tells who the peers of a socket are, as often as somebody asks.
#[derive(Debug)]
struct Telling {
    counters: Arc<Counters>,
    _task: Task,
}

impl Telling {
    fn of(socket: &Rc<ZmtpSocket>, counters: &Arc<Counters>) -> Self {
        counters.inquiry().begin();
        let (socket, asked) = (Rc::downgrade(socket), Arc::clone(counters));
        let task = Task::spawn(async move {
            loop {
                asked.inquiry().asked().await;
                let Some(socket) = socket.upgrade() else { return };
                asked.inquiry().tell(|| socket.peers());
            }
        });
        Self { counters: Arc::clone(counters), _task: task }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.counters.inquiry().end();
    }
}

/// Who is told what the engine refuses.
#[derive(Debug)]
struct Watch {
    connection: String,
    counters: Arc<Counters>,
    /// What was counted before.
    seen: Cell<Counts>,
    /// When it was last said aloud that the system gives no connections.
    warned: Cell<Option<Instant>>,
}

/// That the system gives no connections is said aloud so often at most.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

impl Watch {
    fn count(&self, now: Counts) {
        let seen = self.seen.replace(now);
        for (reason, seen, now) in [
            (Refusal::TooLarge, seen.too_large, now.too_large),
            (Refusal::PutOut, seen.put_out, now.put_out),
            (Refusal::SilentPeer, seen.silent, now.silent),
            (Refusal::SlowPeer, seen.too_slow, now.too_slow),
            (Refusal::NoPeer, seen.handshakes_refused, now.handshakes_refused),
            (Refusal::TooManyPeers, seen.refused_connections, now.refused_connections),
            (Refusal::NotAccepted, seen.accept_errors, now.accept_errors),
            (Refusal::Misfit, seen.dropped_misfit, now.dropped_misfit),
        ] {
            if now > seen {
                self.counters.count_refused_times(reason, now - seen);
            }
        }
    }

    fn tell(&self, event: &zmtp::Event) {
        let connection = &self.connection;
        match event {
            zmtp::Event::Disconnected { why, .. } => tracing::debug!(connection, %why, "lost a peer"),
            zmtp::Event::HandshakeFailed { why } => tracing::debug!(connection, %why, "met a stranger"),
            zmtp::Event::TooMany => {
                tracing::debug!(connection, "refused a connection, as there are too many")
            }
            zmtp::Event::Misfit { .. } => {
                tracing::debug!(connection, "dropped a message that is none of its kind")
            }
            zmtp::Event::AcceptFailed { why } => self.tell_of_refusal(why),
            _ => {}
        }
    }

    /// Says that the system gives no connections, but not each time: that goes on for as long as descriptors are missing.
    fn tell_of_refusal(&self, why: &std::io::Error) {
        let connection = &self.connection;
        let now = Instant::now();
        if self.warned.get().is_none_or(|warned| now.duration_since(warned) >= BETWEEN_WARNINGS) {
            self.warned.set(Some(now));
            tracing::warn!(
                connection,
                %why,
                "cannot take more peers; those that are there are served. Raise the limit of open files (`ulimit -n`), or look who connects"
            );
        } else {
            tracing::debug!(connection, %why, "cannot take more peers");
        }
    }
}

impl Socket for ZmtpSocket {
    fn send(&self, frames: Frames) -> Result<(), Unsent> {
        self.socket.send(frames).map_err(|unsent| Unsent {
            why: if unsent.why == Refused::Full { SendError::Full } else { SendError::Gone },
            frames: unsent.message,
        })
    }

    fn dropped(&self) -> u64 {
        self.socket.counts().dropped_full
    }

    fn poll_subscribers(&self, count: usize, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_subscribers(count, cx)
    }

    fn room(&self) -> LocalFuture<'static, ()> {
        Box::pin(self.socket.room())
    }

    fn deliver_to(&self, receiver: Weak<dyn Receiver>) {
        self.socket.deliver_to(receiver);
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(message) = self.socket.poll_recv(cx) {
            return Poll::Ready(Event::Message(message));
        }
        while self.is_connecting
            && let Poll::Ready(event) = self.poll_event(cx)
        {
            if matches!(event, zmtp::Event::Disconnected { .. }) {
                return Poll::Ready(Event::Lost);
            }
        }
        Poll::Pending
    }

    fn watch(self: Rc<Self>, connection: &str, counters: &Arc<Counters>) {
        self.telling.replace(Some(Telling::of(&self, counters)));
        let seen = Cell::new(self.socket.counts());
        let (connection, counters) = (connection.to_owned(), Arc::clone(counters));
        self.watch.replace(Some(Watch { connection, counters, seen, warned: Cell::default() }));
        // Who connects asks by itself, to hear that the peer is lost.
        if !self.is_connecting {
            let socket = Rc::downgrade(&self);
            let task = Task::spawn(poll_fn(move |cx| match socket.upgrade() {
                Some(socket) => {
                    while socket.poll_event(cx).is_ready() {}
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }));
            self.watching.replace(Some(task));
        }
    }

    fn close(&self) -> LocalFuture<'static, ()> {
        drop(self.file.take());
        Box::pin(self.socket.close())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_refuses_is_counted_once_by_its_reason() {
        let counters = Arc::<Counters>::default();
        let watch = Watch {
            connection: "orders".to_owned(),
            counters: Arc::clone(&counters),
            seen: Cell::default(),
            warned: Cell::default(),
        };
        let mut counts = Counts::default();
        counts.too_large = 1;
        counts.put_out = 2;
        counts.silent = 3;
        counts.handshakes_refused = 4;
        counts.refused_connections = 5;
        counts.accept_errors = 6;
        counts.dropped_misfit = 7;
        counts.too_slow = 8;
        // What has nothing to do with a refusal.
        (counts.received, counts.disconnected, counts.handshakes_failed) = (100, 100, 100);
        for _ in 0..2 {
            watch.count(counts);
        }
        counts.accept_errors += 1;
        watch.count(counts);
        let counted = counters.counts();
        let expected = [
            (Refusal::TooLarge, 1),
            (Refusal::PutOut, 2),
            (Refusal::SilentPeer, 3),
            (Refusal::NoPeer, 4),
            (Refusal::TooManyPeers, 5),
            (Refusal::NotAccepted, 7),
            (Refusal::Misfit, 7),
            (Refusal::SlowPeer, 8),
        ];
        for (reason, times) in expected {
            assert_eq!(counted.refused(reason), times, "{}", reason.name());
        }
        assert_eq!(counted.refused.iter().sum::<u64>(), 37);
    }
}
