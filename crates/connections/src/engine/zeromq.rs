//! Carries frames by the `zeromq` crate; the only file that names it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use service_framework_core::address::Address;
use tokio::time::{Instant, sleep_until, timeout};
use zeromq::{
    DealerSocket, MultiPeerBackend, PubSocket, RouterSocket, Socket as _, SocketEvent, SocketOptions,
    SocketRecv as _, SocketSend as _, XSubSocket, ZmqError, ZmqMessage,
};

use super::{Bound, Cause, Engine, Event, Frames, LocalFuture, Role, SendError, Socket, Unsent};
use crate::counters::Counters;
use crate::error::SocketError;
use crate::listen::{self, Listener, SocketFile};

/// The `zeromq` crate on the tokio runtime of the caller, which should be a current-thread one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Zeromq;

impl Engine for Zeromq {
    fn name(&self) -> &'static str {
        "zeromq"
    }

    fn check(&self, address: &Address) -> Result<(), SocketError> {
        match address {
            Address::Inproc(_) => Err(SocketError::NoInproc { engine: self.name() }),
            Address::Tcp { .. } | Address::Ipc(_) => Ok(()),
        }
    }

    fn bind<'a>(&'a self, role: Role, address: &'a Address) -> LocalFuture<'a, Result<Bound, SocketError>> {
        Box::pin(async move {
            self.check(address)?;
            let (listener, address) = listen::listen(address).await?;
            let mut raw = Raw::new(&role, options());
            raw.subscribe(&role).await?;
            let file = raw.adopt(listener).await?;
            let socket = ZeromqSocket::new(raw, None, file);
            // It does not tell who comes, so that whoever waits for a publisher is let go on at once.
            socket.is_new.set(matches!(role, Role::Subscribe(_)));
            Ok(Bound { socket: Rc::new(socket), address })
        })
    }

    fn connect<'a>(
        &'a self,
        role: Role,
        address: &'a Address,
        patience: Duration,
    ) -> LocalFuture<'a, Result<Rc<dyn Socket>, SocketError>> {
        Box::pin(async move {
            self.check(address)?;
            let mut patient = pin!(connect_within(&role, address, patience));
            if let Ok(connected) = timeout(ALONE, &mut patient).await {
                return connected;
            }
            loop {
                let brief = async {
                    let end = Instant::now() + BRIEFLY;
                    let connected = connect_within(&role, address, BRIEFLY).await;
                    if connected.is_err() {
                        sleep_until(end).await;
                    }
                    connected
                };
                tokio::select! {
                    biased;
                    connected = &mut patient => return connected,
                    connected = brief => if connected.is_ok() { return connected },
                }
            }
        })
    }
}

/// What most peers need for their handshake; others are beginning to be connected to anew beside it.
const ALONE: Duration = Duration::from_millis(200);

/// How long an attempt takes beside a patient one. Once the engine was refused, it waits longer and longer inside one attempt, so that others have to be made all the time;
/// but a peer far away needs longer for its handshake.
const BRIEFLY: Duration = Duration::from_millis(500);

/// Opens a socket and connects it, giving up after that long.
async fn connect_within(
    role: &Role,
    address: &Address,
    patience: Duration,
) -> Result<Rc<dyn Socket>, SocketError> {
    let mut options = options();
    options.connect_timeout(patience);
    let mut raw = Raw::new(role, options);
    let lost = raw.watch();
    raw.subscribe(role).await?;
    raw.connect(&address.url()).await?;
    Ok(Rc::new(ZeromqSocket::new(raw, Some(lost), None)))
}

/// How much is read from a peer at once to begin with.
///
/// The engine fills it with zeros before each read, and takes a new one when messages have taken what it had: larger would cost every
/// read, smaller would allocate for every message.
const READ_BYTES: usize = 1 << 10;

fn options() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.read_buffer(READ_BYTES, 64 * READ_BYTES, 2);
    options
}

