//! How often a link tries to reach its peer, on a clock that stands still while there is anything to do.

use std::future::poll_fn;

use tokio::sync::watch;
use tokio::task::LocalSet;

use super::*;
use crate::engine::Bound;

/// What the peer does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Peer {
    Absent,
    /// It takes connections, and says nothing.
    Mute,
    /// It is there, for so long at a time.
    There {
        each: Duration,
    },
}

/// An engine whose peer does as the test says, and that notes each attempt to reach it.
#[derive(Debug)]
struct Scripted {
    peer: watch::Sender<Peer>,
    attempts: RefCell<Vec<Instant>>,
    /// How many there are now, and were at most.
    under_way: Cell<usize>,
    most_under_way: Cell<usize>,
}

impl Engine for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn check(&self, _: &Address) -> Result<(), SocketError> {
        Ok(())
    }

    fn bind<'a>(&'a self, _: Role, _: &'a Address) -> LocalFuture<'a, Result<Bound, SocketError>> {
        Box::pin(async { Err(SocketError::ConnectToAny) })
    }

    fn connect<'a>(
        &'a self,
        _: Role,
        _: &'a Address,
        patience: Duration,
    ) -> LocalFuture<'a, Result<Rc<dyn Socket>, SocketError>> {
        Box::pin(async move {
            self.attempts.borrow_mut().push(Instant::now());
            let _under_way = UnderWay::begin(self);
            let mut peer = self.peer.subscribe();
            let speaks = peer.wait_for(|peer| *peer != Peer::Mute);
            let Ok(Ok(peer)) = timeout(patience, speaks).await.map(|spoke| spoke.map(|peer| *peer)) else {
                return Err(SocketError::Silence { after: patience });
            };
            match peer {
                Peer::There { each } => {
                    Ok(Rc::new(Passing(RefCell::new(Box::pin(sleep(each))))) as Rc<dyn Socket>)
                }
                Peer::Absent | Peer::Mute => {
                    Err(SocketError::System(std::io::ErrorKind::ConnectionRefused.into()))
                }
            }
        })
    }
}

/// An attempt, for as long as it is one.
struct UnderWay<'a>(&'a Scripted);

impl<'a> UnderWay<'a> {
    fn begin(engine: &'a Scripted) -> Self {
        engine.under_way.set(engine.under_way.get() + 1);
        engine.most_under_way.set(engine.most_under_way.get().max(engine.under_way.get()));
        Self(engine)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
    }
}

/// A connection that is lost after some time.
#[derive(Debug)]
struct Passing(RefCell<std::pin::Pin<Box<tokio::time::Sleep>>>);

impl Socket for Passing {
    fn send(&self, frames: Frames) -> Result<(), Unsent> {
        Err(Unsent { why: SendError::Full, frames })
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Event> {
        self.0.borrow_mut().as_mut().poll(cx).map(|()| Event::Lost)
    }

    fn close(&self) -> LocalFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

const SECOND: Duration = Duration::from_secs(1);
const FOREVER: Duration = Duration::from_secs(1_000_000);

/// A link to a peer that does this at first.
fn link_to(peer: Peer) -> (Link, Rc<Scripted>) {
    let (attempts, under_way, most_under_way) = Default::default();
    let peer = watch::Sender::new(peer);
    let scripted = Rc::new(Scripted { peer, attempts, under_way, most_under_way });
    let engine: Rc<dyn Engine> = Rc::<Scripted>::clone(&scripted);
    let address = "127.0.0.1:1".parse().unwrap();
    let link = Link::open(&engine, Role::Dealer, "orders", &address, &Arc::default()).unwrap();
    (link, scripted)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    LocalSet::new().block_on(&runtime.unwrap(), test);
}

impl Link {
    async fn next(&self) -> LinkEvent {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Lets it go on for so long, whatever becomes of it.
    async fn go_on(&self, time: Duration) {
        _ = timeout(time, async {
            loop {
                self.next().await;
            }
        })
        .await;
    }
}

impl Scripted {
    fn times(&self) -> usize {
        self.attempts.borrow().len()
    }

    /// The pauses between the attempts so far, which are forgotten.
    fn pauses(&self) -> Vec<Duration> {
        let attempts = self.attempts.take();
        attempts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// Holds pauses against the first, the second .. `whole` ones: half of each is left to chance.
fn check(pauses: &[Duration], whole_ms: &[u64]) {
    assert!(pauses.len() >= whole_ms.len(), "{pauses:?}");
    for (pause, whole_ms) in pauses.iter().zip(whole_ms) {
        let whole = Duration::from_millis(*whole_ms);
        // The clock counts milliseconds.
        assert!((whole / 2..=whole + Duration::from_millis(2)).contains(pause), "{pause:?} of {whole:?}");
    }
}

#[test]
fn an_absent_peer_is_tried_less_and_less_often_and_found_within_a_second() {
    for seconds in 0..20 {
        run(async move {
            let (link, engine) = link_to(Peer::Absent);
            link.go_on(60 * SECOND + seconds * SECOND / 20).await;
            // Each 0.2 seconds it would have been 300 times.
            assert!((60..=170).contains(&engine.times()), "{} times", engine.times());
            check(&engine.pauses(), &[100, 200, 400, 750, 750, 750, 750]);
            engine.peer.send_replace(Peer::There { each: FOREVER });
            let since = Instant::now();
            assert!(matches!(link.next().await, LinkEvent::Up));
            assert!(since.elapsed() <= SECOND, "{:?}", since.elapsed());
        });
    }
}

#[test]
fn a_peer_that_does_not_speak_has_one_connection_at_a_time_and_is_found_as_it_speaks() {
    for seconds in 0..20 {
        run(async move {
            let (link, engine) = link_to(Peer::Mute);
            link.go_on(60 * SECOND + seconds * SECOND / 2).await;
            assert!((10..=14).contains(&engine.times()), "{} times", engine.times());
            assert_eq!(engine.most_under_way.get(), 1);
            engine.peer.send_replace(Peer::There { each: FOREVER });
            let since = Instant::now();
            assert!(matches!(link.next().await, LinkEvent::Up));
            // It may speak between two of them.
            assert!(since.elapsed() <= SECOND, "{:?}", since.elapsed());
        });
    }
}

#[test]
fn a_peer_that_comes_and_goes_at_once_is_tried_less_and_less_often() {
    run(async {
        let (link, engine) = link_to(Peer::There { each: Duration::ZERO });
        link.go_on(60 * SECOND).await;
        check(&engine.pauses(), &[100, 200, 400, 750, 750, 750, 750]);
    });
}

#[test]
fn a_peer_that_was_there_for_long_is_looked_for_soon() {
    run(async {
        let (link, engine) = link_to(Peer::Absent);
        link.go_on(10 * SECOND).await;
        engine.peer.send_replace(Peer::There { each: SECOND });
        assert!(matches!(link.next().await, LinkEvent::Up));
        engine.attempts.take();
        for _ in 0..10 {
            assert!(matches!(link.next().await, LinkEvent::Down));
            let since = Instant::now();
            assert!(matches!(link.next().await, LinkEvent::Up));
            assert!(since.elapsed() <= Duration::from_millis(102), "{:?}", since.elapsed());
        }
        assert_eq!(engine.times(), 10);
    });
}
