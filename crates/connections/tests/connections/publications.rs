//! Publications reach who subscribed, whoever of the two listens and whoever comes first or again.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_connections::engine::Role;
use service_framework_connections::publisher::{self, Publisher};
use service_framework_connections::subscriber::Arrival;
use service_framework_connections::{Refusal, Subscriber};
use service_framework_core::address::Address;

use super::support::*;

const AT_ONCE: publisher::Options =
    publisher::Options { wait_after_creation: Duration::ZERO, subscribers: 0 };

async fn publisher(at: &Address) -> Publisher {
    Publisher::bind(&engine(), "readings", at, AT_ONCE).await.unwrap()
}

fn connecting_publisher(to: &Address) -> Publisher {
    Publisher::connect(&engine(), "readings", to, AT_ONCE).unwrap()
}

fn subscriber(to: &Address, filter: impl Into<Bytes>) -> Subscriber {
    Subscriber::connect(&engine(), "board", to, filter.into()).unwrap()
}

async fn binding_subscriber(at: &Address, filter: impl Into<Bytes>) -> Subscriber {
    Subscriber::bind(&engine(), "board", at, filter.into()).await.unwrap()
}

/// Publishes until it arrives, whatever else is still on its way: a publisher of this engine does not say when a subscription is there.
async fn until_it_arrives(publisher: &Publisher, frame: &Bytes, subscriber: &Subscriber) {
    loop {
        publisher.publish(frame.clone());
        if let Ok(received) = tokio::time::timeout(Duration::from_millis(5), subscriber.recv()).await
            && received == frame
        {
            return;
        }
    }
}

/// The same with a number in each message; then reads to the last one, and expects no gap after the first.
async fn expect_all_of(publisher: &Publisher, subscriber: &Subscriber, prefix: &str) {
    let start = Bytes::from(format!("{prefix}start"));
    until_it_arrives(publisher, &start, subscriber).await;
    for number in 0..1_000 {
        publisher.publish(Bytes::from(format!("{prefix}{number}")));
    }
    let mut expected = 0;
    while expected < 1_000 {
        let received = subscriber.recv().await;
        if received != start {
            assert_eq!(received, format!("{prefix}{expected}"));
            expected += 1;
        }
    }
}

#[test]
fn a_subscriber_gets_all_in_order() {
    run(async {
        let publisher = publisher(&any_port()).await;
        let subscriber = subscriber(publisher.address(), "");
        expect_all_of(&publisher, &subscriber, "").await;
        assert!(publisher.counters().counts().messages_out > 1_000);
        assert!(subscriber.counters().counts().messages_in > 1_000);
    });
}

#[test]
fn a_connecting_publisher_reaches_a_listening_subscriber() {
    run(async {
        let subscriber = binding_subscriber(&any_port(), "").await;
        let one = connecting_publisher(subscriber.address());
        let other = connecting_publisher(subscriber.address());
        expect_all_of(&one, &subscriber, "one ").await;
        drop(one);
        expect_all_of(&other, &subscriber, "other ").await;
    });
}

#[test]
fn a_topic_of_any_length_filters_whole_topics() {
    run(async {
        // MessagePack text of 40 bytes: its header is no UTF-8.
        let topic = |last: u8| [&[0xd9, 40][..], &[b'a'; 39], &[last]].concat();
        let publisher = publisher(&any_port()).await;
        let wanted = subscriber(publisher.address(), topic(b'a'));
        let everything = subscriber(publisher.address(), "");
        let frame = |last, payload: &str| Bytes::from([&topic(last)[..], payload.as_bytes()].concat());
        until_it_arrives(&publisher, &frame(b'a', "start"), &wanted).await;
        until_it_arrives(&publisher, &frame(b'a', "start"), &everything).await;
        publisher.publish(frame(b'b', "other topic"));
        publisher.publish(Bytes::from("no topic"));
        publisher.publish(frame(b'a', "last"));
        while wanted.recv().await != frame(b'a', "last") {}
        let counted = everything.counters().counts().messages_in;
        let mut others = 0;
        loop {
            let received = everything.recv().await;
            others += u64::from(received == "no topic" || received == frame(b'b', "other topic"));
            if received == frame(b'a', "last") {
                break;
            }
        }
        assert_eq!(others, 2);
        assert!(everything.counters().counts().messages_in >= counted + 3);
    });
}

#[test]
fn subscribers_come_and_go_and_each_gets_what_it_wants() {
    run(async {
        let publisher = Rc::new(publisher(&any_port()).await);
        for round in 0..5 {
            let subscriber = subscriber(publisher.address(), format!("{round} "));
            expect_all_of(&publisher, &subscriber, &format!("{round} ")).await;
        }
    });
}

#[test]
fn a_subscriber_finds_a_publisher_that_comes_later_or_again() {
    run(async {
        let home = Home::new();
        let subscriber = subscriber(&home.address, "to");
        for round in 1..=3 {
            let publisher = publisher(&home.address).await;
            expect_all_of(&publisher, &subscriber, "topic ").await;
            publisher.close(LINGER).await;
            assert_eq!(subscriber.counters().counts().connected, round);
        }
    });
}