/// Ready when the peer of a connecting socket is lost.
type Lost = Box<dyn FnMut(&mut Context<'_>) -> Poll<()>>;

struct ZeromqSocket {
    /// Empty once closed.
    raw: RefCell<Option<Raw>>,
    /// Of connecting sockets alone: the engine makes none of them anew in time.
    lost: Option<RefCell<Lost>>,
    file: RefCell<Option<SocketFile>>,
    /// Whether it is to say that it has met a publisher.
    is_new: Cell<bool>,
    /// Everything that works for the socket holds this, its writers last of all.
    workers: Weak<dyn MultiPeerBackend>,
    counters: RefCell<Option<Arc<Counters>>>,
}

impl ZeromqSocket {
    fn new(raw: Raw, lost: Option<Lost>, file: Option<SocketFile>) -> Self {
        let workers = raw.workers();
        let (raw, file, lost) = (RefCell::new(Some(raw)), RefCell::new(file), lost.map(RefCell::new));
        Self { raw, lost, file, is_new: Cell::new(false), workers, counters: RefCell::default() }
    }
}

impl Drop for ZeromqSocket {
    /// One that connects has had one peer.
    fn drop(&mut self) {
        if let (Some(counters), true) = (self.counters.take(), self.lost.is_some()) {
            let is_closed = self.raw.borrow().is_none();
            counters.count_disconnected(if is_closed { Cause::ByUs } else { Cause::Other }, 1);
        }
    }
}

impl std::fmt::Debug for ZeromqSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZeromqSocket").finish_non_exhaustive()
    }
}

impl Socket for ZeromqSocket {
    fn send(&self, frames: Frames) -> Result<(), Unsent> {
        let gone = |frames| Unsent { why: SendError::Gone, frames };
        let mut raw = self.raw.borrow_mut();
        let Some(raw) = raw.as_mut() else {
            return Err(gone(frames));
        };
        // Fails for a message without frames, of which nothing could be sent.
        let frames: VecDeque<Bytes> = frames.into_iter().collect();
        let message = ZmqMessage::try_from(frames).map_err(|_| gone(Frames::new()))?;
        // Pending means that a queue is full: the engine would wait, and a service must not.
        match pin!(raw.send(message)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Ok(()),
            Poll::Ready(Err(ZmqError::ReturnToSender { message, .. })) => {
                Err(gone(message.into_vecdeque().into_iter().collect()))
            }
            Poll::Ready(Err(_)) => Err(gone(Frames::new())),
            Poll::Pending => Err(Unsent { why: SendError::Full, frames: Frames::new() }),
        }
    }

    fn watch(self: Rc<Self>, _connection: &str, counters: &Arc<Counters>) {
        self.counters.replace(Some(Arc::clone(counters)));
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Event> {
        let mut raw = self.raw.borrow_mut();
        let Some(raw) = raw.as_mut() else {
            return Poll::Pending;
        };
        if self.is_new.take() {
            return Poll::Ready(Event::Met);
        }
        // What was read before the peer left is handed on before the loss is.
        loop {
            // The engine keeps what was read so far in the socket, so this future may be dropped unfinished.
            match pin!(raw.recv()).poll(cx) {
                Poll::Ready(Ok(message)) => {
                    return Poll::Ready(Event::Message(message.into_vecdeque().into_iter().collect()));
                }
                Poll::Ready(Err(error)) if self.lost.is_some() => {
                    tracing::debug!(%error, "lost a peer that sent what is no message");
                    return Poll::Ready(Event::Lost);
                }
                // One peer of many: the engine has dropped it, the others go on.
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "dropped a peer that sent what is no message")
                }
                Poll::Pending => break,
            }
        }
        match &self.lost {
            Some(lost) => lost.borrow_mut()(cx).map(|()| Event::Lost),
            None => Poll::Pending,
        }
    }

    fn close(&self) -> LocalFuture<'static, ()> {
        let (raw, file, workers) = (self.raw.take(), self.file.take(), self.workers.clone());
        Box::pin(async move {
            let Some(raw) = raw else { return };
            drop(file);
            if let Raw::Publish(_) = raw {
                let_the_fan_out_run().await;
            }
            // The listener ends. The writers now find the ends of their queues, write what is before them, and leave.
            drop(raw);
            while workers.strong_count() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    }
}

