//! Publications through a bus, from many to many.

use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;
use service_framework_connections::{Bus, Publisher, Subscriber, publisher};
use service_framework_core::address::Address;

use super::support::*;

async fn bus() -> Bus {
    Bus::open(&engine(), &any_port(), &any_port()).await.unwrap()
}

fn publishing(to: &Address) -> Publisher {
    let options = publisher::Options { wait_after_creation: Duration::ZERO, subscribers: 0 };
    Publisher::connect(&engine(), "prices", to, options).unwrap()
}

fn subscribing(to: &Address, topic: &'static str) -> Subscriber {
    Subscriber::connect(&engine(), "prices", to, Bytes::from(topic)).unwrap()
}

/// Publishes until it arrives: whoever publishes does not know when the last has subscribed.
async fn until_heard(publisher: &Publisher, text: &'static str, subscriber: &Subscriber) {
    loop {
        publisher.publish(Bytes::from(text));
        if let Ok(heard) = tokio::time::timeout(Duration::from_millis(5), subscriber.recv()).await {
            return assert_eq!(heard, text);
        }
    }
}

#[test]
fn each_subscriber_hears_what_it_asked_for_of_every_publisher() {
    if crate::ENGINE == "zeromq" {
        return run(async {
            let refused = Bus::open(&engine(), &any_port(), &any_port()).await.unwrap_err();
            let refused = std::error::Error::source(&refused).expect("a cause").to_string();
            expect!["the `zeromq` engine has no bus"].assert_eq(&refused);
        });
    }
    run(async {
        let bus = bus().await;
        let (first, second) = (publishing(bus.publishers().0), publishing(bus.publishers().0));
        let (apples, pears) =
            (subscribing(bus.subscribers().0, "apples"), subscribing(bus.subscribers().0, "pears"));
        for publisher in [&first, &second] {
            until_heard(publisher, "apples?", &apples).await;
            until_heard(publisher, "pears?", &pears).await;
        }
        for number in 0..100 {
            for publisher in [&first, &second] {
                publisher.publish(Bytes::from(format!("apples {number}")));
                publisher.publish(Bytes::from(format!("pears {number}")));
                publisher.publish(Bytes::from(format!("plums {number}")));
            }
        }
        for (subscriber, topic) in [(&apples, "apples "), (&pears, "pears ")] {
            let mut heard = Vec::new();
            while heard.len() < 200 {
                let message = subscriber.recv().await;
                // Some of the first may still be on their way.
                if !message.ends_with(b"?") {
                    heard.push(String::from_utf8(message.to_vec()).unwrap());
                }
            }
            let mut wanted: Vec<_> = (0..200).map(|number| format!("{topic}{}", number / 2)).collect();
            wanted.sort_unstable();
            heard.sort_unstable();
            assert_eq!(heard, wanted);
        }
        let came = bus.publishers().1.counts();
        assert!(came.messages_in >= 400, "{came:?}");
        assert_eq!(came.messages_out, 2, "each topic is asked for once");
        bus.close(LINGER).await;
    });
}

#[test]
fn publishers_that_come_late_hear_what_was_subscribed_to() {
    if cannot("zeromq", "has no bus") {
        return;
    }
    run(async {
        let bus = bus().await;
        let subscriber = subscribing(bus.subscribers().0, "a");
        until(|| bus.publishers().1.counts().messages_out == 1).await;
        let publisher = publishing(bus.publishers().0);
        until_heard(&publisher, "a message", &subscriber).await;
    });
}

#[test]
fn what_nobody_wants_any_more_is_withdrawn_from_publishers() {
    if cannot("zeromq", "has no bus") {
        return;
    }
    // A publisher takes 10,000 of one peer, and the bus is one.
    const TOPICS: u64 = 6_000;
    run(async {
        let bus = bus().await;
        let publisher = publishing(bus.publishers().0);
        until_connected(publisher.counters(), 1).await;
        let passed_on = || bus.publishers().1.counts().messages_out;
        for round in 0..3 {
            let before = passed_on();
            let topics = (0..TOPICS).map(|number| format!("{round} {number}"));
            let leaving = subscriber_to(bus.subscribers().0, topics).await;
            until(|| passed_on() == before + TOPICS).await;
            drop(leaving);
            until(|| passed_on() == before + 2 * TOPICS).await;
        }
        let subscriber = subscribing(bus.subscribers().0, "a");
        until_heard(&publisher, "a message", &subscriber).await;
        assert_eq!(publisher.counters().counts().disconnected.total(), 0);
    });
}
