//! What those are sent alone who subscribe to something.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;

use service_framework_zmtp::socket::{Ended, Greeting, Newcomer, Queue, Socket, WhenFull};
use service_framework_zmtp::{Event, Message, SocketType};
use tokio::task::{spawn_local, yield_now};

use crate::support::{
    CARRIERS, Carrier, Hand, Place, bound, connected, ended, pair, ramp, run, send, socket, text, texts,
    until,
};

/// Greets with what is said there now, and with the topic.
fn greet(publisher: &Socket, prefix: &'static str, last: &Rc<RefCell<String>>) {
    let last = Rc::clone(last);
    let greeting = move |newcomer: &Newcomer<'_>| {
        let text = format!("{} {}", newcomer.topic().escape_ascii(), last.borrow());
        assert_eq!(newcomer.send(&Message::from([text])), 0);
    };
    publisher.greet(prefix, &(Rc::new(greeting) as Greeting));
}

fn said(text: &str) -> Rc<RefCell<String>> {
    Rc::new(RefCell::new(text.to_owned()))
}

async fn subscribed(publisher: &Socket, count: usize) {
    poll_fn(|context| publisher.poll_subscribers(count, context)).await;
}

#[test]
fn who_subscribes_late_is_greeted_alone() {
    for carrier in CARRIERS {
        for socket_type in [SocketType::Pub, SocketType::XPub] {
            run(async move {
                let (publisher, place) = bound(socket_type, carrier, |_| ()).await;
                let last = said("1");
                greet(&publisher, "a", &last);
                let first = connected(SocketType::Sub, &place, |_| ()).await;
                first.subscribe("");
                first.subscribe("a");
                assert_eq!(texts(&first, 1).await, ["a 1"]);
                last.replace("2".to_owned());
                let second = connected(SocketType::Sub, &place, |_| ()).await;
                second.subscribe("");
                second.subscribe("a");
                assert_eq!(texts(&second, 1).await, ["a 2"]);
                send(&publisher, text("to all"));
                assert_eq!(texts(&first, 1).await, ["to all"]);
                assert_eq!(texts(&second, 1).await, ["to all"]);
                assert_eq!((publisher.counts().sent, publisher.counts().dropped_full), (4, 0));
            });
        }
    }
}

#[test]
fn each_of_several_prefixes_is_greeted_for_itself() {
    run(async {
        let (publisher, place) = bound(SocketType::Pub, Carrier::Tcp, |_| ()).await;
        for (prefix, text) in [("a", "one"), ("b", "two"), ("a", "three")] {
            greet(&publisher, prefix, &said(text));
        }
        let subscriber = connected(SocketType::Sub, &place, |_| ()).await;
        ["", "c", "b1", "a1"].iter().for_each(|topic| subscriber.subscribe(*topic));
        assert_eq!(texts(&subscriber, 3).await, ["b1 two", "a1 one", "a1 three"]);
    });
}

#[test]
fn who_has_subscribed_before_is_greeted_too() {
    run(async {
        let (publisher, place) = bound(SocketType::Pub, Carrier::Tcp, |_| ()).await;
        let (early, other) = (
            connected(SocketType::Sub, &place, |_| ()).await,
            connected(SocketType::Sub, &place, |_| ()).await,
        );
        early.subscribe("ab");
        other.subscribe("b");
        subscribed(&publisher, 2).await;
        greet(&publisher, "a", &said("1"));
        assert_eq!(texts(&early, 1).await, ["ab 1"]);
        assert_eq!(publisher.counts().sent, 1);
    });
}

#[test]
fn who_asks_twice_is_greeted_once_and_who_asks_anew_again() {
    run(async {
        let (publisher, place) = bound(SocketType::XPub, Carrier::Tcp, |_| ()).await;
        greet(&publisher, "a", &said("1"));
        let mut hand = Hand::met(SocketType::Sub, &place).await;
        for is_wanted in [true, true, false, true] {
            hand.connection.subscribe(is_wanted, b"a").expect("it is ready");
        }
        hand.connection.subscribe(true, b"b").expect("it is ready");
        hand.flush().await;
        while publisher.recv().await != text("\x01b") {}
        publisher.close().await;
        assert_eq!(hand.rest().await, [text("a 1"), text("a 1")]);
    });
}

#[test]
fn the_type_of_who_subscribes_is_known() {
    run(async {
        let (publisher, place) = bound(SocketType::Pub, Carrier::Tcp, |_| ()).await;
        let greeting: Greeting = Rc::new(|newcomer| {
            newcomer.send(&Message::from([newcomer.socket_type().name().to_owned()]));
        });
        publisher.greet("", &greeting);
        for socket_type in [SocketType::Sub, SocketType::XSub] {
            let subscriber = connected(socket_type, &place, |_| ()).await;
            subscriber.subscribe("");
            assert_eq!(texts(&subscriber, 1).await, [socket_type.name()]);
        }
    });
}

#[test]
fn a_publisher_that_connects_greets_those_whom_it_comes_to() {
    run(async {
        let (subscriber, place) = bound(SocketType::Sub, Carrier::Tcp, |_| ()).await;
        subscriber.subscribe("");
        subscriber.subscribe("a");
        for text in ["first", "second"] {
            let publisher = socket(SocketType::Pub, |_| ());
            greet(&publisher, "a", &said(text));
            publisher.connect(place.dial().await).await.expect("a peer");
            assert_eq!(texts(&subscriber, 1).await, [format!("a {text}")]);
        }
    });
}

