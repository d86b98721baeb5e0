//! Publishes to all who subscribed: a PUB that listens, or connects to a proxy or a listening subscriber.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use service_framework_core::address::Address;
use tokio::time::{Instant, timeout, timeout_at};

use crate::counters::{Counters, Refusal};
use crate::engine::{
    Bound, Engine, Frames, Greeting, LocalFuture, Role, SendError, Socket, SocketType, Unsent,
};
use crate::error::Error;
use crate::link::{Link, Task};

/// A connection that publishes. Several of a service on one endpoint [`share`](Self::share) a socket.
pub struct Publisher {
    end: Rc<End>,
    address: Address,
    counters: Arc<Counters>,
    options: Options,
    /// When it was opened.
    opened: Instant,
}

/// A subscriber has no room for this frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a subscriber has no room")]
pub struct NoRoom(pub Bytes);

/// Who has subscribed to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newcomer {
    /// Who reads it.
    Subscriber,
    /// A proxy, which passes on what it gets to all those behind it who have subscribed to something that this begins with.
    Proxy,
}

enum End {
    Listening(Rc<dyn Socket>),
    Connecting { link: Rc<Link>, _driver: Task },
}

/// How a publisher behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long [`Publisher::settle`] waits after opening at most, so that subscribers have a chance to be there for the first message.
    pub wait_after_creation: Duration,
    /// How many subscribers end that wait; 0 for none. A proxy is one, which subscribes when anybody behind it has.
    pub subscribers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { wait_after_creation: Duration::from_millis(150), subscribers: 1 }
    }
}

impl End {
    fn dropped(&self) -> u64 {
        match self {
            Self::Listening(socket) => socket.dropped(),
            Self::Connecting { link, .. } => link.dropped(),
        }
    }
}

impl Publisher {
    /// Listens on `address`. `connection` is the name for errors.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`], with what stands in the way and the fix.
    pub async fn bind(
        engine: &Rc<dyn Engine>,
        connection: &str,
        address: &Address,
        options: Options,
    ) -> Result<Self, Error> {
        let counters = Arc::default();
        let bound = crate::bind(engine, Role::Publish, connection, address, &counters).await?;
        let Bound { socket, address } = bound;
        Ok(Self { end: Rc::new(End::Listening(socket)), address, counters, options, opened: Instant::now() })
    }

    /// Connects to `address`, by itself and again whenever the peer is lost (`is_x_pub`). Does not wait for the
    /// peer to be there. Must be called inside a `LocalSet` or a `LocalRuntime`.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`] when the address can never be connected to.
    pub fn connect(
        engine: &Rc<dyn Engine>,
        connection: &str,
        address: &Address,
        options: Options,
    ) -> Result<Self, Error> {
        let counters = Arc::default();
        let link = Rc::new(Link::open(engine, Role::Publish, connection, address, &counters)?);
        let driven = Rc::clone(&link);
        let driver = Task::spawn(async move {
            loop {
                poll_fn(|cx| driven.poll(cx)).await;
            }
        });
        let end = Rc::new(End::Connecting { link, _driver: driver });
        Ok(Self { end, address: address.clone(), counters, options, opened: Instant::now() })
    }

    /// Another connection that publishes through the same socket. It counts for itself what it publishes; who came and went, and the bytes to and fro, are told at both. Closing
    /// either closes both.
    #[must_use]
    pub fn share(&self, options: Options) -> Self {
        let (end, address) = (Rc::clone(&self.end), self.address.clone());
        Self {
            end,
            address,
            counters: Arc::new(self.counters.of_same_socket()),
            options,
            opened: self.opened,
        }
    }

    /// Waits until so many have subscribed as the options say, or as long after it was opened as they say at most.
    pub async fn settle(&self) {
        let count = self.options.subscribers;
        let subscribed = poll_fn(|cx| match &*self.end {
            _ if count == 0 => Poll::Pending,
            End::Listening(socket) => socket.poll_subscribers(count, cx),
            End::Connecting { link, .. } => link.poll_subscribers(count, cx),
        });
        _ = timeout_at(self.opened + self.options.wait_after_creation, subscribed).await;
    }