/// Lets the engine's task that hands publications to the writers have its turn.
///
/// Dropping the socket would take the subscribers away from what it has not handed out yet. The task is woken by
/// then and never waits, so one turn is enough; a turn of the scheduler runs at most 61 tasks.
async fn let_the_fan_out_run() {
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for _ in 0..tasks / 61 + 3 {
        tokio::task::yield_now().await;
    }
}

enum Raw {
    Router(RouterSocket),
    Dealer(DealerSocket),
    Publish(PubSocket),
    Subscribe(XSubSocket),
}

/// Does the same to whichever socket it is.
macro_rules! each {
    ($raw:expr, $socket:ident => $do:expr) => {
        match $raw {
            Raw::Router($socket) => $do,
            Raw::Dealer($socket) => $do,
            Raw::Publish($socket) => $do,
            Raw::Subscribe($socket) => $do,
        }
    };
}

impl Raw {
    fn new(role: &Role, options: SocketOptions) -> Self {
        match role {
            Role::Router => Self::Router(RouterSocket::with_options(options)),
            Role::Dealer => Self::Dealer(DealerSocket::with_options(options)),
            Role::Publish => Self::Publish(PubSocket::with_options(options)),
            // SUB takes its filter as text only, and a MessagePack header is not UTF-8; XSUB takes bytes.
            Role::Subscribe(_) => Self::Subscribe(XSubSocket::with_options(options)),
        }
    }

    /// Subscribes, which the engine remembers and tells every peer that comes.
    async fn subscribe(&mut self, role: &Role) -> Result<(), SocketError> {
        if let (Self::Subscribe(socket), Role::Subscribe(filter)) = (self, role) {
            let mut subscription = BytesMut::with_capacity(1 + filter.len());
            subscription.put_u8(1);
            subscription.put_slice(filter);
            socket.send(ZmqMessage::from(subscription.freeze())).await?;
        }
        Ok(())
    }

    async fn adopt(&mut self, listener: Listener) -> Result<Option<SocketFile>, SocketError> {
        match listener {
            Listener::Tcp(listener) => {
                each!(self, socket => socket.bind_listener(listener).await)?;
                Ok(None)
            }
            #[cfg(unix)]
            Listener::Ipc(listener, file) => {
                each!(self, socket => socket.bind_listener(listener).await)?;
                Ok(Some(file))
            }
        }
    }

    async fn connect(&mut self, url: &str) -> Result<(), ZmqError> {
        each!(self, socket => socket.connect(url).await)
    }

    async fn send(&mut self, message: ZmqMessage) -> Result<(), ZmqError> {
        each!(self, socket => socket.send(message).await)
    }

    async fn recv(&mut self) -> Result<ZmqMessage, ZmqError> {
        match self {
            Self::Router(socket) => socket.recv().await,
            Self::Dealer(socket) => socket.recv().await,
            Self::Publish(_) => std::future::pending().await,
            Self::Subscribe(socket) => socket.recv().await,
        }
    }

    fn workers(&self) -> Weak<dyn MultiPeerBackend> {
        Arc::downgrade(&each!(self, socket => socket.backend()))
    }

    fn watch(&mut self) -> Lost {
        let mut events = each!(self, socket => socket.monitor());
        Box::new(move |cx| {
            loop {
                match pin!(events.recv()).poll(cx) {
                    Poll::Ready(Ok(SocketEvent::Disconnected(_)) | Err(_)) => return Poll::Ready(()),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
    }
}

impl From<ZmqError> for SocketError {
    fn from(error: ZmqError) -> Self {
        match error {
            ZmqError::Network(cause) => Self::System(cause),
            ZmqError::ConnectTimeout(after) => Self::Silence { after },
            other => Self::Misfit { reason: other.to_string(), cause: Cause::Other },
        }
    }
}