#[test]
fn subscriptions_are_told_in_the_order_in_which_they_were_made() {
    run(async {
        let (publisher, subscriber) = pair(SocketType::XPub, SocketType::Sub, Carrier::Tcp).await;
        let topics = ["", "topic", "z", "a", "top", "ab"];
        topics.iter().for_each(|topic| subscriber.subscribe(*topic));
        let (later, place) = bound(SocketType::XPub, Carrier::Tcp, |_| ()).await;
        subscriber.connect(place.dial().await).await.expect("a peer");
        for publisher in [publisher, later] {
            for topic in topics {
                assert_eq!(publisher.recv().await, text(&format!("\x01{topic}")));
            }
        }
    });
}

/// A peer that reads nothing and whose queue is full, and how many publications it was given.
async fn stuck(publisher: &Socket, place: &Place) -> Hand {
    let subscribers = publisher.peers() + 1;
    let mut hand = Hand::met(SocketType::Sub, place).await;
    hand.connection.subscribe(true, b"p").expect("it is ready");
    hand.flush().await;
    subscribed(publisher, subscribers).await;
    while publisher.counts().dropped_full < 5 {
        send(publisher, Message::from(["p".into(), ramp(1 << 20)]));
        yield_now().await;
    }
    hand
}

/// Greets with what has one frame and so many bytes, and notes how much was dropped by it.
fn greet_at_length(publisher: &Socket, bytes: usize) -> Rc<Cell<Option<u64>>> {
    let dropped = Rc::new(Cell::default());
    let noted = Rc::clone(&dropped);
    let greeting = move |newcomer: &Newcomer<'_>| {
        noted.set(Some(newcomer.send(&Message::from([ramp(bytes)]))));
    };
    publisher.greet("a", &(Rc::new(greeting) as Greeting));
    dropped
}

/// A publisher whose queues take four, and a peer that has subscribed to six things that it greets: all is read in one turn, in which nothing is written.
async fn crowded(when_full: WhenFull) -> (Socket, Place, Rc<Cell<Option<u64>>>, Hand) {
    let (publisher, place) = bound(SocketType::Pub, Carrier::Tcp, |options| {
        options.queue = Queue { messages: 4, bytes: 64 << 20 };
        options.when_full = when_full;
    })
    .await;
    let dropped = greet_at_length(&publisher, 1_000);
    let mut hand = Hand::met(SocketType::Sub, &place).await;
    for number in 0..6 {
        hand.connection.subscribe(true, format!("a{number}").as_bytes()).expect("it is ready");
    }
    hand.flush().await;
    (publisher, place, dropped, hand)
}

#[test]
fn a_greeting_without_room_comes_when_there_is_some() {
    for when_full in [WhenFull::DropNewest, WhenFull::Wait] {
        run(async move {
            let (publisher, _place, dropped, hand) = crowded(when_full).await;
            until(|| publisher.counts().sent == 6).await;
            assert_eq!((dropped.get(), publisher.counts().dropped_full), (Some(0), 0));
            let read = spawn_local(hand.rest());
            publisher.close().await;
            assert_eq!(read.await.expect("it reads").len(), 6);
        });
    }
}

#[test]
fn who_does_not_want_it_any_more_is_not_greeted_late() {
    run(async {
        let (publisher, place) = bound(SocketType::XPub, Carrier::Tcp, |options| {
            options.queue = Queue { messages: 10, bytes: 64 << 20 };
        })
        .await;
        greet(&publisher, "a", &said("late"));
        let mut hand = stuck(&publisher, &place).await;
        for (is_wanted, topic) in [(true, "a1"), (true, "a2"), (false, "a1")] {
            hand.connection.subscribe(is_wanted, topic.as_bytes()).expect("it is ready");
        }
        hand.flush().await;
        while publisher.recv().await != text("\0a1") {}
        let before = publisher.counts();
        let late = loop {
            match hand.event().await {
                // What was published is of two frames.
                Ok(Some(Event::Message(message))) if message.len() == 1 => break message,
                other => assert!(matches!(other, Ok(Some(_))), "{other:?}"),
            }
        };
        assert_eq!(late, text("a2 late"));
        let counts = publisher.counts();
        assert_eq!((counts.sent, counts.dropped_full), (before.sent + 1, before.dropped_full));
    });
}

#[test]
fn a_greeting_without_room_ends_who_is_to_be_disconnected_and_others_are_greeted() {
    run(async {
        let (publisher, place, dropped, _hand) = crowded(WhenFull::Disconnect).await;
        assert!(matches!(ended(&publisher).await, Ended::QueueFull));
        assert_eq!(dropped.get(), Some(1));
        let good = connected(SocketType::Sub, &place, |_| ()).await;
        good.subscribe("");
        good.subscribe("a");
        // It wants everything, so that it is not known to be meant by what it asked for.
        let bytes = good.recv().await[0].len();
        assert_eq!((bytes, dropped.get()), (1_000, Some(0)));
    });
}

#[test]
fn a_greeting_makes_room_where_the_oldest_are_dropped() {
    run(async {
        let (publisher, place) = bound(SocketType::Pub, Carrier::Tcp, |options| {
            options.queue = Queue { messages: 10, bytes: 64 << 20 };
            options.when_full = WhenFull::DropOldest;
        })
        .await;
        let dropped = greet_at_length(&publisher, 1_000);
        let mut hand = stuck(&publisher, &place).await;
        let before = publisher.counts();
        hand.connection.subscribe(true, b"a").expect("it is ready");
        hand.flush().await;
        until(|| dropped.get().is_some()).await;
        let counts = publisher.counts();
        assert_eq!((dropped.get(), counts.dropped_full), (Some(1), before.dropped_full + 1));
        assert_eq!(counts.sent, before.sent, "one came, one went");
        let read = spawn_local(hand.rest());
        publisher.close().await;
        let came = read.await.expect("it reads");
        assert_eq!(came.last(), Some(&Message::from([ramp(1_000)])));
        assert_eq!(came.len() as u64, counts.sent);
    });
}
