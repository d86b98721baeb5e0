//! Receives what it subscribed to: connects to a publisher or proxy, or listens for publishers.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use service_framework_core::address::Address;
use tokio::time::timeout;

use crate::counters::{Counters, Refusal};
use crate::delivery::Delivery;
use crate::engine::{Bound, Engine, Event, Frames, Role, Socket};
use crate::error::Error;
use crate::link::{Link, LinkEvent};

/// A connection that receives publications. One that is not asked for the next leaves it unread.
pub struct Subscriber {
    end: End,
    address: Address,
    counters: Arc<Counters>,
}

enum End {
    Listening(Rc<dyn Socket>),
    Connecting(Link),
}

/// What happens to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Its publisher was found, and told what it subscribes to. For one that listens, the first one came; with the engine `zeromq`, which does not
    /// tell who comes, this is said at the start.
    Up,
    /// Its publisher was lost, and is looked for again. For one that listens, the last one went; with the engine `zeromq` this is never said.
    Down,
    /// A message came.
    Message(Bytes),
}

impl Subscriber {
    /// Listens on `address` for connecting publishers (`is_binder`), and takes the messages that begin with
    /// `filter`; an empty one takes all.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`], with what stands in the way and the fix.
    pub async fn bind(
        engine: &Rc<dyn Engine>,
        connection: &str,
        address: &Address,
        filter: Bytes,
    ) -> Result<Self, Error> {
        let counters = Arc::default();
        let bound = crate::bind(engine, Role::Subscribe(filter), connection, address, &counters).await?;
        let Bound { socket, address } = bound;
        Ok(Self { end: End::Listening(socket), address, counters })
    }

    /// Connects to `address`, by itself and again whenever the publisher is lost, and takes the messages that
    /// begin with `filter`; an empty one takes all. Does not wait for the publisher to be there. Must be called
    /// inside a `LocalSet` or a `LocalRuntime`.
    ///
    /// # Errors
    ///
    /// [`Error::Connect`] when the address can never be connected to.
    pub fn connect(
        engine: &Rc<dyn Engine>,
        connection: &str,
        address: &Address,
        filter: Bytes,
    ) -> Result<Self, Error> {
        let counters = Arc::default();
        let link = Link::open(engine, Role::Subscribe(filter), connection, address, &counters)?;
        Ok(Self { end: End::Connecting(link), address: address.clone(), counters })
    }

    /// Takes what begins with another filter, too: publishers are told of it behind the first one, and of what `filter` gives then whenever one that was connected to is found again. One
    /// that listens asks for it once. With the engine `zeromq`, nothing more is taken.
    pub fn subscribe(&self, filter: impl Fn() -> Bytes + 'static) {
        match &self.end {
            End::Listening(socket) => socket.subscribe(filter()),
            End::Connecting(link) => link.subscribe(Box::new(filter)),
        }
    }

    /// Where it listens, with the real port, or whom it connects to.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What it received and refused so far.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Waits for the next message. Nothing is lost when the future is dropped.
    pub async fn recv(&self) -> Bytes {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Gives the next message, topic included, or wakes the last caller when there is one.
    ///
    /// Messages of several frames are dropped and counted.
    pub fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Bytes> {
        loop {
            if let Arrival::Message(frame) = ready!(self.poll_arrival(cx)) {
                return Poll::Ready(frame);
            }
        }
    }

    /// As [`poll_recv`](Self::poll_recv), and tells when the publisher was found or lost.
    pub fn poll_arrival(&self, cx: &mut Context<'_>) -> Poll<Arrival> {
        loop {
            let frames = match &self.end {
                End::Listening(socket) => match ready!(socket.poll_recv(cx)) {
                    Event::Message(frames) => frames,
                    Event::Met => return Poll::Ready(Arrival::Up),
                    Event::Alone => return Poll::Ready(Arrival::Down),
                    // A listening socket has no peer of its own to lose.
                    Event::Lost => continue,
                },
                End::Connecting(link) => match ready!(link.poll(cx)) {
                    LinkEvent::Message(frames) => frames,
                    LinkEvent::Up => return Poll::Ready(Arrival::Up),
                    LinkEvent::Down => return Poll::Ready(Arrival::Down),
                },
            };
            if let Some(frame) = open(&self.counters, frames) {
                return Poll::Ready(Arrival::Message(frame));
            }
        }
    }

    /// Gives messages to `handle` as soon as they are read, for as long as the delivery is kept and no older ones wait for
    /// [`poll_recv`](Self::poll_recv), instead of whom they were given to before. With an engine that cannot, all of them wait.
    #[must_use = "it ends when it is dropped"]
    pub fn deliver_to(&self, handle: impl Fn(Bytes) + 'static) -> Delivery {
        let counters = Arc::clone(&self.counters);
        let delivery = Delivery::new(move |frames| open(&counters, frames).into_iter().for_each(&handle));
        match &self.end {
            End::Listening(socket) => socket.deliver_to(delivery.receiver()),
            End::Connecting(link) => link.deliver_to(delivery.receiver()),
        }
        delivery
    }

    /// Closes it, within `linger`.
    pub async fn close(&self, linger: Duration) {
        let _ = match &self.end {
            End::Listening(socket) => timeout(linger, socket.close()).await,
            End::Connecting(link) => timeout(linger, link.close()).await,
        };
    }
}

/// Drops and counts what is not of one frame.
fn open(counters: &Counters, mut frames: Frames) -> Option<Bytes> {
    match (frames.pop_front(), frames.is_empty()) {
        (Some(frame), true) => {
            counters.count_in(frame.len());
            Some(frame)
        }
        _ => {
            counters.count_refused(Refusal::FrameCount);
            None
        }
    }
}

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscriber").field("address", &self.address).finish_non_exhaustive()
    }
}
