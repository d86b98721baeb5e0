//! PUB, SUB, XPUB and XSUB: who hears what.

use service_framework_zmtp::socket::{Ended, Refused};
use service_framework_zmtp::{Error, Event, Message, SocketType};

use crate::support::{
    CARRIERS, Carrier, Hand, bound, connected, ended, pair, ramp, run, send, socket, text, texts, until,
};

/// What an XPUB hears next of its subscribers.
async fn heard(publisher: &service_framework_zmtp::socket::Socket) -> String {
    let message = publisher.recv().await;
    let (is_wanted, topic) = message[0].split_first().expect("not empty");
    format!("{}{}", if *is_wanted == 1 { '+' } else { '-' }, topic.escape_ascii())
}

#[test]
fn a_subscriber_hears_what_it_asked_for() {
    for carrier in CARRIERS {
        run(async move {
            let (publisher, subscriber) = pair(SocketType::XPub, SocketType::Sub, carrier).await;
            subscriber.subscribe("a");
            subscriber.subscribe("cd");
            assert_eq!((heard(&publisher).await, heard(&publisher).await), ("+a".into(), "+cd".into()));
            for topic in ["", "a", "b", "ab", "c", "cde", "d", "end"] {
                send(&publisher, Message::from([topic, "body"]));
            }
            subscriber.subscribe("end");
            assert_eq!(heard(&publisher).await, "+end");
            send(&publisher, Message::from(["end", "body"]));
            let mut topics = Vec::new();
            while topics.last().is_none_or(|last| *last != "end") {
                topics.push(subscriber.recv().await[0].clone());
            }
            assert_eq!(topics, ["a", "ab", "cde", "end"]);
        });
    }
}

#[test]
fn who_asks_twice_must_cancel_twice_and_publishers_hear_of_it_once() {
    run(async {
        let (publisher, subscriber) = pair(SocketType::XPub, SocketType::Sub, Carrier::Tcp).await;
        subscriber.subscribe("a");
        subscriber.subscribe("a");
        subscriber.unsubscribe("a");
        subscriber.subscribe("b");
        subscriber.unsubscribe("never");
        assert_eq!((heard(&publisher).await, heard(&publisher).await), ("+a".into(), "+b".into()));
        send(&publisher, text("a1"));
        assert_eq!(subscriber.recv().await, text("a1"));
        subscriber.unsubscribe("a");
        assert_eq!(heard(&publisher).await, "-a");
        send(&publisher, text("a2"));
        send(&publisher, text("b1"));
        assert_eq!(subscriber.recv().await, text("b1"));
    });
}

#[test]
fn a_peer_that_asks_twice_and_cancels_once_has_cancelled() {
    run(async {
        let (publisher, place) = bound(SocketType::XPub, Carrier::Tcp, |_| ()).await;
        let mut hand = Hand::met(SocketType::Sub, &place).await;
        for is_wanted in [true, true, false] {
            hand.connection.subscribe(is_wanted, b"a").expect("it is ready");
        }
        hand.connection.subscribe(true, b"b").expect("it is ready");
        hand.flush().await;
        for wanted in ["+a", "-a", "+b"] {
            assert_eq!(heard(&publisher).await, wanted);
        }
        send(&publisher, text("a"));
        send(&publisher, text("b"));
        assert_eq!(hand.event().await, Ok(Some(Event::Message(text("b")))));
    });
}

#[test]
fn a_subscriber_asks_those_who_come_later_too() {
    run(async {
        let (subscriber, place) = bound(SocketType::Sub, Carrier::Tcp, |_| ()).await;
        subscriber.subscribe("a");
        subscriber.subscribe("b");
        subscriber.unsubscribe("b");
        let first = connected(SocketType::XPub, &place, |_| ()).await;
        let second = connected(SocketType::XPub, &place, |_| ()).await;
        assert_eq!((heard(&first).await, heard(&second).await), ("+a".into(), "+a".into()));
        send(&first, text("a1"));
        assert_eq!(subscriber.recv().await, text("a1"));
        send(&second, text("a2"));
        assert_eq!(subscriber.recv().await, text("a2"));
    });
}

#[test]
fn an_xsub_subscribes_by_messages_and_asks_those_who_come_later() {
    run(async {
        let (subscriber, place) = bound(SocketType::XSub, Carrier::Tcp, |_| ()).await;
        send(&subscriber, Message::from([b"\x01a".as_slice()]));
        let publisher = connected(SocketType::XPub, &place, |_| ()).await;
        assert_eq!(heard(&publisher).await, "+a");
        send(&subscriber, Message::from([b"\x01b".as_slice()]));
        send(&subscriber, Message::from([b"\x00a".as_slice()]));
        assert_eq!((heard(&publisher).await, heard(&publisher).await), ("+b".into(), "-a".into()));
        // What is no subscription reaches the publisher as it is.
        send(&subscriber, text("hello"));
        assert_eq!(publisher.recv().await, text("hello"));
        send(&publisher, text("b1"));
        assert_eq!(subscriber.recv().await, text("b1"));
    });
}

