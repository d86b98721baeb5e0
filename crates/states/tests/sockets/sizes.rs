//! Large states: in parts, for many at once, and while they change.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use service_framework_core::failure::Failure;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Value, value};
use service_framework_states::delta::reader::{Settings, Status};
use service_framework_states::{OwnerOptions, SnapshotReply};

use crate::support::{Copied, Home, Owned, Way, any_port, entries, protocol, replyer, run};

/// A snapshot that is larger than any message may be.
#[test]
fn a_snapshot_over_the_limit_comes_in_parts() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(entries(2_000, 1_000));
        let settings = Settings { max_reply_bytes: 64 << 10, ..protocol() };
        let copied = Copied::with(&owned.home, settings);
        copied.catches_up_with(&owned).await;
        let replies = owned.state.snapshots();
        assert!(replies > 30, "2 MB in parts of 64 KiB are more than {replies}");
        // What is answered before its link is up is asked for once more.
        assert!(copied.figures().counts.asks <= 2, "the parts of one snapshot are one request");
    });
}

#[test]
fn a_snapshot_that_changes_between_its_parts_begins_again_and_is_never_half_applied() {
    run(async {
        let owned = Owned::start(Some(Duration::from_millis(20))).await;
        owned.set(entries(500, 1_000));
        let settings = Settings { max_reply_bytes: 64 << 10, ..protocol() };
        // Only ever all of them: a half-applied snapshot would have fewer.
        let copied = Copied::judging(&owned.home, settings, |entries| match entries.len() {
            500.. => Ok(()),
            count => Err(Failure::msg(format!("{count} entries"))),
        });
        for number in 0..100 {
            owned.change(value!({"count": number}));
            tokio::task::yield_now().await;
        }
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.figures().counts.refused, 0);
    });
}

/// 200 copies come at the same moment, to a state of 1 MB.
#[test]
fn two_hundred_readers_join_at_once() {
    run(async {
        // No copy is stale for that the others keep the owner busy.
        let owned = Owned::start(Some(Duration::from_secs(3_600))).await;
        owned.set(entries(1_000, 1_000));
        let copies: Vec<Copied> = (0..200).map(|_| Copied::of(&owned.home)).collect();
        for copied in &copies {
            copied.is(Status::Live).await;
            assert_eq!(copied.seen.value(), owned.value());
        }
    });
}

/// The whole is asked for while the owner publishes 50,000 updates: some are on their way before the cut, some after it, all before the answer.
#[test]
fn a_snapshot_and_the_updates_around_it_are_cut_at_one_number() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(entries(50, 2_000));
        owned.change(value!({"one": 0, "other": 0}));
        let is_lost = Rc::new(Cell::new(false));
        let lost = Rc::clone(&is_lost);
        let way = Way::from(&owned, move |_| lost.get()).await;
        // It passes on what the copy asks and what the owner answers.
        let between = replyer(&any_port()).await;
        let truth = crate::support::requester(&owned.home.snapshots);
        let home = Home { updates: way.home.updates.clone(), snapshots: between.address().clone() };
        // The two always change together, so that what is torn would be seen; that nothing is missing or doubled, the digest of each update says.
        let copied = Copied::judging(&home, protocol(), |entries| {
            let of =
                |key: &str| entries.get(&wire::encode(&Value::from(key), Encoding::MessagePack).unwrap());
            if of("one") == of("other") { Ok(()) } else { Err(Failure::msg("torn")) }
        });
        let mut is_live = std::pin::pin!(copied.catches_up_with(&owned));
        loop {
            tokio::select! {
                () = &mut is_live => break,
                request = between.recv() => {
                    let reply = truth.call(request.payload, None).await.unwrap();
                    between.reply(request.reply_to, reply);
                }
            }
        }
        let counts = || copied.figures().counts;
        let before = counts();
        let mut numbers = 1..;
        let mut change = || {
            let number: i32 = numbers.next().unwrap();
            owned.change(value!({"one": number, "other": number}));
            number
        };
        is_lost.set(true);
        change();
        while way.lost.get() == 0 {
            tokio::task::yield_now().await;
        }
        is_lost.set(false);
        change();
        let request = between.recv().await;
        let reply = truth.call(request.payload, None).await.unwrap();
        let (cut, held_at_cut) =
            (SnapshotReply::read(&reply, &Limits::default()).unwrap().number, counts().held);
        assert!(held_at_cut > before.held, "what was published before the cut is held");
        while owned.number() < cut + 1_000 {
            change();
            tokio::task::yield_now().await;
        }
        while counts().held < held_at_cut + 1_000 {
            tokio::task::yield_now().await;
        }
        between.reply(request.reply_to, reply);
        loop {
            let number = change();
            if number % 50 == 0 {
                tokio::task::yield_now().await;
            }
            if number % 1_000 == 0 {
                copied.catches_up_with(&owned).await;
            }
            if number == 50_000 {
                break;
            }
        }
        let after = counts();
        assert_eq!((after.refused, after.bad_digest), (0, 0));
        let more = (after.gaps - before.gaps, after.asks - before.asks, after.replaced - before.replaced);
        assert_eq!(more, (1, 1, 1), "what was held was all that it needed beside");
        let applied = i64::try_from(after.applied - before.applied).unwrap();
        assert_eq!(applied, owned.number() - cut, "each after the cut once");
    });
}

