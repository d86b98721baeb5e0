//! What a reader does with updates and replies that are not as they should be.

use std::time::{Duration, Instant};

use service_framework_core::value::Uuid;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Failure, Value, value};
use service_framework_states::delta::reader::{Event, Output, Reader, Settings, Status};
use service_framework_states::delta::{Owner, Snapshot};
use service_framework_states::{Change, Copy, SnapshotReply, Update};

fn change(value: &Value) -> Change {
    let map = wire::encode(value, Encoding::MessagePack).unwrap();
    Change::read(&map, &Limits::default()).unwrap()
}

fn reply_of(snapshot: &Snapshot) -> SnapshotReply {
    SnapshotReply::read(&snapshot.encode_whole(), &Limits::default()).unwrap()
}

fn owner(epoch: u128, now: Instant) -> Owner {
    Owner::new(Uuid::from_u128(epoch), 100, None, now)
}

fn all(_: &Event<'_>) -> Result<(), Failure> {
    Ok(())
}

/// Whether it has asked since the last time.
fn asks(reader: &mut Reader) -> bool {
    let outputs: Vec<_> = std::iter::from_fn(|| reader.poll()).collect();
    outputs.iter().any(|output| matches!(output, Output::Ask(_)))
}

/// A reader that follows the owner.
fn live(owner: &Owner, now: Instant) -> Reader {
    let mut reader = Reader::new(Settings::default(), now);
    reader.connected(now);
    reader.reply(&reply_of(&owner.snapshot()), now, &mut all);
    assert_eq!((reader.status(), asks(&mut reader)), (Status::Live, true));
    reader
}

#[test]
fn a_refused_update_leaves_the_copy_as_it_was_and_asks() {
    let now = Instant::now();
    let mut owner = owner(1, now);
    let mut reader = live(&owner, now);
    let update = owner.update(change(&value!({"a": 1})), now).unwrap();
    let later = now + Duration::from_secs(2);
    reader.update(update, later, &mut |_| Err(Failure::msg("no")));
    assert_eq!(
        (reader.status(), reader.number(), reader.copy()),
        (Status::Syncing, Some(100), Some(&Copy::new()))
    );
    assert!(asks(&mut reader));
    reader.reply(&reply_of(&owner.snapshot()), later, &mut |_| Err(Failure::msg("no")));
    assert_eq!((reader.counts().refused, reader.number(), asks(&mut reader)), (2, Some(100), false));
    assert!(reader.next_wake().unwrap() > later, "it asks again after a pause");
    reader.tick(later + Duration::from_secs(5));
    reader.reply(&reply_of(&owner.snapshot()), later, &mut all);
    assert_eq!((reader.status(), reader.number()), (Status::Live, Some(101)));
}

#[test]
fn a_wrong_digest_is_not_applied() {
    let now = Instant::now();
    let mut owner = owner(1, now);
    let mut reader = live(&owner, now);
    let update = owner.update(change(&value!({"a": 1})), now).unwrap();
    let wrong = Update { state: change(&value!({"a": 2})), ..update };
    reader.update(wrong, now, &mut |_| panic!("the plugin never sees it"));
    assert_eq!(
        (reader.status(), reader.number(), reader.counts().bad_digest),
        (Status::Syncing, Some(100), 1)
    );
    reader.tick(now + Duration::from_secs(1));
    assert!(asks(&mut reader));
    reader.reply(&reply_of(&owner.snapshot()), now, &mut all);
    assert_eq!((reader.status(), reader.copy()), (Status::Live, Some(owner.copy())));
}

#[test]
fn a_second_owner_is_asked_about_once_and_then_ignored() {
    let now = Instant::now();
    let (mut owner, mut stranger) = (owner(1, now), owner(2, now));
    let mut reader = live(&owner, now);
    let later = now + Duration::from_secs(2);
    for asked in [true, false, false] {
        let update = stranger.set(change(&value!({"mine": 1})), now).unwrap();
        reader.update(update, later, &mut |_| panic!("it is a stranger's"));
        assert_eq!(asks(&mut reader), asked);
        reader.reply(&reply_of(&owner.snapshot()), later, &mut all);
    }
    assert_eq!((reader.status(), reader.counts().other_owner), (Status::Live, 3));
    let update = owner.update(change(&value!({"a": 1})), now).unwrap();
    reader.update(update, later, &mut all);
    assert_eq!((reader.number(), reader.copy()), (Some(101), Some(owner.copy())));

    // The replyer is the stranger's one day.
    reader.connected(later);
    reader.reply(&reply_of(&stranger.snapshot()), later, &mut all);
    assert_eq!((reader.epoch(), reader.copy()), (Some(Uuid::from_u128(2)), Some(stranger.copy())));
}

