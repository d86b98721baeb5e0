//! Owners that send what is no update, and snapshots that are not what they say.

use std::rc::Rc;

use bytes::Bytes;
use service_framework_core::failure::{Failure, code};
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Value, value};
use service_framework_states::delta::reader::Status;
use service_framework_states::{SnapshotReply, SnapshotRequest};

use crate::support::{Copied, Home, Owned, Place, any_port, protocol, publisher, replyer, run, subscriber};

fn encoded(value: &Value) -> Bytes {
    wire::encode(value, Encoding::MessagePack).unwrap().into()
}

/// Updates that are none: cut off, without a field, with a number out of bounds, with another type, with a key in a longer form.
#[test]
fn what_is_no_update_is_counted_and_the_copy_stays_whole() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"a": 1}));
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        let number = owned.number();
        let update = |args: Value| encoded(&value!({"args": args, "workflow_id": null}));
        let bad = [
            Bytes::new(),
            Bytes::from_static(b"\xc1"),
            Bytes::from_static(b"{\"args\": "),
            encoded(&value!([1, 2])),
            update(value!({})),
            update(value!({"current_num": (number + 1), "is_snapshot": false})),
            update(value!({"current_num": "next", "is_snapshot": false, "state": {}})),
            update(value!({"current_num": (u64::MAX), "is_snapshot": false, "state": {}})),
            update(value!({"current_num": 1.5, "is_snapshot": false, "state": {}})),
            update(value!({"current_num": (number + 1), "is_snapshot": 0, "state": {}})),
            update(value!({"current_num": (number + 1), "is_snapshot": false, "state": [1]})),
            update(value!({"current_num": (number + 1), "is_snapshot": false, "state": {}, "more": 1})),
        ];
        let key_in_two_bytes = b"\x82\xa4args\x83\xabcurrent_num\x01\xabis_snapshot\xc2\xa5state\x81\xcc\x01\x07\xabworkflow_id\xc0";
        let bad = bad.into_iter().chain([Bytes::from_static(key_in_two_bytes)]).collect::<Vec<_>>();
        let count = bad.len() as u64;
        for frame in bad {
            owned.state.publisher().publish(frame);
        }
        owned.change(value!({"a": 2}));
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.figures().unreadable, count);
    });
}

#[test]
fn an_owner_is_asked_for_its_last_update_if_that_cannot_be_read() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"a": 1}));
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        let asked_before = copied.figures().counts.asks;
        // Its workflow id is longer than the copy takes.
        let args = encoded(&value!({"state": {"a": 2}, "is_snapshot": false}));
        owned.state.owner().publish(&args, &WorkflowId::text("7".repeat(2_000))).unwrap();
        owned.state.flush();
        copied.catches_up_with(&owned).await;
        assert_eq!((copied.figures().unreadable, copied.figures().counts.asks - asked_before), (1, 1));
    });
}

/// A change removes a key that nobody has, of which a copy in Python dies.
#[test]
fn an_absent_key_may_be_removed() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"a": 1}));
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        owned.change(value!({"b": null, "c": 3}));
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.seen.value().len(), 2);
    });
}

#[test]
fn a_value_that_the_model_refuses_leaves_the_copy_as_it_was() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"size": 1}));
        let copied = Copied::judging(&owned.home, protocol(), |entries| {
            let is_right = entries.values().all(|value| value[0] < 0x80);
            if is_right { Ok(()) } else { Err(Failure::new(code::BAD_ARGS, "not a small number")) }
        });
        copied.catches_up_with(&owned).await;
        let right = copied.seen.value();
        owned.change(value!({"size": "large"}));
        copied.is(Status::Syncing).await;
        assert_eq!(copied.seen.value(), right);
        assert!(copied.figures().counts.refused > 0);
        owned.change(value!({"size": 2}));
        copied.catches_up_with(&owned).await;
    });
}

