//! What becomes of messages for a peer whose queue is full.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use proptest::prelude::*;
use service_framework_zmtp::socket::{Cause, Ended, Queue, Refused, Socket, WhenFull};
use service_framework_zmtp::{Message, SocketType};
use tokio::task::{spawn_local, yield_now};

use crate::support::{Carrier, Hand, Place, bound, connected, ended, ramp, run, send, text, until};

/// A socket with small queues.
async fn small(socket_type: SocketType, when_full: WhenFull, messages: usize) -> (Socket, Place) {
    bound(socket_type, Carrier::Tcp, |options| {
        options.queue = Queue { messages, bytes: 64 << 20 };
        options.when_full = when_full;
    })
    .await
}

/// A subscriber to everything that reads nothing until it is told to.
async fn lazy(publisher: &Socket, place: &Place) -> Hand {
    let subscribers = publisher.peers() + 1;
    let mut hand = Hand::met(SocketType::Sub, place).await;
    hand.connection.subscribe(true, b"").expect("it is ready");
    hand.flush().await;
    poll_fn(|context| publisher.poll_subscribers(subscribers, context)).await;
    hand
}

/// A message that says its number in front of so many bytes.
fn numbered(number: u64, bytes: usize) -> Message {
    let mut body = number.to_be_bytes().to_vec();
    body.resize(bytes.max(8), 0);
    Message::from([body])
}

fn numbers(messages: &[Message]) -> Vec<u64> {
    let number = |message: &Message| message[0][..8].try_into().map(u64::from_be_bytes);
    messages.iter().map(|message| number(message).expect("eight bytes")).collect()
}

/// Publishes numbers, giving others their turn, until that many were sent in vain or for others.
async fn overfill(publisher: &Socket, dropped: u64) -> u64 {
    let mut number = 0;
    while publisher.counts().dropped_full < dropped {
        send(publisher, numbered(number, 100 << 10));
        number += 1;
        yield_now().await;
    }
    number
}

#[test]
fn the_oldest_make_room_and_the_newest_arrive() {
    run(async {
        let (publisher, place) = small(SocketType::Pub, WhenFull::DropOldest, 10).await;
        let hand = lazy(&publisher, &place).await;
        let sent = overfill(&publisher, 20).await;
        let counts = publisher.peer_counts()[0].clone();
        assert!(counts.queued_messages <= 10, "{counts:?}");
        let read = spawn_local(hand.rest());
        publisher.close().await;
        let came = numbers(&read.await.expect("it reads"));
        assert_eq!(came.last(), Some(&(sent - 1)), "the newest is there");
        assert_eq!(came.len() as u64, publisher.counts().sent);
        assert!(came.is_sorted(), "{came:?}");
        let counts = publisher.counts();
        assert_eq!(counts.sent + counts.dropped_full, sent);
    });
}

#[test]
fn who_takes_too_little_is_disconnected_and_the_others_are_not() {
    run(async {
        let (publisher, place) = small(SocketType::Pub, WhenFull::Disconnect, 10).await;
        let good = connected(SocketType::Sub, &place, |_| ()).await;
        good.subscribe("");
        poll_fn(|context| publisher.poll_subscribers(1, context)).await;
        let _lazy = lazy(&publisher, &place).await;
        let mut number = 0;
        while publisher.counts().disconnected.of(Cause::Slow) == 0 {
            send(&publisher, numbered(number, 100 << 10));
            assert_eq!(good.recv().await, numbered(number, 100 << 10));
            number += 1;
        }
        assert!(matches!(ended(&publisher).await, Ended::QueueFull));
        assert_eq!((publisher.peers(), publisher.counts().disconnected.total()), (1, 1));
    });
}

#[test]
fn a_publisher_that_waits_loses_nothing() {
    run(async {
        let (publisher, place) = small(SocketType::Pub, WhenFull::Wait, 10).await;
        let (fast, slow) = (lazy(&publisher, &place).await, lazy(&publisher, &place).await);
        let fast = spawn_local(fast.rest());
        // Until it is held up by the one who does not read, and nobody else is sent more.
        let mut number = 0;
        while !is_full(&publisher, 10).await {
            while publisher.send(numbered(number, 100 << 10)).is_ok() {
                number += 1;
            }
        }
        let sent = publisher.counts().sent;
        let unsent = publisher.send(numbered(number, 8)).expect_err("it is held up");
        assert_eq!((unsent.why, publisher.counts().sent), (Refused::Full, sent));
        let slow = spawn_local(slow.rest());
        for _ in 0..100 {
            while publisher.send(numbered(number, 100 << 10)).is_err() {
                publisher.room().await;
            }
            number += 1;
        }
        assert_eq!(publisher.counts().dropped_full, 0);
        publisher.close().await;
        for subscriber in [fast, slow] {
            let came = numbers(&subscriber.await.expect("it reads"));
            assert!(came.into_iter().eq(0..number));
        }
    });
}

