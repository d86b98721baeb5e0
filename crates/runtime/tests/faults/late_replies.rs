//! Replies that come too late, twice, or to callers that have gone: each is counted, and none is taken for the reply to another call.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use service_framework_connections::counters::{Counts, Refusal};
use service_framework_connections::engine::{Frames, Role};
use service_framework_connections::requester::{BreakerOptions, Options};
use service_framework_connections::{CallError, Requester, default_engine};

use crate::report;
use crate::support::{PATIENCE, Raw, run};

/// How a call is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Once,
    Twice,
    /// Once it has run into its deadline.
    Late,
    /// Twice, once its caller has dropped it.
    Dropped,
}

impl Fate {
    /// That of a call, which looks like chance and is the same each time.
    fn of(call: u64) -> Self {
        let mixed = (call ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        match (mixed >> 32) % 8 {
            0..4 => Self::Once,
            4 => Self::Twice,
            5 => Self::Late,
            _ => Self::Dropped,
        }
    }

    /// Replies to it that reach nobody.
    fn late(self) -> u64 {
        match self {
            Self::Once => 0,
            Self::Twice | Self::Late => 1,
            Self::Dropped => 2,
        }
    }
}

/// The peer: gives each call back, as often and as late as it is to.
struct Answerer {
    raw: Raw,
    /// Calls that came and are answered when they are over, and those that are over and have not come; by their numbers.
    held: RefCell<HashMap<u64, Option<Frames>>>,
}

impl Answerer {
    async fn serve(&self) {
        loop {
            let frames: Frames = self.raw.recv().await.into_iter().collect();
            let call = frames[3].clone().get_u64();
            match Fate::of(call) {
                Fate::Once => self.answer(frames, 1).await,
                Fate::Twice => self.answer(frames, 2).await,
                fate @ (Fate::Late | Fate::Dropped) => {
                    let is_over = self.held.borrow_mut().remove(&call).is_some();
                    match is_over {
                        true => self.answer(frames, fate.late()).await,
                        false => _ = self.held.borrow_mut().insert(call, Some(frames)),
                    }
                }
            }
        }
    }

    /// A call is over, and may be answered now.
    async fn is_over(&self, call: u64) {
        let held = self.held.borrow_mut().remove(&call).flatten();
        match held {
            Some(frames) => self.answer(frames, Fate::of(call).late()).await,
            None => _ = self.held.borrow_mut().insert(call, None),
        }
    }

    async fn answer(&self, frames: Frames, times: u64) {
        for _ in 0..times {
            while self.raw.0.send(frames.clone()).is_err() {
                self.raw.0.room().await;
            }
        }
    }
}

/// Makes a call, and holds its outcome against its fate.
async fn make(call: u64, requester: &Requester, answerer: &Answerer) {
    let payload = Bytes::copy_from_slice(&call.to_be_bytes());
    let fate = Fate::of(call);
    let time = if fate == Fate::Late { Duration::from_millis(1) } else { PATIENCE };
    let mut made = pin!(requester.call(payload.clone(), Some(Instant::now() + time)));
    match fate {
        Fate::Once | Fate::Twice => assert_eq!(made.await, Ok(payload), "{call}"),
        Fate::Late => {
            assert_eq!(made.await, Err(CallError::Deadline), "{call}");
            answerer.is_over(call).await;
        }
        Fate::Dropped => {
            let begun = poll_fn(|cx| Poll::Ready(made.as_mut().poll(cx))).await;
            assert!(begun.is_pending(), "{call}");
            made.set(requester.call(Bytes::new(), None));
            answerer.is_over(call).await;
        }
    }
}

fn late(counts: &Counts) -> u64 {
    counts.refused(Refusal::LateReply)
}

fn check(calls: u64) {
    /// At a time; as many queues hold.
    const CALLERS: usize = 200;
    run(async {
        let (raw, at) = Raw::bind(Role::Router).await;
        let answerer = Rc::new(Answerer { raw, held: RefCell::default() });
        let serving = Rc::clone(&answerer);
        drop(tokio::task::spawn_local(async move { serving.serve().await }));
        // A peer that answers late has not failed, as far as this test goes.
        let breaker = BreakerOptions { failures: 0, ..BreakerOptions::default() };
        let options = Options { breaker, ..Options::default() };
        let requester = Rc::new(Requester::connect(&default_engine(), "late", &at, options).unwrap());
        // Numbers below are of calls that are made when there is a connection, as those that wait for one are not sent.
        let payload = Bytes::copy_from_slice(&0_u64.to_be_bytes());
        requester.call(payload, Some(Instant::now() + PATIENCE)).await.unwrap();
        let before = late(&requester.counters().counts());
        let next = Rc::new(Cell::new(1));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (requester, answerer, next) =
                    (Rc::clone(&requester), Rc::clone(&answerer), Rc::clone(&next));
                tokio::task::spawn_local(async move {
                    while next.get() <= calls {
                        make(next.replace(next.get() + 1), &requester, &answerer).await;
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
        let wanted: u64 = (1..=calls).map(|call| Fate::of(call).late()).sum();
        // Each is counted, and nothing but each.
        let counts = || requester.counters().counts();
        crate::support::until_async(|| late(&counts()) - before >= wanted).await;
        let refused: u64 = counts().refused.iter().sum();
        assert_eq!((late(&counts()) - before, refused - before), (wanted, wanted));
        assert!(answerer.held.borrow().is_empty());
        let of = |fate| (1..=calls).filter(|call| Fate::of(*call) == fate).count().to_string();
        report::write(
            "late_replies",
            &[
                ("calls", calls.to_string()),
                ("answered once", of(Fate::Once)),
                ("answered twice", of(Fate::Twice)),
                ("answered after their deadline", of(Fate::Late)),
                ("answered twice after they were dropped", of(Fate::Dropped)),
                (
                    "late replies that were counted, of as many",
                    format!("{}, {wanted}", late(&counts()) - before),
                ),
            ],
        );
    });
}

#[test]
fn of_a_hundred_thousand_calls_none_takes_the_late_reply_to_another() {
    check(100_000);
}

#[test]
#[ignore = "takes ten seconds"]
fn of_a_million_calls_none_takes_the_late_reply_to_another() {
    check(1_000_000);
}
