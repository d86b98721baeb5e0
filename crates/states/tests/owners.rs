//! What an owner publishes, and how its snapshots are cut.

use std::time::{Duration, Instant};

use service_framework_core::value::Uuid;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Value, value};
use service_framework_states::delta::Owner;
use service_framework_states::delta::owner::{Error, Kind};
use service_framework_states::{Change, SnapshotReply};

const BEAT: Duration = Duration::from_secs(1);

fn change(value: &Value) -> Change {
    let map = wire::encode(value, Encoding::MessagePack).unwrap();
    Change::read(&map, &Limits::default()).unwrap()
}

fn owner(first_number: i64, now: Instant) -> Owner {
    Owner::new(Uuid::from_u128(1), first_number, Some(BEAT), now)
}

#[test]
fn nulls_for_keys_that_are_not_there_are_left_out() {
    let now = Instant::now();
    let mut owner = owner(10, now);
    let update = owner.update(change(&value!({"a": 1, "b": null})), now).unwrap();
    assert_eq!((update.number, update.is_snapshot, update.state), (11, false, change(&value!({"a": 1}))));
    let update = owner.update(change(&value!({"a": null, "b": null})), now).unwrap();
    assert_eq!((update.number, update.state), (12, change(&value!({"a": null}))));
    let update = owner.set(change(&value!({"a": null, "c": 1})), now).unwrap();
    assert_eq!((update.number, update.is_snapshot, update.state), (13, true, change(&value!({"c": 1}))));
    assert_eq!(update.digest, Some(owner.copy().digest()));
}

#[test]
fn a_heartbeat_is_a_change_that_changes_nothing_and_comes_after_a_silence() {
    let now = Instant::now();
    let mut owner = owner(10, now);
    owner.update(change(&value!({"a": 1})), now + BEAT / 2).unwrap();
    assert_eq!(owner.next_wake(), Some(now + BEAT / 2 + BEAT));
    assert_eq!(owner.heartbeat(now + BEAT), None);
    let beat = owner.heartbeat(now + 2 * BEAT).unwrap();
    assert_eq!((beat.number, beat.is_snapshot, beat.state.len()), (12, false, 0));
    assert_eq!(owner.next_wake(), Some(now + 3 * BEAT));
}

#[test]
fn an_author_who_numbers_gets_no_heartbeats_and_a_new_epoch_when_numbers_go_back() {
    let now = Instant::now();
    let mut owner = owner(1_000, now);
    let first = owner.update_by_hand(7, Kind::Change, change(&value!({"a": 1})), now).unwrap();
    assert_eq!((first.number, owner.next_wake()), (7, None));
    assert_ne!(first.epoch, Some(Uuid::from_u128(1)), "readers may hold the number 1000 of that epoch");
    let second = owner.update_by_hand(9, Kind::Change, change(&value!({"a": 2})), now).unwrap();
    assert_eq!(second.epoch, first.epoch);
    let refused = owner.update_by_hand(9, Kind::Change, change(&value!({"a": 3})), now).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the change has the number 9, and must have one above 9, or be a snapshot"
    );
    assert_eq!(*owner.copy(), service_framework_states::Copy::of(&change(&value!({"a": 2}))));
    let third = owner.update_by_hand(1, Kind::Snapshot, change(&value!({"b": 1})), now).unwrap();
    assert_ne!(third.epoch, second.epoch);
}

#[test]
fn after_the_highest_number_there_is_none() {
    let now = Instant::now();
    let mut owner = owner(i64::MAX - 1, now);
    owner.update(change(&value!({"a": 1})), now).unwrap();
    assert_eq!(owner.update(change(&value!({"a": 2})), now), Err(Error::NoNumberLeft));
    assert_eq!((owner.heartbeat(now + 2 * BEAT), owner.next_wake()), (None, None));
    assert_eq!(owner.copy().get(b"\xa1a"), Some(&b"\x01"[..]));
}

#[test]
fn a_snapshot_is_cut_into_replies_of_at_most_so_many_bytes() {
    let now = Instant::now();
    let mut owner = owner(10, now);
    for key in 0..50_u32 {
        owner
            .update(
                change(
                    &[(key.to_string(), Value::from("x".repeat(40)))]
                        .into_iter()
                        .collect::<value::Map>()
                        .into(),
                ),
                now,
            )
            .unwrap();
    }
    let snapshot = owner.snapshot();
    assert_eq!(snapshot.encode_parts(1 << 20), [snapshot.encode_whole()], "what fits is whole");
    let replies = snapshot.encode_parts(400);
    assert!(replies.len() > 5 && replies.iter().all(|reply| reply.len() <= 400), "{}", replies.len());
    let mut copy = service_framework_states::Copy::new();
    for (index, reply) in replies.iter().enumerate() {
        let reply = SnapshotReply::read(reply, &Limits::default()).unwrap();
        assert_eq!(
            reply.part.map(|part| (part.index as usize, part.count as usize)),
            Some((index, replies.len()))
        );
        copy.merge(&reply.state);
    }
    assert_eq!(copy, snapshot.copy);
    let alone = snapshot.encode_parts(220);
    assert_eq!(alone.len(), 50, "what is longer than a part is one of its own");
    assert_eq!(snapshot.largest().map(|largest| largest.entry_bytes), Some(45));
}

#[test]
fn a_snapshot_in_json_says_the_same_without_a_digest() {
    let now = Instant::now();
    let mut owner = owner(10, now);
    owner.update(change(&value!({"a": [1, null]})), now).unwrap();
    let json = owner.snapshot().encode_json().unwrap();
    assert_eq!(
        String::from_utf8(json).unwrap(),
        r#"{"return_args":{"state":{"a":[1,null]},"current_num":11},"workflow_id":null,"epoch":"00000000-0000-0000-0000-000000000001","heartbeat_ms":1000}"#
    );
}
