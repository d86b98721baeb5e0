//! Keeps connections to endpoints, for as long as the socket is there.

use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use foldhash::fast::RandomState;
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep};

use super::peer::Peer;
use super::redial::{Backoff, chance};
use super::{Ended, Endpoint, Event, Redial, Shared, Socket, Stream};

/// A connection that a socket keeps, as [`Socket::dial`] began it. Dropping this changes nothing.
#[derive(Clone, Debug)]
pub struct Dial {
    shared: Weak<Shared>,
    number: u64,
    is_met: watch::Receiver<bool>,
}

impl Socket {
    /// Makes a peer of whoever listens at `endpoint`, and keeps it: whoever is not there, goes, or fails in the handshake is
    /// tried again, until the socket is closed or dropped, or [`Dial::stop`] is called.
    ///
    /// Each try looks the name of the host up anew, and may take as long as a handshake may
    /// ([`Limits::handshake`](crate::Limits::handshake)) until it is connected, and again until the handshake is done. Each peer is told the
    /// identity of this socket, and what it has subscribed to. What was in the queue of a peer that is lost is lost with it.
    ///
    /// [`Event`] tells of each peer that was met or lost, with the endpoint, and of each try that came to nothing, with the pause that follows.
    ///
    /// A REQ that waits for an answer when its peer is lost waits no longer, and may [`send`](Self::send) again, when there is a peer. The question is not
    /// sent again by itself, as the peer may have seen to it; who waits in [`recv`](Self::recv) goes on to wait, so listen to events
    /// beside it, or set it a time. What is said to the lost connection is not taken for an answer to what is asked by the next one; see
    /// [`Options::correlate`](super::Options::correlate) for the one case in which that takes more.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// use service_framework_zmtp::SocketType;
    /// use service_framework_zmtp::socket::{Event, InprocListener, Listener, Options, Redial, Socket};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default())?.block_on(async {
    /// let subscriber = Socket::new(Options::new(SocketType::Sub));
    /// subscriber.subscribe("weather");
    /// let dial = subscriber.dial("inproc://news".parse()?, Redial::default());
    ///
    /// // Nobody is there yet.
    /// let Event::DialFailed { endpoint, why, pause } = poll_fn(|context| subscriber.poll_event(context)).await else {
    ///     panic!("somebody was there")
    /// };
    /// println!("{endpoint}: {why}; it is tried again in {pause:?}");
    ///
    /// let publisher = Socket::new(Options::new(SocketType::Pub));
    /// publisher.listen(Listener::Inproc(InprocListener::bind("news")?));
    /// dial.met().await?;
    /// poll_fn(|context| publisher.poll_subscribers(1, context)).await;
    /// publisher.send(["weather", "rain"].into()).map_err(|unsent| unsent.why)?;
    /// assert_eq!(subscriber.recv().await, ["weather", "rain"].into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dial(&self, endpoint: Endpoint, redial: Redial) -> Dial {
        let (tell, is_met) = watch::channel(false);
        let shared = Rc::downgrade(&self.0);
        let number = match self.0.is_closed.get() {
            true => 0,
            false => self.0.dials.borrow_mut().begin(Weak::clone(&shared), endpoint, redial, tell),
        };
        Dial { shared, number, is_met }
    }
}

impl Dial {
    /// Ends when there is a connection and its handshake is done, at once if there is one now.
    ///
    /// # Errors
    ///
    /// [`Ended::ByUs`] if the dial was stopped or the socket is gone. All other failures are followed by another try.
    pub fn met(&self) -> impl Future<Output = Result<(), Ended>> + 'static {
        let mut is_met = self.is_met.clone();
        async move { is_met.wait_for(|is_met| *is_met).await.map(drop).map_err(|_| Ended::ByUs) }
    }

    /// Tries no more. A peer that was met is parted from as by [`Socket::close`]: what was sent to it leaves first, if it takes that within
    /// `linger`; one that was not met is left at once.
    pub fn stop(&self, linger: Duration) {
        let Some(shared) = self.shared.upgrade() else { return };
        let peer = shared.dials.borrow_mut().stop(self.number);
        if let Some(peer) = peer {
            peer.close(Some(linger));
        }
    }
}