/// An owner whose updates and replies have at most so many bytes.
async fn limited(update_bytes: usize, reply_bytes: usize) -> Owned {
    let home = Home { updates: any_port(), snapshots: any_port() };
    let limits = |max_message_bytes| Limits { max_message_bytes, ..Limits::default() };
    let (limits, reply_limits) = (limits(update_bytes), limits(reply_bytes));
    let options = OwnerOptions { name: "book".into(), limits, reply_limits, ..Default::default() };
    Owned::with(&home, options).await
}

#[test]
fn an_entry_as_long_as_a_reply_may_be_is_carried_among_others() {
    run(async {
        let owned = limited(100_000, 100_000).await;
        owned.set(entries(90, 1_000));
        // Parts are of 64 KiB, the power of two below.
        owned.change(value!({"long": ("x".repeat(99_000))}));
        let copied = Copied::with(&owned.home, Settings { max_reply_bytes: 100_000, ..protocol() });
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.figures().counts.failed_asks, 0);
    });
}

#[test]
fn a_copy_that_takes_no_reply_as_long_as_an_entry_is_told_which() {
    run(async {
        let owned = limited(100_000, 100_000).await;
        owned.set(value!({"short": 1, "long": ("x".repeat(99_000))}));
        let asker = crate::support::requester(&owned.home.snapshots);
        let mut refusals = Vec::new();
        // The second asks when it is encoded already.
        for _ in 0..2 {
            let request = value!({"args": {}, "since": {"max_bytes": 70_000}});
            let request = wire::encode(&request, Encoding::MessagePack).unwrap();
            let reply = asker.call(request.into(), None).await.unwrap();
            let refused = SnapshotReply::read(&reply, &Limits::default()).unwrap_err();
            refusals.push(refused.to_string());
        }
        assert_eq!(refusals[0], refusals[1]);
        expect_test::expect![[r#"too_large: an entry has 99010 bytes, and a reply may have 70000, the lower `max_message_bytes` of the owner's replyer and the copy's requester; its key is the text "long""#]].assert_eq(&refusals[0]);
        let copied = Copied::with(&owned.home, Settings { max_reply_bytes: 100_000, ..protocol() });
        copied.catches_up_with(&owned).await;
    });
}

#[test]
fn a_copy_that_takes_no_reply_as_long_as_an_entry_says_so_until_that_is_gone() {
    run(async {
        let owned = limited(200_000, 200_000).await;
        owned.set(value!({"short": 1, "long": ("x".repeat(99_000))}));
        let copied = Copied::with(&owned.home, Settings { max_reply_bytes: 70_000, ..protocol() });
        while copied.figures().counts.failed_asks < 5 {
            tokio::task::yield_now().await;
        }
        let figures = copied.figures();
        assert_eq!((figures.standing.status, figures.standing.number), (Status::Syncing, None));
        let why = figures.in_vain.unwrap();
        assert!(why.contains("too_large") && why.contains(r#"its key is the text "long""#), "{why}");
        owned.change(value!({"long": null}));
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.figures().in_vain, None);
    });
}

#[test]
fn an_entry_that_no_reply_could_carry_is_refused_and_changes_nothing() {
    run(async {
        let owned = limited(1 << 20, 20_000).await;
        owned.change(value!({"long": ("x".repeat(19_700))}));
        let before = (owned.number(), owned.value());
        let refused = owned.try_change(value!({"more": 1, "long": ("x".repeat(20_000))})).unwrap_err();
        expect_test::expect![[r#"too_large: update of `book`: an entry has 20008 bytes, and no reply with the state could carry it, as the `max_message_bytes` of its replyer is 20000; its key is the text "long""#]].assert_eq(&refused.to_string());
        assert_eq!((owned.number(), owned.value()), before);
        let copied = Copied::with(&owned.home, Settings { max_reply_bytes: 20_000, ..protocol() });
        copied.catches_up_with(&owned).await;
    });
}

#[test]
fn a_change_by_hand_that_is_published_as_the_whole_is_as_large_as_that() {
    run(async {
        let owned = limited(10_000, 1 << 20).await;
        for piece in 0..20 {
            let key = format!("key {piece}");
            owned.change(value!({key: ("x".repeat(1_000))}));
        }
        let before = (owned.state.owner().epoch_and_number(), owned.value());
        let refused = owned.by_hand(7, value!({"a": 1})).unwrap_err();
        let text = refused.to_string().replace(&owned.number().to_string(), "(the last number)");
        expect_test::expect!["too_large: update of `book`: 20506 bytes, and its `max_message_bytes` is 10000; its number is not above the last, (the last number), so that the whole state is published with it: give it a number above"].assert_eq(&text);
        assert_eq!((owned.state.owner().epoch_and_number(), owned.value()), before);
        owned.by_hand(owned.number() + 1, value!({"a": 1})).unwrap();
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
    });
}

#[test]
fn an_update_over_the_limit_is_refused_and_changes_nothing() {
    run(async {
        let owned = limited(10_000, 1 << 20).await;
        let number = owned.number();
        let refused = owned.try_change(entries(10, 1_000)).unwrap_err();
        expect_test::expect!["too_large: update of `book`: 10462 bytes, and its `max_message_bytes` is 10000; publish it in several changes"].assert_eq(&refused.to_string());
        assert_eq!((owned.number(), owned.value().len()), (number, 0));
        // In pieces it goes, and is read in pieces.
        for piece in 0..20 {
            let key = format!("key {piece}");
            owned.change(value!({key: ("x".repeat(1_000))}));
        }
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
    });
}
