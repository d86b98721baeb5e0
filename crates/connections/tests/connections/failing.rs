//! A peer that fails: it is asked less, and what may be sent again is.

use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::requester::{BreakerOptions, Options};
use service_framework_connections::{CallError, Refusal, Requester};
use service_framework_core::address::Address;
use service_framework_zmtp::SocketType;
use tokio::net::TcpListener;

use super::support::*;

fn with(to: &Address, options: Options) -> Requester {
    Requester::connect(&engine(), "to_orders", to, options).unwrap()
}

/// Fails after three times, and is asked again after that long.
fn breaker(pause: Duration) -> Options {
    Options { breaker: BreakerOptions { failures: 3, pause }, ..Options::default() }
}

async fn ask_briefly(requester: &Requester) -> Result<Bytes, CallError> {
    requester.call(Bytes::from("hello"), Some(Instant::now() + Duration::from_millis(10))).await
}

const NEVER: Duration = Duration::from_secs(3_600);

#[test]
fn a_peer_that_does_not_answer_is_asked_no_more_until_it_gives_a_sign_of_life() {
    run(async {
        let replyer = Rc::new(replyer(&any_port()).await);
        let requester = with(replyer.address(), breaker(NEVER));
        until_connected(requester.counters(), 1).await;
        for _ in 0..3 {
            assert_eq!(ask_briefly(&requester).await, Err(CallError::Deadline));
        }
        assert_eq!(ask_briefly(&requester).await, Err(CallError::Unavailable), "at once, and not sent");
        // An answer that nobody waits for any more shows that it is there.
        for _ in 0..3 {
            let request = replyer.recv().await;
            replyer.reply(request.reply_to, request.payload);
        }
        until(|| requester.counters().counts().refused(Refusal::LateReply) > 0).await;
        let _echo = echo(replyer);
        assert_eq!(requester.call(Bytes::from("again"), deadline()).await.unwrap(), "again");
    });
}

#[test]
fn one_call_after_each_pause_finds_out_that_it_is_there_again() {
    run(async {
        let replyer = Rc::new(replyer(&any_port()).await);
        let requester = with(replyer.address(), breaker(Duration::from_millis(50)));
        until_connected(requester.counters(), 1).await;
        for _ in 0..3 {
            assert_eq!(ask_briefly(&requester).await, Err(CallError::Deadline));
        }
        // Whoever is let through finds out; the others are refused meanwhile.
        let probe = loop {
            let mut call = tokio::task::spawn_local(requester.call(Bytes::from("probe"), deadline()));
            match tokio::time::timeout(Duration::from_millis(5), &mut call).await {
                Err(_) => break call,
                Ok(refused) => assert_eq!(refused.unwrap(), Err(CallError::Unavailable)),
            }
        };
        let _echo = echo(replyer);
        assert_eq!(probe.await.unwrap().unwrap(), "probe");
        assert_eq!(requester.call(Bytes::from("as before"), deadline()).await.unwrap(), "as before");
    });
}

#[test]
fn a_peer_that_was_absent_is_asked_as_soon_as_it_comes() {
    run(async {
        let home = Home::new();
        let requester = with(&home.address, breaker(NEVER));
        for _ in 0..3 {
            assert_eq!(ask_briefly(&requester).await, Err(CallError::NotConnected));
        }
        assert_eq!(ask_briefly(&requester).await, Err(CallError::Unavailable));
        let _echo = echo(Rc::new(replyer(&home.address).await));
        until_connected(requester.counters(), 1).await;
        assert_eq!(requester.call(Bytes::from("hello"), deadline()).await.unwrap(), "hello");
    });
}

#[test]
fn a_peer_that_is_lost_with_many_calls_has_failed_once() {
    run(async {
        let home = Home::new();
        let first = replyer(&home.address).await;
        let requester = with(&home.address, breaker(NEVER));
        let calls: Vec<_> = (0..10)
            .map(|_| tokio::task::spawn_local(requester.call(Bytes::from("lost"), deadline())))
            .collect();
        for _ in &calls {
            first.recv().await;
        }
        first.close(LINGER).await;
        for call in calls {
            assert_eq!(call.await.unwrap(), Err(CallError::PeerLost));
        }
        let _echo = echo(Rc::new(replyer(&home.address).await));
        assert_eq!(requester.call(Bytes::from("hello"), deadline()).await.unwrap(), "hello");
    });
}

#[test]
fn what_may_be_done_twice_is_sent_again_when_its_peer_is_lost() {
    run(async {
        let home = Home::new();
        let first = replyer(&home.address).await;
        let requester = with(&home.address, Options { idempotent: true, ..Options::default() });
        let calls: Vec<_> = ["one", "two", "three"]
            .map(|text| tokio::task::spawn_local(requester.call(Bytes::from(text), deadline())))
            .into();
        for _ in &calls {
            first.recv().await;
        }
        first.close(LINGER).await;
        let _echo = echo(Rc::new(replyer(&home.address).await));
        let mut replies = Vec::new();
        for call in calls {
            replies.push(call.await.unwrap().unwrap());
        }
        assert_eq!(replies, ["one", "two", "three"]);
    });
}

#[test]
fn no_more_is_sent_again_than_the_budget_allows() {
    run(async {
        let home = Home::new();
        let first = replyer(&home.address).await;
        let requester = with(&home.address, Options { idempotent: true, ..Options::default() });
        until_connected(requester.counters(), 1).await;
        let calls: Vec<_> = (0..20)
            .map(|_| tokio::task::spawn_local(requester.call(Bytes::from("hello"), deadline())))
            .collect();
        for _ in &calls {
            first.recv().await;
        }
        first.close(LINGER).await;
        let _echo = echo(Rc::new(replyer(&home.address).await));
        let mut outcomes = Vec::new();
        for call in calls {
            outcomes.push(call.await.unwrap());
        }
        let answered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = outcomes.iter().filter(|outcome| **outcome == Err(CallError::PeerLost)).count();
        assert_eq!((answered, lost), (10, 10), "twenty calls while it was full earned nothing");
    });
}

#[test]
fn a_peer_that_is_slow_to_say_who_it_is_is_connected_to_once() {
    if cannot("zeromq", "begins anew beside an attempt that takes long") {
        return;
    }
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let requester = requester(&address(&listener.local_addr().unwrap().to_string()));
        let asked = tokio::task::spawn_local(requester.call(Bytes::from("hello"), deadline()));
        let (stream, _) = listener.accept().await.unwrap();
        let another = tokio::time::timeout(Duration::from_secs(1), listener.accept()).await;
        assert!(another.is_err(), "the first was not given up");
        let (mut stream, mut side) = shake_hands(stream, SocketType::Router).await;
        answer(&mut stream, &mut side).await;
        assert_eq!(asked.await.unwrap().unwrap(), "hello");
        assert_eq!(requester.counters().counts().dials_failed.total(), 0);
    });
}
