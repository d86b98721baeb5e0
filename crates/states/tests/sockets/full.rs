//! Full states: whole values, and whether their owner is still heard.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_connections::{Publisher, Subscriber, publisher};
use service_framework_core::address::Address;
use service_framework_core::failure::code;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, Value, topic, value};
use service_framework_states::delta::reader::Status;
use service_framework_states::message::{Content, FullUpdate};
use service_framework_states::news::{self, News};
use service_framework_states::{FullOptions, FullOwner, FullUpdateIn, FullUpdateOut, OwnerOptions};
use tokio::sync::Notify;

use crate::support::{self, LINGER, Place, any_port, engine, run, subscriber};

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) values: RefCell<Vec<Value>>,
    pub(crate) statuses: RefCell<Vec<Status>>,
    changed: Notify,
}

impl Seen {
    pub(crate) async fn until(&self, condition: impl Fn(&Self) -> bool) {
        while !condition(self) {
            self.changed.notified().await;
        }
    }

    pub(crate) async fn is(&self, status: Status) {
        self.until(|seen| seen.statuses.borrow().last() == Some(&status)).await;
    }
}

fn copied(address: &Address, expect_every: Option<Duration>) -> (FullUpdateIn, Rc<Seen>) {
    copied_as(options(None, expect_every), subscriber(address))
}

pub(crate) fn options(topic: Option<&str>, expect_every: Option<Duration>) -> FullOptions {
    let topic = topic.map(str::to_owned);
    FullOptions { topic, limits: Limits::default(), max_workflow_id_bytes: 1_024, expect_every }
}

/// A copy of that state whose values come from there, and what it is told.
pub(crate) fn copied_as(options: FullOptions, subscriber: Subscriber) -> (FullUpdateIn, Rc<Seen>) {
    let seen = Rc::new(Seen::default());
    let told = Rc::clone(&seen);
    let take = Box::new(move |news: &News<'_>| {
        match *news {
            News::Value { value: news::Value::Full(args), .. } => {
                let value: Value = wire::decode(args, Encoding::MessagePack, &Limits::default())?;
                if value.get("refused").is_some() {
                    return Err(Failure::new(code::BAD_ARGS, "the model has no such field"));
                }
                if value.get("failed").is_some() {
                    return Err(Failure::msg("the plugin failed"));
                }
                told.values.borrow_mut().push(value);
            }
            News::Status(standing) => told.statuses.borrow_mut().push(standing.status),
            News::Value { .. } => panic!("a full state has whole values"),
        }
        told.changed.notify_one();
        Ok(())
    });
    (FullUpdateIn::open(Rc::new(subscriber), options, take), seen)
}

async fn owned(at: &Address) -> FullUpdateOut {
    let owner = FullOwner::new(OwnerOptions { name: "summary".into(), ..Default::default() });
    let options = publisher::Options { wait_after_creation: Duration::from_secs(60), subscribers: 1 };
    let publisher = Publisher::bind(&engine(), "summary", at, options).await.unwrap();
    publisher.settle().await;
    FullUpdateOut::open(Arc::new(owner), Rc::new(publisher))
}

pub(crate) fn set(state: &FullUpdateOut, encoding: Encoding, value: &Value) {
    let args = wire::encode(value, encoding).unwrap();
    state.owner().publish(encoding, &args, &WorkflowId::new()).unwrap();
    state.flush();
}

#[test]
fn a_copy_is_live_with_its_first_value_and_stale_without_its_owner() {
    run(async {
        let place = Place::new();
        let owner = FullOwner::new(OwnerOptions { name: "summary".into(), ..Default::default() });
        let first = support::publisher(&place.address).await;
        let first = FullUpdateOut::open(Arc::new(owner), Rc::new(first));
        let (_copy, seen) = copied(&place.address, None);
        first.publisher().settle().await;
        set(&first, Encoding::MessagePack, &value!({"mean": 1.5}));
        seen.is(Status::Live).await;
        set(&first, Encoding::Json, &value!({"mean": 2.5}));
        seen.until(|seen| seen.values.borrow().len() == 2).await;
        assert_eq!(*seen.values.borrow(), [value!({"mean": 1.5}), value!({"mean": 2.5})]);
        first.close(LINGER).await;
        seen.is(Status::Stale).await;

        let second = owned(&place.address).await;
        set(&second, Encoding::MessagePack, &value!({"mean": 3.5}));
        seen.is(Status::Live).await;
        assert_eq!(seen.values.borrow().last(), Some(&value!({"mean": 3.5})));
    });
}

