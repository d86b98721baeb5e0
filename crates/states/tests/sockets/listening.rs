//! Copies that listen, and owners that connect to them: who comes and goes is told as where it is the other way round.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::{Engine, Publisher, Subscriber, engine_by_name, publisher};
use service_framework_core::address::Address;
use service_framework_core::wire::Encoding;
use service_framework_core::{Value, value};
use service_framework_states::delta::reader::Status;
use service_framework_states::{FullUpdateOut, OwnerOptions};

use crate::full::{copied_as, options, set};
use crate::late::{self, subscribed};
use crate::support::{Copied, LINGER, Owned, Place, any_port, engine, protocol, replyer, requester, run};

async fn listening() -> (Subscriber, Address) {
    listening_on(&engine()).await
}

async fn listening_on(engine: &Rc<dyn Engine>) -> (Subscriber, Address) {
    let subscriber = Subscriber::bind(engine, "updates", &any_port(), Bytes::new()).await.unwrap();
    let address = subscriber.address().clone();
    (subscriber, address)
}

fn connecting(to: &Address) -> Publisher {
    Publisher::connect(&engine(), "updates", to, publisher::Options::default()).unwrap()
}

/// An owner that gives no signs of life, so that nothing but the connection tells of its end.
async fn owned(updates: &Address, snapshots: &Address) -> Owned {
    beating(updates, snapshots, None).await
}

async fn beating(updates: &Address, snapshots: &Address, heartbeat: Option<Duration>) -> Owned {
    let options = OwnerOptions { name: "book".into(), heartbeat, ..Default::default() };
    Owned::on(connecting(updates), replyer(snapshots).await, options)
}

#[test]
fn a_listening_copy_of_a_delta_state_goes_stale_with_its_owner_and_live_with_the_next() {
    run(async {
        let (subscriber, updates) = listening().await;
        let snapshots = Place::new();
        let first = owned(&updates, &snapshots.address).await;
        first.set(value!({"before": 1}));
        let copied = Copied::on(subscriber, requester(&snapshots.address), protocol(), |_| Ok(()));
        copied.catches_up_with(&first).await;
        subscribed(first.state.publisher(), 1).await;
        first.change(value!({"more": 2}));
        copied.catches_up_with(&first).await;
        first.close().await;
        copied.is(Status::Stale).await;
        assert_eq!(copied.seen.value().len(), 2, "what was known stays readable");

        for again in 0..2 {
            let next = owned(&updates, &snapshots.address).await;
            next.set(value!({"after": (again)}));
            copied.catches_up_with(&next).await;
            next.close().await;
            copied.is(Status::Stale).await;
        }
    });
}

#[test]
fn with_the_engine_zeromq_missing_heartbeats_tell_that_the_owner_is_gone() {
    run(async {
        let (subscriber, updates) =
            listening_on(&engine_by_name("zeromq", Default::default()).unwrap()).await;
        let every = Some(Duration::from_millis(50));
        let snapshots = Place::new();
        let first = beating(&updates, &snapshots.address, every).await;
        first.set(value!({"before": 1}));
        let copied = Copied::on(subscriber, requester(&snapshots.address), protocol(), |_| Ok(()));
        copied.until(|copied| copied.seen.value() == first.value()).await;
        copied.is(Status::Live).await;
        first.close().await;
        copied.is(Status::Stale).await;
        let next = beating(&updates, &snapshots.address, every).await;
        next.set(value!({"after": 1}));
        copied.until(|copied| copied.seen.value() == next.value()).await;
        copied.is(Status::Live).await;
    });
}

#[test]
fn a_listening_copy_of_a_full_state_goes_stale_with_its_owner_and_live_with_the_next() {
    run(async {
        let (subscriber, updates) = listening().await;
        let (_copy, seen) = copied_as(options(None, None), subscriber);
        let mut values: Vec<Value> = Vec::new();
        for number in 0..3 {
            let state = FullUpdateOut::open(late::owner(None), Rc::new(connecting(&updates)));
            set(&state, Encoding::MessagePack, &value!({"number": (number)}));
            seen.is(Status::Live).await;
            values.push(value!({"number": (number)}));
            assert_eq!(*seen.values.borrow(), values);
            state.close(LINGER).await;
            seen.is(Status::Stale).await;
        }
    });
}
