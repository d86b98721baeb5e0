//! Large states: in parts, for many at once, and while they change.

use std::time::Duration;

use service_framework_core::failure::Failure;
use service_framework_core::value;
use service_framework_core::wire::Limits;
use service_framework_states::OwnerOptions;
use service_framework_states::delta::reader::{Settings, Status};

use crate::support::{Copied, Home, Owned, any_port, entries, protocol, run};

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
        assert_eq!(copied.figures().counts.asks, 1, "the parts of one snapshot are one request");
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

#[test]
fn two_hundred_readers_join_at_once() {
    run(async {
        let owned = Owned::start(Some(Duration::from_secs(1))).await;
        owned.set(entries(1_000, 1_000));
        let copies: Vec<Copied> = (0..200).map(|_| Copied::of(&owned.home)).collect();
        for copied in &copies {
            copied.is(Status::Live).await;
            assert_eq!(copied.seen.value(), owned.value());
        }
    });
}

#[test]
fn a_snapshot_and_the_updates_around_it_are_cut_at_one_number() {
    run(async {
        let owned = Owned::start(Some(Duration::from_millis(50))).await;
        owned.set(entries(1_000, 100));
        owned.change(value!({"one": 0, "other": 0}));
        // The two always change together, so that what is torn would be seen; that nothing is missing or doubled, the digest of each update says.
        let copied = Copied::judging(&owned.home, protocol(), |entries| {
            let of = |key: &str| {
                let key = service_framework_core::wire::encode(
                    &service_framework_core::Value::from(key),
                    service_framework_core::wire::Encoding::MessagePack,
                );
                entries.get(&key.unwrap()).cloned()
            };
            if of("one") == of("other") { Ok(()) } else { Err(Failure::msg("torn")) }
        });
        for number in 1..=50_000 {
            owned.change(value!({"one": number, "other": number}));
            if number % 50 == 0 {
                tokio::task::yield_now().await;
            }
        }
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.figures().counts.refused, 0);
        assert_eq!(copied.figures().counts.bad_digest, 0);
    });
}

#[test]
fn an_update_over_the_limit_is_refused_and_changes_nothing() {
    run(async {
        let home = Home { updates: any_port(), snapshots: any_port() };
        let limits = Limits { max_message_bytes: 10_000, ..Limits::default() };
        let options = OwnerOptions { name: "book".into(), limits, ..Default::default() };
        let owned = Owned::with(&home, options, Limits::default()).await;
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