/// Snapshots whose digest is not that of their entries.
#[test]
fn a_snapshot_of_the_wrong_digest_is_not_taken() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"a": 1}));
        // A replyer that lies at first, and then passes on what the owner says.
        let liar = Rc::new(replyer(&any_port()).await);
        let home = Home { updates: owned.home.updates.clone(), snapshots: liar.address().clone() };
        let truth = crate::support::requester(&owned.home.snapshots);
        let copied = Copied::of(&home);
        for lies in 0..4 {
            let request = liar.recv().await;
            assert!(SnapshotRequest::read(&request.payload, &Limits::default()).unwrap().since.is_some());
            let reply = truth.call(request.payload, None).await.unwrap();
            let mut reply = SnapshotReply::read(&reply, &Limits::default()).unwrap();
            if lies < 3 {
                reply.digest = reply.digest.map(|digest| digest ^ 1);
                assert_eq!(copied.seen.value().len(), 0);
            }
            liar.reply(request.reply_to, reply.write().into());
        }
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.figures().counts.bad_digest, 3);
    });
}

/// An owner dies when it has answered with the first of two parts.
#[test]
fn an_owner_that_ends_in_the_middle_of_a_snapshot_leaves_nothing_half() {
    run(async {
        let (updates, snapshots) = (Place::new(), Place::new());
        let home = Home { updates: updates.address.clone(), snapshots: snapshots.address.clone() };
        let first = Rc::new(replyer(&home.snapshots).await);
        let updates = publisher(&home.updates).await;
        let copied = Copied::judging(&home, protocol(), |entries| {
            assert!(!entries.contains_key(&b"\xa4half"[..]), "half of it was applied");
            Ok(())
        });
        let request = first.recv().await;
        let half = value!({
            "return_args": {"state": {"half": 1}, "current_num": 7}, "workflow_id": null,
            "epoch": "3b241101-e2bb-4255-8caf-4136c566a962", "digest": 1, "part": {"index": 0, "count": 2}
        });
        first.reply(request.reply_to, encoded(&half));
        // It asks for the other half, and the owner is gone.
        drop(first.recv().await);
        let first = Rc::into_inner(first).unwrap();
        first.close(crate::support::LINGER).await;
        updates.close(crate::support::LINGER).await;
        let owned = Owned::start_at(&home, None).await;
        owned.set(value!({"whole": 1}));
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.seen.value().len(), 1);
    });
}

#[test]
fn requests_that_are_none_are_answered_with_why() {
    run(async {
        let owned = Owned::start(None).await;
        let asker = crate::support::requester(&owned.home.snapshots);
        for request in [&b""[..], b"\xc1", b"{\"args\": 5}", b"\x80"] {
            let reply = asker.call(Bytes::copy_from_slice(request), None).await.unwrap();
            let failure = SnapshotReply::read(&reply, &Limits::default()).unwrap_err();
            assert_eq!(failure.code(), code::BAD_MESSAGE, "{request:?}");
        }
        // Python asks like this, and is answered whatever the state's size.
        owned.set(crate::support::entries(100, 1_000));
        let reply = asker.call(encoded(&value!({"args": {}})), None).await.unwrap();
        let reply = SnapshotReply::read(&reply, &Limits::default()).unwrap();
        assert_eq!((reply.state.len(), reply.part), (100, None));
        let reply = asker.call(Bytes::from_static(b"{\"args\": {}}"), None).await.unwrap();
        assert_eq!(reply.first(), Some(&b'{'), "JSON is answered in kind");
        _ = subscriber(&owned.home.updates);
    });
}

#[test]
fn a_snapshot_is_not_encoded_in_as_many_ways_as_somebody_asks_for() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(crate::support::entries(1_000, 1_000));
        let asker = crate::support::requester(&owned.home.snapshots);
        let mut lengths = std::collections::BTreeSet::new();
        for max_bytes in (20_000..2_000_000).step_by(10_007) {
            let request = value!({"args": {}, "since": {"max_bytes": max_bytes}});
            let reply = asker.call(encoded(&request), None).await.unwrap();
            assert!(reply.len() <= max_bytes as usize, "{} bytes, {max_bytes} are wanted", reply.len());
            lengths.insert(reply.len());
        }
        assert!(lengths.len() <= 8, "{lengths:?}");
    });
}