/// Whether as many messages wait for a peer although others have had their turn.
async fn is_full(socket: &Socket, messages: usize) -> bool {
    for _ in 0..1_000 {
        yield_now().await;
    }
    socket.peer_counts().iter().any(|peer| peer.queued_messages >= messages)
}

#[test]
fn who_waits_for_room_is_told_that_the_peer_is_gone() {
    run(async {
        let (push, place) = small(SocketType::Push, WhenFull::Wait, 2).await;
        let hand = Hand::met(SocketType::Pull, &place).await;
        until(|| push.peers() == 1).await;
        while push.send(Message::from([ramp(1 << 20)])).is_ok() || push.peer_counts()[0].queued_messages < 2 {
            yield_now().await;
        }
        let room = push.room();
        drop(hand);
        room.await;
        assert_eq!(push.send(text("x")).expect_err("nobody is there").why, Refused::NoPeer);
    });
}

#[test]
fn who_waits_for_room_is_told_that_nothing_is_wanted_any_more() {
    run(async {
        let (publisher, place) = small(SocketType::Pub, WhenFull::Wait, 2).await;
        let mut lazy = lazy(&publisher, &place).await;
        while !is_full(&publisher, 2).await {
            while publisher.send(numbered(0, 100 << 10)).is_ok() {}
        }
        let room = publisher.room();
        lazy.connection.subscribe(false, b"").expect("it is ready");
        lazy.flush().await;
        room.await;
        send(&publisher, numbered(1, 8));
    });
}

#[test]
fn who_waits_for_room_is_not_woken_by_one_who_cancels_what_it_never_asked_for() {
    run(async {
        let (publisher, place) = small(SocketType::Pub, WhenFull::Wait, 2).await;
        let _lazy = lazy(&publisher, &place).await;
        while !is_full(&publisher, 2).await {
            while publisher.send(numbered(0, 100 << 10)).is_ok() {}
        }
        let mut other = Hand::met(SocketType::Sub, &place).await;
        let mut room = pin!(publisher.room());
        for topic in ["", "never"] {
            other.connection.subscribe(false, topic.as_bytes()).expect("it is ready");
        }
        other.connection.subscribe(true, b"something").expect("it is ready");
        other.flush().await;
        poll_fn(|context| publisher.poll_subscribers(2, context)).await;
        let is_woken = poll_fn(|context| Poll::Ready(room.as_mut().poll(context).is_ready())).await;
        assert!(!is_woken, "there is no more room than before");
    });
}

#[test]
fn a_push_drops_the_oldest_only_if_nobody_has_room() {
    run(async {
        let (push, place) = small(SocketType::Push, WhenFull::DropOldest, 4).await;
        let stuck = Hand::met(SocketType::Pull, &place).await;
        until(|| push.peers() == 1).await;
        overfill(&push, 3).await;
        let before = push.counts();
        let good = connected(SocketType::Pull, &place, |_| ()).await;
        until(|| push.peers() == 2).await;
        for number in 0..20 {
            send(&push, numbered(number, 8));
            assert_eq!(good.recv().await, numbered(number, 8));
        }
        assert_eq!(push.counts().dropped_full, before.dropped_full);
        drop(stuck);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is dropped: what arrives is in order, and with what was dropped it is all there was.
    #[test]
    fn nothing_is_lost_uncounted(
        messages in 1_usize..20,
        bytes in prop_oneof![Just(1_usize), 1_000..200_000_usize],
        sizes in proptest::collection::vec(prop_oneof![8..100_usize, 8..200_000_usize], 1..200),
        turns in any::<u64>(),
    ) {
        run(async move {
            let (push, place) = bound(SocketType::Push, Carrier::Tcp, |options| {
                options.queue = Queue { messages, bytes };
                options.when_full = WhenFull::DropOldest;
            })
            .await;
            let hand = Hand::met(SocketType::Pull, &place).await;
            until(|| push.peers() == 1).await;
            let mut refused = 0;
            for (number, size) in sizes.iter().enumerate() {
                refused += u64::from(push.send(numbered(number as u64, *size)).is_err());
                if turns >> (number % 64) & 1 == 1 {
                    yield_now().await;
                }
            }
            let read = spawn_local(hand.rest());
            push.close().await;
            let came = numbers(&read.await.expect("it reads"));
            let counts = push.counts();
            assert!(came.is_sorted(), "{came:?}");
            assert_eq!((counts.sent, counts.sent + counts.dropped_full + refused), (came.len() as u64, sizes.len() as u64));
        });
    }
}
