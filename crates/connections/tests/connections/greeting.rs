//! What publishers send alone to those who subscribe to something.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::publisher::{self, Newcomer};
use service_framework_connections::{
    Bus, EngineOptions, Publisher, Refusal, Subscriber, WhenFull, engine_by_name,
};
use service_framework_core::address::Address;

use super::support::*;

fn options() -> publisher::Options {
    publisher::Options { wait_after_creation: Duration::ZERO, subscribers: 0 }
}

async fn publishing(at: &Address) -> Publisher {
    Publisher::bind(&engine(), "prices", at, options()).await.unwrap()
}

fn subscribing(to: &Address, filter: &'static str) -> Subscriber {
    Subscriber::connect(&engine(), "prices", to, Bytes::from(filter)).unwrap()
}

/// Greets those who ask for what begins with `?` with that and a text, and notes what they ask for, and who they are.
fn greet(publisher: &Publisher, text: &'static str) -> Rc<RefCell<Vec<(Bytes, Newcomer)>>> {
    let asked = Rc::new(RefCell::default());
    let noted: Rc<RefCell<Vec<_>>> = Rc::clone(&asked);
    publisher.greet("?", move |topic, who| {
        noted.borrow_mut().push((Bytes::copy_from_slice(topic), who));
        Some([topic, text.as_bytes()].concat().into())
    });
    asked
}

#[test]
fn a_late_subscriber_is_greeted_alone() {
    run(async {
        let publisher = publishing(&any_port()).await;
        let asked = greet(&publisher, " last");
        let (early, late) = (subscribing(publisher.address(), ""), subscribing(publisher.address(), ""));
        late.subscribe(|| Bytes::from("?late"));
        if !cannot("zeromq", "greets nobody") {
            assert_eq!(late.recv().await, "?late last");
            assert_eq!(*asked.borrow(), [(Bytes::from("?late"), Newcomer::Subscriber)]);
            assert_eq!(publisher.counters().counts().messages_out, 1);
        }
        // They go on as ever, whatever the engine.
        for subscriber in [&early, &late] {
            loop {
                publisher.publish(Bytes::from("to all"));
                let heard = tokio::time::timeout(Duration::from_millis(5), subscriber.recv()).await;
                if let Ok(heard) = heard {
                    assert_eq!(heard, "to all");
                    break;
                }
            }
        }
    });
}

#[test]
fn a_subscriber_asks_each_connection_anew() {
    if cannot("zeromq", "asks publishers for nothing more") {
        return;
    }
    run(async {
        let home = Home::new();
        let first = publishing(&home.address).await;
        let subscriber = subscribing(&home.address, "");
        let count = Cell::new(0);
        subscriber.subscribe(move || {
            count.set(count.get() + 1);
            Bytes::from(format!("?{}", count.get()))
        });
        greet(&first, " of the first");
        assert_eq!(subscriber.recv().await, "?1 of the first");
        first.close(LINGER).await;
        drop(first);
        let second = publishing(&home.address).await;
        greet(&second, " of the second");
        assert_eq!(subscriber.recv().await, "?2 of the second");
    });
}

#[test]
fn a_publisher_that_connects_greets_by_each_connection() {
    if cannot("zeromq", "greets nobody") {
        return;
    }
    run(async {
        let home = Home::new();
        let bind = async || {
            let subscriber =
                Subscriber::bind(&engine(), "prices", &home.address, Bytes::new()).await.unwrap();
            subscriber.subscribe(|| Bytes::from("?"));
            subscriber
        };
        let first = bind().await;
        let publisher = Publisher::connect(&engine(), "prices", &home.address, options()).unwrap();
        greet(&publisher, " last");
        assert_eq!(first.recv().await, "? last");
        first.close(LINGER).await;
        drop(first);
        let second = bind().await;
        assert_eq!(second.recv().await, "? last");
        // What is asked for while there is a connection is heard, too.
        second.subscribe(|| Bytes::from("?more"));
        assert_eq!(second.recv().await, "?more last");
    });
}

#[test]
fn those_behind_a_bus_are_told_apart_by_what_they_ask_for() {
    if cannot("zeromq", "has no bus") {
        return;
    }
    run(async {
        let bus = Bus::open(&engine(), &any_port(), &any_port()).await.unwrap();
        let publisher = Publisher::connect(&engine(), "prices", bus.publishers().0, options()).unwrap();
        let asked = greet(&publisher, " last");
        let early = subscribing(bus.subscribers().0, "a");
        let late = subscribing(bus.subscribers().0, "a");
        late.subscribe(|| Bytes::from("?late"));
        assert_eq!(late.recv().await, "?late last");
        assert_eq!(*asked.borrow(), [(Bytes::from("?late"), Newcomer::Proxy)]);
        until_connected(early.counters(), 1).await;
        let heard = BTreeSet::from([early.counters().messages_in(), late.counters().messages_in()]);
        assert_eq!(heard, BTreeSet::from([0, 1]));
        // A publisher that comes later hears all that is asked for.
        let other = Publisher::connect(&engine(), "prices", bus.publishers().0, options()).unwrap();
        greet(&other, " of the other");
        assert_eq!(late.recv().await, "?late of the other");
    });
}

/// A publisher with queues of two, and how many of its 100 greetings were asked for; each is of 1 MiB.
async fn greeting_often(when_full: WhenFull) -> (Publisher, Rc<Cell<u64>>) {
    let few = EngineOptions { queue_messages: 2, when_full, ..EngineOptions::default() };
    let few = engine_by_name(crate::ENGINE, few).unwrap();
    let publisher = Publisher::bind(&few, "prices", &any_port(), options()).await.unwrap();
    let greeted = Rc::new(Cell::new(0));
    for _ in 0..GREETINGS {
        let greeted = Rc::clone(&greeted);
        publisher.greet("", move |_, _| {
            greeted.set(greeted.get() + 1);
            Some(vec![0; 1 << 20].into())
        });
    }
    (publisher, greeted)
}

const GREETINGS: u64 = 100;

#[test]
fn greetings_wait_for_room_and_all_arrive() {
    if cannot("zeromq", "greets nobody") {
        return;
    }
    for when_full in [WhenFull::DropNewest, WhenFull::Wait] {
        run(async move {
            let (publisher, greeted) = greeting_often(when_full).await;
            let subscriber = subscribing(publisher.address(), "");
            for _ in 0..GREETINGS {
                subscriber.recv().await;
            }
            let counts = publisher.counters().counts();
            assert_eq!((greeted.get(), counts.messages_out), (GREETINGS, GREETINGS));
            assert_eq!(counts.refused(Refusal::QueueFull), 0);
        });
    }
}

#[test]
fn greetings_make_room_where_the_oldest_are_dropped_and_that_is_counted() {
    if cannot("zeromq", "greets nobody") {
        return;
    }
    run(async {
        let (publisher, greeted) = greeting_often(WhenFull::DropOldest).await;
        let _deaf = deaf_subscriber(publisher.address()).await;
        until(|| greeted.get() == GREETINGS).await;
        let counts = publisher.counters().counts();
        assert_eq!(counts.messages_out, GREETINGS);
        // All are given to its queue in one turn.
        assert_eq!(counts.refused(Refusal::QueueFull), GREETINGS - 2);
    });
}