#[test]
fn a_copy_that_expects_a_value_now_and_then_is_stale_without_one() {
    run(async {
        let publisher = support::publisher(&any_port()).await;
        let address = publisher.address().clone();
        let owner = FullOwner::new(OwnerOptions::default());
        let state = FullUpdateOut::open(Arc::new(owner), Rc::new(publisher));
        let (_copy, seen) = copied(&address, Some(Duration::from_millis(50)));
        state.publisher().settle().await;
        set(&state, Encoding::MessagePack, &value!({"a": 1}));
        seen.is(Status::Live).await;
        seen.is(Status::Stale).await;
        set(&state, Encoding::MessagePack, &value!({"a": 2}));
        seen.is(Status::Live).await;
    });
}

#[test]
fn a_copy_that_refused_the_last_value_is_not_live() {
    run(async {
        let publisher = support::publisher(&any_port()).await;
        let address = publisher.address().clone();
        let state =
            FullUpdateOut::open(Arc::new(FullOwner::new(OwnerOptions::default())), Rc::new(publisher));
        let (copy, seen) = copied(&address, None);
        state.publisher().settle().await;
        set(&state, Encoding::MessagePack, &value!({"a": 1}));
        seen.is(Status::Live).await;
        set(&state, Encoding::MessagePack, &value!({"refused": 1}));
        seen.is(Status::Stale).await;
        assert_eq!((copy.figures().lock().counts.refused, seen.values.borrow().len()), (1, 1));
        set(&state, Encoding::MessagePack, &value!({"a": 2}));
        seen.is(Status::Live).await;
    });
}

#[test]
fn a_copy_that_cannot_read_the_last_value_is_not_live() {
    run(async {
        let publisher = support::publisher(&any_port()).await;
        let address = publisher.address().clone();
        let state =
            FullUpdateOut::open(Arc::new(FullOwner::new(OwnerOptions::default())), Rc::new(publisher));
        let limits = Limits { max_depth: 4, max_values: 20, max_message_bytes: 2_000 };
        let options = FullOptions { limits, max_workflow_id_bytes: 40, ..options(None, None) };
        let (copy, seen) = copied_as(options, subscriber(&address));
        state.publisher().settle().await;
        let good = value!({"a": 1});
        let long = WorkflowId::text("7".repeat(41));
        let many: Value = Value::List((0..40).map(Value::from).collect());
        let publish = |value: &Value, id: &WorkflowId<'_>| {
            let args = wire::encode(value, Encoding::MessagePack).unwrap();
            state.owner().publish(Encoding::MessagePack, &args, id).unwrap();
            state.flush();
        };
        let short = WorkflowId::new();
        let bad: [&dyn Fn(); 6] = [
            &|| publish(&good, &long),
            &|| publish(&value!({"a": [[[[1]]]]}), &short),
            &|| publish(&value!({"a": (many.clone())}), &short),
            &|| publish(&value!({"a": ("x".repeat(3_000))}), &short),
            &|| publish(&value!({"failed": 1}), &short),
            &|| state.publisher().publish(Bytes::from_static(b"\xc1")),
        ];
        for (number, bad) in bad.iter().enumerate() {
            publish(&good, &short);
            seen.is(Status::Live).await;
            bad();
            seen.is(Status::Stale).await;
            assert_eq!(copy.figures().lock().unreadable, number as u64 + 1);
        }
        publish(&good, &short);
        seen.is(Status::Live).await;
    });
}

#[test]
fn what_has_another_topic_says_nothing_of_the_copy() {
    run(async {
        let publisher = support::publisher(&any_port()).await;
        let address = publisher.address().clone();
        // It subscribes to more than it wants.
        let (copy, seen) = copied_as(options(Some("ours"), None), subscriber(&address));
        let value = |topic: &str, number: i64| {
            let args = wire::encode(&value!({"number": number}), Encoding::MessagePack).unwrap();
            let update = FullUpdate {
                encoding: Encoding::MessagePack,
                args: &args,
                workflow_id: None,
                origin: None,
                heartbeat: None,
                content: Content::Value,
            };
            publisher.publish(Bytes::from(update.append(topic::encode(topic))));
        };
        crate::late::subscribed(&publisher, 1).await;
        value("ours", 1);
        value("another", 2);
        value("ours", 3);
        seen.until(|seen| seen.values.borrow().len() == 2).await;
        assert_eq!(*seen.values.borrow(), [value!({"number": 1}), value!({"number": 3})]);
        assert_eq!((seen.statuses.borrow().len(), copy.figures().lock().unreadable), (1, 1));
    });
}