#[test]
fn an_xpub_hears_of_the_first_who_asks_and_of_the_last_who_goes() {
    run(async {
        let (publisher, place) = bound(SocketType::XPub, Carrier::Tcp, |_| ()).await;
        let first = connected(SocketType::Sub, &place, |_| ()).await;
        first.subscribe("a");
        assert_eq!(heard(&publisher).await, "+a");
        let second = connected(SocketType::Sub, &place, |_| ()).await;
        second.subscribe("a");
        second.subscribe("b");
        assert_eq!(heard(&publisher).await, "+b");
        drop(first);
        until(|| publisher.peers() == 1).await;
        drop(second);
        let mut gone = [heard(&publisher).await, heard(&publisher).await];
        gone.sort();
        assert_eq!(gone, ["-a", "-b"]);
    });
}

#[test]
fn what_a_subscriber_did_not_ask_for_is_passed_over() {
    run(async {
        let (subscriber, place) = bound(SocketType::Sub, Carrier::Tcp, |_| ()).await;
        subscriber.subscribe("a");
        let mut hand = Hand::met(SocketType::Pub, &place).await;
        hand.send(&text("b")).await;
        hand.send(&text("a")).await;
        assert_eq!(subscriber.recv().await, text("a"));
        assert_eq!((subscriber.counts().received, subscriber.counts().dropped_misfit), (2, 1));
    });
}

#[test]
fn a_subscriber_sends_nothing_and_a_publisher_hears_nothing() {
    run(async {
        let (publisher, place) = bound(SocketType::Pub, Carrier::Tcp, |_| ()).await;
        let subscriber = socket(SocketType::Sub, |_| ());
        assert_eq!(subscriber.send(text("hello")).expect_err("it sends nothing").why, Refused::NotNow);
        let mut hand = Hand::met(SocketType::XSub, &place).await;
        hand.send(&text("hello")).await;
        until(|| publisher.counts().dropped_misfit == 1).await;
        // Without a subscriber, a publication goes nowhere, and that is no fault.
        send(&publisher, text("to nobody"));
        assert_eq!((publisher.counts().sent, publisher.counts().dropped_full), (0, 0));
    });
}

#[test]
fn a_slow_subscriber_loses_its_own_publications_and_they_are_counted() {
    run(async {
        let (publisher, place) = bound(SocketType::XPub, Carrier::Tcp, |options| {
            options.queue.messages = 4;
        })
        .await;
        let good = connected(SocketType::Sub, &place, |_| ()).await;
        good.subscribe("");
        assert_eq!(heard(&publisher).await, "+");
        let mut slow = Hand::met(SocketType::Sub, &place).await;
        slow.connection.subscribe(true, b"1").expect("it is ready");
        slow.flush().await;
        assert_eq!(heard(&publisher).await, "+1");

        let body = ramp(1 << 20);
        let mut published = 0_u64;
        while publisher.counts().dropped_full < 10 {
            send(&publisher, Message::from([published.to_be_bytes().to_vec().into(), body.clone()]));
            published += 1;
            // The good one has time to take it; it has each.
            assert_eq!(good.recv().await[0], published.wrapping_sub(1).to_be_bytes()[..]);
            send(&publisher, Message::from([format!("1{published}").into(), body.clone()]));
            published += 1;
            assert_eq!(good.recv().await[0], format!("1{}", published - 1));
        }
        let dropped = publisher.counts().dropped_full;
        assert_eq!(publisher.counts().sent, published + published / 2 - dropped);
        drop(good);
        let closing = publisher.close();
        let rest = tokio::task::spawn_local(slow.rest());
        closing.await;
        // It has had all but what was counted, and in order.
        assert_eq!(rest.await.expect("it reads").len() as u64, published / 2 - dropped);
    });
}

#[test]
fn publications_of_all_sizes_reach_several_subscribers() {
    run(async {
        let (publisher, place) = bound(SocketType::XPub, Carrier::Tcp, |_| ()).await;
        let mut subscribers = Vec::new();
        for number in 0..3 {
            let subscriber = connected(SocketType::Sub, &place, |_| ()).await;
            subscriber.subscribe("");
            subscriber.subscribe(number.to_string());
            while heard(&publisher).await != format!("+{number}") {}
            subscribers.push(subscriber);
        }
        for length in [0, 1, 255, 1_023, 1_024, 16 << 10, 1 << 20] {
            let message = Message::from(["topic".into(), ramp(length), ramp(300)]);
            send(&publisher, message.clone());
            for subscriber in &subscribers {
                assert_eq!(subscriber.recv().await, message);
            }
        }
    });
}

