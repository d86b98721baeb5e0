//! Copies of full states that come late, or again: they have the last value at once, and nobody else hears of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::{Bus, Publisher, Subscriber, publisher};
use service_framework_core::address::{Address, Host};
use service_framework_core::wire::Encoding;
use service_framework_core::{Value, topic, value};
use service_framework_states::delta::reader::Status;
use service_framework_states::message::FullUpdate;
use service_framework_states::{FullOwner, FullUpdateIn, FullUpdateOut, OwnerOptions};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::full::{Seen, copied_as, options, set};
use crate::support::{self, LINGER, Place, any_port, engine, run};

/// The owner of a state with that topic.
pub(crate) fn owner(topic: Option<&str>) -> Arc<FullOwner> {
    let topic = topic.map(str::to_owned);
    Arc::new(FullOwner::new(OwnerOptions { name: "summary".into(), topic, ..Default::default() }))
}

async fn bound(topic: Option<&str>, at: &Address) -> FullUpdateOut {
    FullUpdateOut::open(owner(topic), Rc::new(support::publisher(at).await))
}

/// Waits until as many have subscribed.
pub(crate) async fn subscribed(publisher: &Publisher, subscribers: usize) {
    let wait_after_creation = Duration::from_secs(60);
    publisher.share(publisher::Options { wait_after_creation, subscribers }).settle().await;
}

/// A subscriber to the state of that topic that is no copy of it, as one in Python is; to everything without a topic.
pub(crate) fn raw(topic: Option<&str>, to: &Address) -> Subscriber {
    let filter = topic.map(topic::encode).unwrap_or_default();
    Subscriber::connect(&engine(), "updates", to, filter.into()).unwrap()
}

fn copy(topic: Option<&str>, from: &Address) -> (FullUpdateIn, Rc<Seen>) {
    copied_as(options(topic, None), raw(topic, from))
}

fn number(number: i64) -> Value {
    value!({"number": number})
}

/// Of which value a frame is.
fn number_of(frame: &Bytes) -> u64 {
    let (_, payload) = topic::split(frame).unwrap();
    FullUpdate::read(payload, &Default::default(), 1_024).unwrap().origin.unwrap().number
}

#[test]
fn late_copies_have_the_last_value_and_nobody_else_hears_of_it() {
    for (topic, encoding) in [(None, Encoding::MessagePack), (Some("summary"), Encoding::Json)] {
        run(async move {
            let state = bound(topic, &any_port()).await;
            let address = state.publisher().address().clone();
            let (_early, early) = copy(topic, &address);
            let (of_topic, of_all) = (raw(topic, &address), raw(None, &address));
            subscribed(state.publisher(), 3).await;
            set(&state, encoding, &number(1));
            early.is(Status::Live).await;
            for late in 0..2 {
                let (_copy, seen) = copy(topic, &address);
                seen.is(Status::Live).await;
                assert_eq!(*seen.values.borrow(), [number(1)], "of {late}");
            }
            set(&state, encoding, &number(2));
            early.until(|seen| seen.values.borrow().len() == 2).await;
            assert_eq!(*early.values.borrow(), [number(1), number(2)]);
            for subscriber in [&of_topic, &of_all] {
                let heard = [subscriber.recv().await, subscriber.recv().await];
                assert_eq!(heard.each_ref().map(number_of), [1, 2]);
            }
        });
    }
}

#[test]
fn an_owner_that_has_set_nothing_sends_nothing() {
    run(async {
        let state = bound(None, &any_port()).await;
        let (_copy, seen) = copy(None, state.publisher().address());
        subscribed(state.publisher(), 1).await;
        set(&state, Encoding::MessagePack, &number(1));
        seen.is(Status::Live).await;
        assert_eq!(*seen.values.borrow(), [number(1)]);
    });
}

