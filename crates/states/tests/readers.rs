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

/// Updates of an epoch that the replyer knows nothing of, until it does.
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

/// An update claims the highest number there is.
#[test]
fn a_new_copy_is_of_no_owner_that_the_replyer_has_not_confirmed() {
    let now = Instant::now();
    let (mut owner, mut stranger) = (owner(1, now), owner(2, now));
    owner.update(change(&value!({"a": 1})), now).unwrap();
    let mut reader = Reader::new(Settings::default(), now);
    reader.connected(now);
    assert!(asks(&mut reader));
    let whole = stranger.set(change(&value!({"mine": 1})), now).unwrap();
    reader.update(whole, now, &mut |_| panic!("nobody has confirmed it"));
    let next = stranger.update(change(&value!({"mine": 2})), now).unwrap();
    reader.update(next, now, &mut |_| panic!("nor this"));
    assert_eq!((reader.status(), reader.copy()), (Status::Syncing, None));

    // It goes on asking, more and more seldom, until it is answered.
    let mut later = now;
    let mut asked = 1;
    while later < now + Duration::from_secs(100) {
        reader.ask_failed(later);
        later = reader.next_wake().expect("it asks again");
        reader.tick(later);
        assert!(asks(&mut reader));
        asked += 1;
    }
    assert!((20..60).contains(&asked), "{asked}");
    reader.reply(&reply_of(&owner.snapshot()), later, &mut all);
    assert_eq!((reader.status(), reader.copy()), (Status::Live, Some(owner.copy())));
    assert!(!asks(&mut reader), "there is no doubt left");
}

#[test]
fn what_a_new_copy_held_follows_the_reply_that_confirms_it() {
    let now = Instant::now();
    let mut owner = owner(1, now);
    let mut reader = Reader::new(Settings::default(), now);
    reader.connected(now);
    let reply = reply_of(&owner.snapshot());
    let whole = owner.set(change(&value!({"a": 1})), now).unwrap();
    reader.update(whole, now, &mut all);
    let next = owner.update(change(&value!({"b": 2})), now).unwrap();
    reader.update(next, now, &mut all);
    reader.reply(&reply, now, &mut all);
    assert_eq!(
        (reader.status(), reader.number(), reader.copy()),
        (Status::Live, Some(102), Some(owner.copy()))
    );
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

/// Updates come twice.
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

/// The owner ends when it has answered with half of a snapshot, and is silent for a minute.
#[test]
fn who_waits_for_the_other_half_of_a_snapshot_asks_less_and_less_often() {
    let mut now = Instant::now();
    let mut owner = owner(1, now);
    let many = (0..20_u32).map(|key| (key.to_string(), Value::from("x".repeat(30))));
    owner.set(change(&Value::Map(many.collect())), now).unwrap();
    let first = SnapshotReply::read(&owner.snapshot().encode_parts(340)[0], &Limits::default()).unwrap();
    let settings = Settings::default();
    let mut reader = Reader::new(settings, now);
    reader.connected(now);
    assert!(asks(&mut reader));
    reader.reply(&first, now, &mut |_| panic!("half of it is no value"));
    assert!(asks(&mut reader), "it wants the other half");
    let (start, mut pauses) = (now, Vec::new());
    while now < start + Duration::from_secs(60) {
        reader.ask_failed(now);
        assert!(!asks(&mut reader), "not at once");
        let wake = reader.next_wake().unwrap();
        reader.tick(wake - Duration::from_millis(1));
        assert!(!asks(&mut reader), "not too soon");
        reader.tick(wake);
        assert!(asks(&mut reader), "it is time");
        assert_eq!((reader.status(), reader.copy()), (Status::Syncing, None));
        pauses.push(wake - now);
        now = wake;
    }
    let mut longest = settings.first_pause;
    for pause in &pauses {
        assert!((longest / 2..=longest).contains(pause), "{pauses:?}");
        longest = (longest * 2).min(settings.max_pause);
    }
    // Six while the pauses grow, then one in 2.5 s to 5 s.
    assert!((16..=30).contains(&pauses.len()), "{} requests in a minute", pauses.len());
    assert_eq!(reader.counts().asks, 1 + pauses.len() as u64);
    reader.reply(&reply_of(&owner.snapshot()), now, &mut all);
    assert_eq!((reader.status(), reader.copy()), (Status::Live, Some(owner.copy())));
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

#[test]
fn what_cannot_be_read_may_be_an_update_and_is_asked_for() {
    let now = Instant::now();
    let mut owner = owner(1, now);
    let mut reader = live(&owner, now);
    let later = now + Duration::from_secs(2);
    owner.update(change(&value!({"a": 1})), now).unwrap();
    reader.missed(later);
    assert_eq!((reader.status(), asks(&mut reader)), (Status::Stale, true));
    // The next was published behind the request, and the reply is from before it.
    let reply = reply_of(&owner.snapshot());
    owner.update(change(&value!({"a": 2})), now).unwrap();
    reader.missed(later);
    reader.reply(&reply, later, &mut all);
    assert_eq!((reader.status(), reader.number()), (Status::Stale, Some(101)));
    reader.tick(later + Duration::from_secs(1));
    assert!(asks(&mut reader));
    reader.reply(&reply_of(&owner.snapshot()), later, &mut all);
    assert_eq!((reader.status(), reader.copy()), (Status::Live, Some(owner.copy())));
}

#[test]
fn what_follows_in_order_says_that_nothing_was_missed() {
    let now = Instant::now();
    let mut owner = owner(1, now);
    let mut reader = live(&owner, now);
    reader.missed(now);
    assert_eq!((reader.status(), asks(&mut reader)), (Status::Stale, false), "it has asked just now");
    let update = owner.update(change(&value!({"a": 1})), now).unwrap();
    reader.update(update, now, &mut all);
    assert_eq!((reader.status(), reader.number()), (Status::Live, Some(101)));
    assert_eq!(reader.next_wake(), None, "there is nothing to ask for");
}

#[test]
fn an_owner_whose_updates_cannot_be_read_is_asked_less_and_less_often() {
    let mut now = Instant::now();
    let mut owner = owner(1, now);
    let mut reader = live(&owner, now);
    let before = reader.counts().asks;
    for number in 0..6_000 {
        now += Duration::from_millis(10);
        owner.update(change(&value!({"a": (number)})), now).unwrap();
        reader.missed(now);
        if asks(&mut reader) {
            reader.reply(&reply_of(&owner.snapshot()), now, &mut all);
            assert_eq!(reader.status(), Status::Live);
        }
    }
    let asked = reader.counts().asks - before;
    // In a minute: the pauses grow to five seconds, of which each lasts at least the half.
    assert!((12..40).contains(&asked), "asked {asked} times");
}

#[test]
fn an_owner_whose_heartbeats_are_nothing_apart_gives_none() {
    let now = Instant::now();
    let owner = owner(1, now);
    let reply = reply_of(&owner.snapshot()).write();
    let mut value: Value = wire::decode(&reply, Encoding::MessagePack, &Limits::default()).unwrap();
    let Value::Map(map) = &mut value else { panic!("a reply is a map") };
    map.insert("heartbeat_ms", 0);
    let reply = wire::encode(&value, Encoding::MessagePack).unwrap();
    let mut reader = Reader::new(Settings::default(), now);
    reader.connected(now);
    reader.reply(&SnapshotReply::read(&reply, &Limits::default()).unwrap(), now, &mut all);
    assert_eq!((reader.status(), reader.next_wake()), (Status::Live, None));
}
