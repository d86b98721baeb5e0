//! Signs of life of the owners of full states.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use service_framework_core::value::Uuid;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Value, value};
use service_framework_states::delta::reader::Status;
use service_framework_states::message::{Content, FullUpdate, Origin};
use service_framework_states::{FullOwner, FullUpdateOut, OwnerOptions};

use crate::full::{copied_as, options, set};
use crate::late::{raw, subscribed};
use crate::support::{any_port, publisher, run};

#[test]
fn an_owner_that_sets_nothing_is_heard_and_stale_when_it_is_not() {
    run(async {
        let heartbeat = Some(Duration::from_millis(20));
        let owner = Arc::new(FullOwner::new(OwnerOptions { heartbeat, ..Default::default() }));
        let publisher = Rc::new(publisher(&any_port()).await);
        let state = FullUpdateOut::open(Arc::clone(&owner), Rc::clone(&publisher));
        set(&state, Encoding::MessagePack, &value!({"a": 1}));
        let heard = raw(None, publisher.address());
        // It knows of the heartbeats by what it is sent.
        let (_copy, seen) = copied_as(options(None, None), raw(None, publisher.address()));
        seen.is(Status::Live).await;
        let mut epochs = Vec::new();
        for _ in 0..5 {
            let beat: Value =
                wire::decode(&heard.recv().await, Encoding::MessagePack, &Limits::default()).unwrap();
            assert_eq!(beat.get("args"), Some(&value!({})));
            assert_eq!(beat.get("heartbeat"), Some(&value!(true)));
            assert_eq!(beat.get("current_num"), Some(&value!(1)));
            assert_eq!(beat.get("heartbeat_ms"), Some(&value!(20)));
            epochs.extend(beat.get("epoch").cloned());
        }
        epochs.dedup();
        assert_eq!(epochs.len(), 1);
        seen.is(Status::Live).await;
        drop(state);
        // The connection is there.
        seen.is(Status::Stale).await;
        let _state = FullUpdateOut::open(owner, publisher);
        seen.is(Status::Live).await;
        assert_eq!(*seen.values.borrow(), [value!({"a": 1})], "a sign of life is no value");
    });
}

#[test]
fn an_owner_without_heartbeats_gives_none() {
    run(async {
        let publisher = Rc::new(publisher(&any_port()).await);
        let state = FullUpdateOut::open(Arc::new(FullOwner::new(OwnerOptions::default())), publisher);
        let heard = raw(None, state.publisher().address());
        subscribed(state.publisher(), 1).await;
        set(&state, Encoding::MessagePack, &value!({"a": 1}));
        let frame = heard.recv().await;
        let update = FullUpdate::read(&frame, &Limits::default(), 1_024).unwrap();
        assert_eq!((update.content, update.heartbeat), (Content::Value, None));
    });
}

#[test]
fn a_copy_that_has_missed_a_value_is_stale_until_the_next() {
    run(async {
        let publisher = publisher(&any_port()).await;
        let (copy, seen) = copied_as(options(None, None), raw(None, publisher.address()));
        subscribed(&publisher, 1).await;
        let (epoch, other) = (Uuid::new_v4(), Uuid::new_v4());
        let publish = |content: Content, epoch: Uuid, number: u64| {
            let args = wire::encode(&value!({"number": number}), Encoding::MessagePack).unwrap();
            let update = FullUpdate {
                encoding: Encoding::MessagePack,
                args: if content == Content::Value { &args } else { b"\x80" },
                workflow_id: None,
                origin: Some(Origin { epoch, number }),
                heartbeat: Some(Duration::from_secs(3_600)),
                content,
            };
            publisher.publish(Bytes::from(update.append(Vec::new())));
        };
        // Whoever has no value is not live by a sign of life.
        publish(Content::Heartbeat, epoch, 0);
        publish(Content::Value, epoch, 1);
        publish(Content::Heartbeat, epoch, 1);
        seen.is(Status::Live).await;
        publish(Content::Heartbeat, epoch, 2);
        seen.is(Status::Stale).await;
        // It has that, and so much is sure.
        publish(Content::Value, epoch, 1);
        seen.is(Status::Live).await;
        publish(Content::Heartbeat, other, 1);
        seen.is(Status::Stale).await;
        publish(Content::Value, epoch, 3);
        seen.is(Status::Live).await;
        assert_eq!(*seen.values.borrow(), [value!({"number": 1}), value!({"number": 3})]);
        let stale_twice = [Status::Live, Status::Stale, Status::Live, Status::Stale, Status::Live];
        assert_eq!(*seen.statuses.borrow(), stale_twice);
        assert_eq!(copy.figures().lock().unreadable, 0);
    });
}