#[test]
fn states_that_share_a_socket_are_told_apart() {
    run(async {
        let first = Rc::new(support::publisher(&any_port()).await);
        let second = first.share(publisher::Options::default());
        let apples = FullUpdateOut::open(owner(Some("apples")), Rc::clone(&first));
        let pears = FullUpdateOut::open(owner(Some("pears")), Rc::new(second));
        set(&apples, Encoding::MessagePack, &number(1));
        set(&pears, Encoding::MessagePack, &number(2));
        for (topic, value) in [("apples", 1), ("pears", 2)] {
            let (_copy, seen) = copy(Some(topic), first.address());
            seen.is(Status::Live).await;
            assert_eq!(*seen.values.borrow(), [number(value)]);
        }
        for state in [apples, pears] {
            assert_eq!(state.publisher().counters().counts().messages_out, 2);
        }
    });
}

#[test]
fn a_restarted_owner_is_asked_again_and_its_value_is_another() {
    run(async {
        let place = Place::new();
        let first = bound(None, &place.address).await;
        set(&first, Encoding::MessagePack, &number(1));
        let (_copy, seen) = copy(None, &place.address);
        seen.is(Status::Live).await;
        first.close(LINGER).await;
        drop(first);
        seen.is(Status::Stale).await;
        let second = bound(None, &place.address).await;
        // Nobody is there yet to hear of it, and it has the number that the other one's had.
        set(&second, Encoding::MessagePack, &number(2));
        seen.is(Status::Live).await;
        assert_eq!(*seen.values.borrow(), [number(1), number(2)]);
    });
}

/// A way to an owner that can be cut.
struct Relay {
    address: Address,
    streams: Rc<RefCell<Vec<JoinHandle<()>>>>,
    listening: JoinHandle<()>,
}