#[test]
fn a_publication_that_is_wanted_twice_comes_once() {
    run(async {
        let (publisher, subscriber) = pair(SocketType::XPub, SocketType::Sub, Carrier::Tcp).await;
        for topic in ["", "a", "ab", "abc"] {
            subscriber.subscribe(topic);
            assert_eq!(heard(&publisher).await, format!("+{topic}"));
        }
        send(&publisher, text("abcd"));
        send(&publisher, text("the last"));
        assert_eq!(texts(&subscriber, 2).await, ["abcd", "the last"]);
        assert_eq!(publisher.counts().sent, 2);
    });
}

#[test]
fn who_asks_for_too_much_is_sent_away_and_forgotten() {
    run(async {
        let (publisher, place) = bound(SocketType::XPub, Carrier::Tcp, |options| {
            options.subscriptions = 100;
            options.subscription_bytes = 1_000;
        })
        .await;
        let good = connected(SocketType::Sub, &place, |_| ()).await;
        good.subscribe("a");
        assert_eq!(heard(&publisher).await, "+a");
        let many = (0..101).map(|number| number.to_string());
        let long = (0..2).map(|number| format!("{number}{}", "x".repeat(500)));
        for (topics, allowed) in [(many.collect::<Vec<_>>(), 100), (long.collect(), 1)] {
            let mut flood = Hand::met(SocketType::Sub, &place).await;
            for topic in &topics {
                flood.connection.subscribe(true, topic.as_bytes()).expect("it is ready");
            }
            flood.flush().await;
            let why = ended(&publisher).await;
            assert!(matches!(why, Ended::Protocol(Error::TooManySubscriptions)), "{why}");
            for topic in &topics[..allowed] {
                assert_eq!(heard(&publisher).await, format!("+{topic}"));
            }
            let mut gone = Vec::new();
            for _ in 0..allowed {
                gone.push(heard(&publisher).await);
            }
            gone.sort();
            let mut wanted: Vec<_> = topics[..allowed].iter().map(|topic| format!("-{topic}")).collect();
            wanted.sort();
            assert_eq!(gone, wanted);
        }
        send(&publisher, text("a"));
        assert_eq!(good.recv().await, text("a"));
    });
}

#[test]
fn publications_reach_all_subscribers_in_order() {
    run(async {
        let (publisher, place) = bound(SocketType::XPub, Carrier::Tcp, |_| ()).await;
        let mut subscribers = Vec::new();
        for number in 0..5 {
            let subscriber = connected(SocketType::Sub, &place, |_| ()).await;
            subscriber.subscribe(number.to_string());
            subscriber.subscribe("all");
            subscriber.subscribe(format!("last {number}"));
            while heard(&publisher).await != format!("+last {number}") {}
            subscribers.push(subscriber);
        }
        for _ in 0..100 {
            send(&publisher, text("all"));
            for number in 0..5 {
                send(&publisher, text(&number.to_string()));
            }
        }
        for (number, subscriber) in subscribers.iter().enumerate() {
            let own = number.to_string();
            let wanted: Vec<_> = (0..100).flat_map(|_| ["all".to_owned(), own.clone()]).collect();
            assert_eq!(texts(subscriber, 200).await, wanted);
        }
    });
}

#[test]
fn a_publisher_that_does_not_take_what_is_wanted_is_left_and_told_all_of_it_when_it_comes_again() {
    run(async {
        let topics: Vec<_> = (0..1_000).map(|number| format!("topic {number:03}")).collect();
        let (subscriber, place) =
            bound(SocketType::Sub, Carrier::Tcp, |options| options.queue.bytes = 1 << 10).await;
        let silent = Hand::met(SocketType::Pub, &place).await;
        until(|| subscriber.peers() == 1).await;
        // The task that would write has no turn in between.
        topics.iter().for_each(|topic| subscriber.subscribe(topic.clone()));
        assert!(matches!(ended(&subscriber).await, Ended::QueueFull));
        assert_eq!(subscriber.peers(), 0);
        drop(silent);
        let mut publisher = Hand::met(SocketType::Pub, &place).await;
        let mut told = Vec::new();
        while told.len() < topics.len() {
            match publisher.event().await {
                Ok(Some(Event::Subscribe(topic))) => told.push(topic),
                other => panic!("{} were told, then {other:?}", told.len()),
            }
        }
        told.sort_unstable();
        assert_eq!(told, topics);
    });
}