#[test]
fn a_number_that_the_owner_never_had_is_forgotten() {
    let now = Instant::now();
    let mut owner = owner(1, now);
    let mut reader = live(&owner, now);
    let update = owner.update(change(&value!({"a": 1})), now).unwrap();
    let later = now + Duration::from_secs(2);
    reader.update(Update { number: i64::MAX, ..update }, later, &mut all);
    assert_eq!((reader.status(), asks(&mut reader)), (Status::Syncing, true));
    reader.reply(&reply_of(&owner.snapshot()), later, &mut all);
    assert_eq!((reader.status(), reader.copy()), (Status::Live, Some(owner.copy())));
}

#[test]
fn duplicates_alone_ask_for_nothing() {
    let now = Instant::now();
    let mut owner = owner(1, now);
    let mut reader = live(&owner, now);
    let updates: Vec<_> =
        (0..3).map(|number| owner.update(change(&value!({"a": (number)})), now).unwrap()).collect();
    for update in updates.iter().chain(&updates) {
        reader.update(update.clone(), now + Duration::from_secs(2), &mut all);
    }
    assert_eq!((asks(&mut reader), reader.status(), reader.counts().skipped), (false, Status::Live, 3));
}

#[test]
fn parts_that_are_too_much_together_are_dropped() {
    let now = Instant::now();
    let mut owner = owner(1, now);
    let many = (0..20_u32).map(|key| (key.to_string(), Value::from("x".repeat(30))));
    let state = Value::Map(many.collect());
    owner.set(change(&state), now).unwrap();
    let parts = owner.snapshot().encode_parts(340).unwrap();
    let mut reader = Reader::new(Settings { max_snapshot_bytes: 200, ..Settings::default() }, now);
    reader.connected(now);
    for part in &parts[..3] {
        reader.reply(&SnapshotReply::read(part, &Limits::default()).unwrap(), now, &mut all);
    }
    assert_eq!((reader.copy(), reader.counts().bad_snapshots), (None, 1));
}

#[test]
fn an_owner_that_says_nothing_for_too_long_is_stale_until_it_speaks() {
    let now = Instant::now();
    let mut owner = owner(1, now);
    let patience = Some(Duration::from_secs(3));
    let mut reader = Reader::new(Settings { patience, ..Settings::default() }, now);
    reader.connected(now);
    reader.reply(&reply_of(&owner.snapshot()), now, &mut all);
    assert_eq!((reader.status(), reader.next_wake()), (Status::Live, Some(now + Duration::from_secs(3))));
    reader.tick(now + Duration::from_secs(3));
    assert_eq!((reader.status(), asks(&mut reader)), (Status::Stale, true));
    let update = owner.update(Change::none(), now).unwrap();
    reader.update(update, now + Duration::from_secs(4), &mut all);
    assert_eq!(reader.status(), Status::Live);
}

#[test]
fn an_owner_in_python_is_asked_again_once_it_has_published() {
    let now = Instant::now();
    let reply = |state: &Value| SnapshotReply {
        state: Copy::of(&change(state)),
        number: 0,
        epoch: None,
        heartbeat: None,
        digest: None,
        part: None,
    };
    let update = |number, state: &Value| {
        let (epoch, digest, workflow_id) = (None, None, None);
        Update { number, is_snapshot: false, state: change(state), epoch, digest, workflow_id }
    };
    let mut reader = Reader::new(Settings::default(), now);
    reader.connected(now);
    assert!(asks(&mut reader));
    reader.reply(&reply(&value!({"a": 1})), now, &mut all);
    assert_eq!((reader.status(), asks(&mut reader), reader.next_wake()), (Status::Syncing, false, None));
    reader.update(update(7, &value!({"b": 2})), now, &mut all);
    assert!(asks(&mut reader), "now the subscription is known to work");
    reader.update(update(8, &value!({"a": null})), now, &mut all);
    reader.reply(&reply(&value!({"a": 1, "b": 2})), now, &mut all);
    let expected = Copy::of(&change(&value!({"b": 2})));
    assert_eq!((reader.status(), reader.number(), reader.copy()), (Status::Live, Some(8), Some(&expected)));
}