/// What a socket dials, and whom it has reached.
#[derive(Debug, Default)]
pub(super) struct Dials {
    dialling: HashMap<u64, Dialling, RandomState>,
    /// By the keys of the peers, also those that are parted from.
    reached: HashMap<usize, Reached, RandomState>,
    /// How many there have been.
    count: u64,
}

#[derive(Debug)]
struct Dialling {
    task: AbortHandle,
    is_met: watch::Sender<bool>,
}

#[derive(Debug)]
struct Reached {
    number: u64,
    endpoint: Endpoint,
    peer: Rc<Peer>,
}

impl Dials {
    fn begin(
        &mut self,
        shared: Weak<Shared>,
        endpoint: Endpoint,
        redial: Redial,
        is_met: watch::Sender<bool>,
    ) -> u64 {
        self.count += 1;
        let task = tokio::task::spawn_local(keep(shared, self.count, endpoint, redial)).abort_handle();
        self.dialling.insert(self.count, Dialling { task, is_met });
        self.count
    }

    /// Ends a dial, and gives the peer that it has reached.
    fn stop(&mut self, number: u64) -> Option<Rc<Peer>> {
        self.dialling.remove(&number)?;
        self.reached.values().find(|reached| reached.number == number).map(|reached| Rc::clone(&reached.peer))
    }

    /// Ends all of them.
    pub(super) fn stop_all(&mut self) {
        self.dialling.clear();
    }

    /// A peer was met; says where it was dialled, if it was.
    pub(super) fn meet(&self, peer: usize) -> Option<Endpoint> {
        let reached = self.reached.get(&peer)?;
        self.tell(reached, true);
        Some(reached.endpoint.clone())
    }

    /// A peer is no more; says where it was dialled, if it was.
    pub(super) fn lose(&mut self, peer: usize) -> Option<Endpoint> {
        let reached = self.reached.remove(&peer)?;
        self.tell(&reached, false);
        Some(reached.endpoint)
    }

    fn tell(&self, reached: &Reached, is_met: bool) {
        if let Some(dialling) = self.dialling.get(&reached.number) {
            dialling.is_met.send_replace(is_met);
        }
    }
}

impl Drop for Dialling {
    fn drop(&mut self) {
        self.task.abort();
        self.is_met.send_replace(false);
    }
}

/// Keeps a connection to an endpoint. The task ends with the socket, which holds its handle.
async fn keep(socket: Weak<Shared>, number: u64, endpoint: Endpoint, redial: Redial) {
    let mut backoff = Backoff::new(redial);
    while let Some(limit) = socket.upgrade().map(|shared| shared.options.connection.limits.handshake) {
        let stream = endpoint.open(limit).await;
        let Some(shared) = socket.upgrade() else { return };
        let reached = match stream {
            Ok(stream) => Ok(shared.reach(stream, number, &endpoint)),
            Err(why) => Err(why.into()),
        };
        // Whoever holds the socket decides how long it is there.
        drop(shared);
        let pause = match hold(reached).await {
            Ok(held) => backoff.lost(held, chance()),
            Err(why) => {
                let pause = backoff.failed(chance());
                let Some(shared) = socket.upgrade() else { return };
                shared.count(|counts| counts.dials_failed.add(why.cause(), 1));
                shared.tell(Event::DialFailed { endpoint: endpoint.clone(), why, pause });
                pause
            }
        };
        sleep(pause).await;
    }
}

/// A peer that was reached: whether it will be met, and the task of its connection.
type Meeting = (oneshot::Receiver<Result<(), Ended>>, JoinHandle<()>);

/// Waits until a peer is lost, and says for how long there was a connection.
async fn hold(reached: Result<Meeting, Ended>) -> Result<Duration, Ended> {
    let (meeting, connection) = reached?;
    meeting.await.unwrap_or(Err(Ended::ByUs))?;
    let since = Instant::now();
    // However it ended: what it was is told by an event.
    _ = connection.await;
    Ok(since.elapsed())
}

impl Shared {
    fn reach(self: &Rc<Self>, stream: Stream, number: u64, endpoint: &Endpoint) -> Meeting {
        let (tell, told) = oneshot::channel();
        let (peer, connection) = self.begin(stream, Some(tell));
        let reached = Reached { number, endpoint: endpoint.clone(), peer };
        self.dials.borrow_mut().reached.insert(reached.peer.key(), reached);
        (told, connection)
    }
}