impl Relay {
    async fn to(address: &Address) -> Self {
        let Address::Tcp { host: Host::Ip(ip), port } = *address else { panic!("{address} is not of TCP") };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let streams = Rc::new(RefCell::new(Vec::new()));
        let begun = Rc::clone(&streams);
        let listening = tokio::task::spawn_local(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                begun.borrow_mut().push(tokio::task::spawn_local(async move {
                    let mut far = TcpStream::connect((ip, port)).await.unwrap();
                    // Cut off, by whomever.
                    _ = copy_bidirectional(&mut near, &mut far).await;
                }));
            }
        });
        Self { address, streams, listening }
    }

    fn cut(&self) {
        self.streams.take().iter().for_each(JoinHandle::abort);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

#[test]
fn a_copy_that_is_connected_again_takes_a_value_that_it_has_not_twice() {
    run(async {
        let state = bound(None, &any_port()).await;
        let relay = Relay::to(state.publisher().address()).await;
        set(&state, Encoding::MessagePack, &number(1));
        let (copy, seen) = copy(None, &relay.address);
        seen.is(Status::Live).await;
        for _ in 0..2 {
            relay.cut();
            seen.is(Status::Stale).await;
            // Nothing is published: it is what it has asked for.
            seen.is(Status::Live).await;
        }
        assert_eq!(*seen.values.borrow(), [number(1)]);
        relay.cut();
        set(&state, Encoding::MessagePack, &number(2));
        seen.is(Status::Stale).await;
        seen.is(Status::Live).await;
        assert_eq!(*seen.values.borrow(), [number(1), number(2)]);
        let figures = copy.figures().lock().clone();
        assert_eq!((figures.counts.replaced, figures.unreadable), (2, 0));
    });
}

#[test]
fn a_listening_copy_asks_each_owner_that_comes() {
    run(async {
        let subscriber = Subscriber::bind(&engine(), "updates", &any_port(), Bytes::new()).await.unwrap();
        let address = subscriber.address().clone();
        let (_copy, seen) = copied_as(options(None, None), subscriber);
        for value in 1..3 {
            let publisher = Publisher::connect(&engine(), "updates", &address, Default::default()).unwrap();
            let state = FullUpdateOut::open(owner(None), Rc::new(publisher));
            // There is no connection yet.
            set(&state, Encoding::MessagePack, &number(value));
            seen.until(|seen| seen.values.borrow().last() == Some(&number(value))).await;
        }
        assert_eq!(*seen.values.borrow(), [number(1), number(2)]);
    });
}

/// The owner of a state with that topic that publishes by a bus.
async fn behind_a_bus(topic: Option<&str>) -> (Bus, Address, FullUpdateOut) {
    let bus = Bus::open(&engine(), &any_port(), &any_port()).await.unwrap();
    let publisher = Publisher::connect(&engine(), "updates", bus.publishers().0, Default::default()).unwrap();
    let state = FullUpdateOut::open(owner(topic), Rc::new(publisher));
    let address = bus.subscribers().0.clone();
    (bus, address, state)
}

#[test]
fn a_late_copy_behind_a_proxy_has_the_last_value_alone() {
    run(async {
        let topic = Some("summary");
        let (bus, address, state) = behind_a_bus(topic).await;
        let (_early, early) = copy(topic, &address);
        let python = raw(topic, &address);
        subscribed(state.publisher(), 1).await;
        // The second of those who subscribe to the same is not told to the publisher.
        let second = Cell::new(false);
        while !second.get() {
            set(&state, Encoding::MessagePack, &number(1));
            let heard = tokio::time::timeout(Duration::from_millis(5), python.recv()).await;
            second.set(heard.is_ok());
        }
        let sets = state.owner().sets();
        early.until(|seen| seen.values.borrow().len() as u64 == sets).await;
        for _late in 0..2 {
            let (_copy, seen) = copy(topic, &address);
            seen.is(Status::Live).await;
            assert_eq!(*seen.values.borrow(), [number(1)]);
        }
        set(&state, Encoding::MessagePack, &number(2));
        early.until(|seen| seen.values.borrow().last() == Some(&number(2))).await;
        assert_eq!(early.values.borrow().len() as u64, sets + 1);
        let mut numbers = Vec::new();
        while numbers.last() != Some(&(sets + 1)) {
            numbers.push(number_of(&python.recv().await));
        }
        assert!(numbers.is_sorted_by(|one, next| one < next), "each came once: {numbers:?}");
        bus.close(LINGER).await;
    });
}

#[test]
fn an_owner_that_comes_late_to_a_proxy_is_asked_by_all_behind_it() {
    run(async {
        let topic = Some("summary");
        let (bus, address, first) = behind_a_bus(topic).await;
        let copies = [copy(topic, &address), copy(topic, &address)];
        subscribed(first.publisher(), 1).await;
        drop(first);
        let publisher =
            Publisher::connect(&engine(), "updates", bus.publishers().0, Default::default()).unwrap();
        let second = FullUpdateOut::open(owner(topic), Rc::new(publisher));
        // It is not connected yet, so nobody hears of it.
        set(&second, Encoding::MessagePack, &number(1));
        for (_, seen) in &copies {
            seen.is(Status::Live).await;
            assert_eq!(*seen.values.borrow(), [number(1)]);
        }
    });
}

#[test]
fn without_a_topic_a_late_copy_behind_a_proxy_waits_for_the_next_value() {
    run(async {
        let (_bus, address, state) = behind_a_bus(None).await;
        let python = raw(None, &address);
        subscribed(state.publisher(), 1).await;
        set(&state, Encoding::MessagePack, &number(1));
        assert_eq!(number_of(&python.recv().await), 1);
        let (copy, seen) = copy(None, &address);
        while copy.subscriber().counters().counts().messages_in == 0 {
            set(&state, Encoding::MessagePack, &number(2));
            // Each is published once, and nothing else is.
            assert_eq!(number_of(&python.recv().await), state.owner().sets());
        }
        seen.is(Status::Live).await;
        assert_eq!(seen.values.borrow().first(), Some(&number(2)));
        assert_eq!(state.publisher().counters().counts().messages_out, state.owner().sets());
    });
}