#[test]
fn a_publisher_finds_a_subscriber_that_comes_later_or_again() {
    run(async {
        let home = Home::new();
        let publisher = connecting_publisher(&home.address);
        publisher.publish(Bytes::from("to nobody"));
        assert_eq!(publisher.counters().counts().refused(Refusal::NotConnected), 1);
        for round in 1..=3 {
            let subscriber = binding_subscriber(&home.address, "to").await;
            expect_all_of(&publisher, &subscriber, "topic ").await;
            subscriber.close(LINGER).await;
            assert_eq!(publisher.counters().counts().connected, round);
            until(|| {
                publisher.publish(Bytes::from("to nobody"));
                publisher.counters().counts().refused(Refusal::NotConnected) > round
            })
            .await;
        }
    });
}

#[test]
fn a_listening_subscriber_tells_of_its_first_publisher_and_of_its_last() {
    run(async {
        let subscriber = binding_subscriber(&any_port(), "").await;
        let next = || poll_fn(|cx| subscriber.poll_arrival(cx));
        if crate::ENGINE == "zeromq" {
            // It cannot tell who comes, so that there is nothing to wait for.
            assert_eq!(next().await, Arrival::Up);
        }
        for round in 0..3 {
            let first = connecting_publisher(subscriber.address());
            if crate::ENGINE != "zeromq" {
                assert_eq!(next().await, Arrival::Up, "in round {round}");
            }
            let second = connecting_publisher(subscriber.address());
            until_it_arrives(&first, &Bytes::from("first"), &subscriber).await;
            until_it_arrives(&second, &Bytes::from("second"), &subscriber).await;
            first.close(LINGER).await;
            until_it_arrives(&second, &Bytes::from("second"), &subscriber).await;
            second.close(LINGER).await;
            if crate::ENGINE != "zeromq" {
                let mut arrival = next().await;
                // Each was said more than once if the first took its time.
                while matches!(arrival, Arrival::Message(_)) {
                    arrival = next().await;
                }
                assert_eq!(arrival, Arrival::Down, "in round {round}");
            }
        }
    });
}

#[test]
fn a_message_of_two_frames_is_dropped_and_counted() {
    run(async {
        let (peer, address) = Raw::bind(Role::Publish, &any_port()).await;
        let subscriber = subscriber(&address, "");
        let received = loop {
            peer.send(&[b"one", b"two"]);
            peer.send(&[b"one"]);
            if let Ok(frame) = tokio::time::timeout(Duration::from_millis(5), subscriber.recv()).await {
                break frame;
            }
        };
        assert_eq!(received, "one");
        assert!(subscriber.counters().counts().refused(Refusal::FrameCount) >= 1);
        assert_eq!(subscriber.counters().counts().messages_in, 1);
    });
}

#[test]
fn garbage_on_a_listening_subscriber_harms_nobody() {
    use std::io::Write as _;

    run(async {
        let subscriber = binding_subscriber(&any_port(), "").await;
        let publisher = connecting_publisher(subscriber.address());
        for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 200], b""] {
            let mut stream = std::net::TcpStream::connect(subscriber.address().to_string()).unwrap();
            stream.write_all(garbage).unwrap();
            drop(stream);
            expect_all_of(&publisher, &subscriber, "good ").await;
        }
    });
}

#[test]
fn a_publisher_settles_when_it_was_told_to_at_the_latest() {
    run(async {
        let wait_after_creation = Duration::from_millis(50);
        for subscribers in [0, 1] {
            let options = publisher::Options { wait_after_creation, subscribers };
            let start = Instant::now();
            let bound = Publisher::bind(&engine(), "readings", &any_port(), options).await.unwrap();
            bound.settle().await;
            assert!(start.elapsed() >= wait_after_creation);
            let start = Instant::now();
            let connecting = Publisher::connect(&engine(), "readings", bound.address(), options).unwrap();
            connecting.settle().await;
            assert!(start.elapsed() >= wait_after_creation);
        }
    });
}

#[test]
fn a_publisher_settles_as_soon_as_its_subscribers_are_there_and_they_miss_nothing() {
    if cannot("zeromq", "does not say who has subscribed") {
        return;
    }
    run(async {
        let options = publisher::Options { wait_after_creation: DEADLINE, subscribers: 2 };
        let publisher = Publisher::bind(&engine(), "readings", &any_port(), options).await.unwrap();
        let (first, second) = (subscriber(publisher.address(), ""), subscriber(publisher.address(), "read"));
        publisher.settle().await;
        publisher.publish(Bytes::from("reading"));
        assert_eq!((first.recv().await, second.recv().await), ("reading".into(), "reading".into()));

        let listening = binding_subscriber(&any_port(), "").await;
        let options = publisher::Options { subscribers: 1, ..options };
        let publisher = Publisher::connect(&engine(), "readings", listening.address(), options).unwrap();
        publisher.settle().await;
        publisher.publish(Bytes::from("another"));
        assert_eq!(listening.recv().await, "another");
    });
}

#[test]
fn what_a_subscriber_is_too_slow_for_is_counted_and_lost_to_nobody_else() {
    if cannot("zeromq", "drops by itself, and does not say so") {
        return;
    }
    run(async {
        let publisher = publisher(&any_port()).await;
        let _deaf = deaf_subscriber(publisher.address()).await;
        let good = subscriber(publisher.address(), "");
        until_it_arrives(&publisher, &Bytes::from("first"), &good).await;
        let mut number = 0_u64;
        while publisher.counters().counts().refused(Refusal::QueueFull) < 3 {
            number += 1;
            let mut frame = vec![0; 1 << 20];
            frame[..8].copy_from_slice(&number.to_be_bytes());
            publisher.publish(frame.into());
            // Each is waited for, so that this one is never too slow.
            while good.recv().await.first_chunk() != Some(&number.to_be_bytes()) {}
        }
    });
}