    /// Where it listens, with the real port, or whom it connects to.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What it carried and dropped so far.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Publishes one frame, topic included, to everybody whose filter it begins with.
    ///
    /// Never waits. What cannot be sent (no connection, closed) is dropped and counted; so is what a subscriber reads too slowly to be sent.
    pub fn publish(&self, frame: Bytes) {
        if let Err(NoRoom(_)) = self.try_publish(frame) {
            self.counters.count_refused(Refusal::QueueFull);
        }
    }

    /// The same, unless a subscriber has no room and the others are to wait for it ([`WhenFull::Wait`](crate::WhenFull::Wait)).
    ///
    /// # Errors
    ///
    /// With the frame, which was sent to nobody; [`room`](Self::room) tells when to try again.
    pub fn try_publish(&self, frame: Bytes) -> Result<(), NoRoom> {
        let bytes = frame.len();
        let frames = Frames::from([frame]);
        let before = self.end.dropped();
        let (sent, gone) = match &*self.end {
            End::Listening(socket) => (socket.send(frames), Refusal::Closing),
            End::Connecting { link, .. } => (link.send(frames), Refusal::NotConnected),
        };
        if let Some(dropped) = self.end.dropped().checked_sub(before).filter(|dropped| *dropped > 0) {
            self.counters.count_refused_times(Refusal::QueueFull, dropped);
        }
        match sent {
            Ok(()) => self.counters.count_out(bytes),
            Err(Unsent { why: SendError::Gone, .. }) => self.counters.count_refused(gone),
            Err(Unsent { why: SendError::Full, mut frames }) => {
                return Err(NoRoom(frames.pop().unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// Sends to whoever subscribes to something that begins with `prefix`, alone, the frame that `greeting` gives for what was subscribed to, if it gives any. It is asked for each
    /// such thing, also of those who have subscribed already, and again when a connection was lost. The frame waits in the queue of the peer as a publication does, and is
    /// asked for only when there is room, unless older ones make room or the peer is disconnected, as is done with publications. With the engine `zeromq`, nobody is greeted.
    pub fn greet(
        &self,
        prefix: impl Into<Bytes>,
        greeting: impl Fn(&[u8], Newcomer) -> Option<Bytes> + 'static,
    ) {
        let counters = Arc::clone(&self.counters);
        let greeting: Greeting = Rc::new(move |newcomer| {
            let who = match newcomer.socket_type() {
                SocketType::XSub => Newcomer::Proxy,
                _ => Newcomer::Subscriber,
            };
            if let Some(frame) = greeting(newcomer.topic(), who) {
                counters.count_out(frame.len());
                let dropped = newcomer.send(&Frames::from([frame]));
                counters.count_refused_times(Refusal::QueueFull, dropped);
            }
        });
        match &*self.end {
            End::Listening(socket) => socket.greet(&prefix.into(), &greeting),
            End::Connecting { link, .. } => link.greet(prefix.into(), greeting),
        }
    }

    /// Ends when there may be room again where [`try_publish`](Self::try_publish) has found none since this was called, or just before.
    pub fn room(&self) -> LocalFuture<'static, ()> {
        match &*self.end {
            End::Listening(socket) => socket.room(),
            End::Connecting { link, .. } => link.room(),
        }
    }

    /// Closes it, and waits until what was published has left the process, but for no longer than `linger`.
    pub async fn close(&self, linger: Duration) {
        let _ = match &*self.end {
            End::Listening(socket) => timeout(linger, socket.close()).await,
            End::Connecting { link, .. } => timeout(linger, link.close()).await,
        };
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("address", &self.address).finish_non_exhaustive()
    }
}
