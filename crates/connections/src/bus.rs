//! Passes publications on between many publishers and many subscribers who know but one address each: an XSUB and an XPUB, back to back.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use service_framework_core::address::Address;
use tokio::time::timeout;

use crate::counters::{Counters, Refusal};
use crate::engine::{Bound, BusEnd, Engine, Event, Frames, Receiver, SendError, Socket, Unsent};
use crate::error::Error;

/// Passes on what publishers publish to who has subscribed to it, and what subscribers subscribe to, to all publishers. Publishers connect to one of its ends (as
/// `is_x_pub` has them do), subscribers to the other. What a subscriber is too slow for is dropped for it alone, and counted.
///
/// Dropping it ends it.
pub struct Bus {
    publishers: End,
    subscribers: End,
    _passing: [Rc<dyn Receiver>; 2],
}

struct End {
    socket: Rc<dyn Socket>,
    address: Address,
    counters: Arc<Counters>,
}

/// Passes on what comes by one end to the other.
struct Pass {
    counters: Arc<Counters>,
    to: Rc<dyn Socket>,
    to_counters: Arc<Counters>,
}

impl Bus {
    /// Listens for publishers and for subscribers. Must be called inside a `LocalSet` or a `LocalRuntime`.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`], with what stands in the way and the fix.
    pub async fn open(
        engine: &Rc<dyn Engine>,
        publishers: &Address,
        subscribers: &Address,
    ) -> Result<Self, Error> {
        let publishers = End::open(engine, BusEnd::Publishers, "publishers", publishers).await?;
        let subscribers = End::open(engine, BusEnd::Subscribers, "subscribers", subscribers).await?;
        let passing = [(&publishers, &subscribers), (&subscribers, &publishers)].map(|(from, to)| {
            let pass: Rc<dyn Receiver> = Rc::new(Pass {
                counters: Arc::clone(&from.counters),
                to: Rc::clone(&to.socket),
                to_counters: Arc::clone(&to.counters),
            });
            from.socket.deliver_to(Rc::downgrade(&pass));
            // What came before there was anybody to take it would be in the way for ever.
            while let Poll::Ready(Event::Message(early)) =
                from.socket.poll_recv(&mut Context::from_waker(Waker::noop()))
            {
                pass.receive(early);
            }
            pass
        });
        Ok(Self { publishers, subscribers, _passing: passing })
    }

    /// Where publishers connect to, with the real port, and what came from them and was passed on to them.
    pub fn publishers(&self) -> (&Address, &Arc<Counters>) {
        (&self.publishers.address, &self.publishers.counters)
    }

    /// Where subscribers connect to, with the real port, and what came from them and was passed on to them.
    pub fn subscribers(&self) -> (&Address, &Arc<Counters>) {
        (&self.subscribers.address, &self.subscribers.counters)
    }

    /// Stops listening, and waits until what was passed on has left the process, but for no longer than `linger`.
    pub async fn close(&self, linger: Duration) {
        // Both stop to listen at once, whichever takes longer to end.
        let (publishers, subscribers) = (self.publishers.socket.close(), self.subscribers.socket.close());
        _ = timeout(linger, async { tokio::join!(publishers, subscribers) }).await;
    }
}

impl End {
    async fn open(
        engine: &Rc<dyn Engine>,
        end: BusEnd,
        name: &str,
        address: &Address,
    ) -> Result<Self, Error> {
        let counters = Arc::default();
        let bound = engine.bind_bus(end, address).await;
        let Bound { socket, address } = crate::watched(bound, name, address, &counters)?;
        Ok(Self { socket, address, counters })
    }
}

impl Receiver for Pass {
    fn receive(&self, message: Frames) {
        let bytes = message.bytes();
        self.counters.count_in(bytes);
        let before = self.to.dropped();
        match self.to.send(message) {
            Ok(()) => self.to_counters.count_out(bytes),
            Err(Unsent { why: SendError::Gone, .. }) => self.to_counters.count_refused(Refusal::Closing),
            Err(Unsent { why: SendError::Full, .. }) => self.to_counters.count_refused(Refusal::QueueFull),
        }
        self.to_counters.count_refused_times(Refusal::QueueFull, self.to.dropped() - before);
    }
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (publishers, subscribers) = (&self.publishers.address, &self.subscribers.address);
        f.debug_struct("Bus")
            .field("publishers", publishers)
            .field("subscribers", subscribers)
            .finish_non_exhaustive()
    }
}
