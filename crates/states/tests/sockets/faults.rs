//! Owners that end, start again, or are two.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use service_framework_core::value;
use service_framework_states::delta::reader::{Settings, Status};

use crate::support::{Copied, Home, Owned, Place, Way, any_port, protocol, publisher, run, subscriber};

/// An owner is restarted: its numbers begin anew, and so does its epoch.
#[test]
fn a_copy_goes_stale_with_its_owner_and_live_with_the_next() {
    run(async {
        let (updates, snapshots) = (Place::new(), Place::new());
        let home = Home { updates: updates.address.clone(), snapshots: snapshots.address.clone() };
        let owned = Owned::start_at(&home, Some(Duration::from_millis(50))).await;
        owned.set(value!({"before": 1}));
        let copied = Copied::of(&home);
        copied.catches_up_with(&owned).await;
        owned.close().await;
        copied.is(Status::Stale).await;
        assert_eq!(copied.seen.value().len(), 1, "what was known stays readable");

        let again = Owned::start_at(&home, Some(Duration::from_millis(50))).await;
        again.set(value!({"after": 1, "more": 2}));
        copied.catches_up_with(&again).await;
    });
}

#[test]
fn an_owner_that_misses_its_own_heartbeats_is_stale_though_its_connection_is_there() {
    run(async {
        let owned = Owned::start(Some(Duration::from_millis(50))).await;
        owned.set(value!({"a": 1}));
        let is_mute = Rc::new(Cell::new(false));
        let mute = Rc::clone(&is_mute);
        let way = Way::from(&owned, move |_| mute.get()).await;
        let copied = Copied::of(&way.home);
        copied.is(Status::Live).await;
        is_mute.set(true);
        copied.is(Status::Stale).await;
        owned.change(value!({"a": 2}));
        is_mute.set(false);
        copied.until(|copied| copied.seen.value() == owned.value()).await;
        copied.is(Status::Live).await;
    });
}

#[test]
fn an_owner_that_may_be_silent_is_not_stale_for_that() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"a": 1}));
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        let expecting = Settings { patience: Some(Duration::from_millis(50)), ..protocol() };
        let expecting = Copied::with(&owned.home, expecting);
        expecting.catches_up_with(&owned).await;
        expecting.is(Status::Stale).await;
        assert_eq!(copied.seen.status(), Status::Live);
        owned.change(value!({"a": 2}));
        expecting.catches_up_with(&owned).await;
        copied.catches_up_with(&owned).await;
    });
}

#[test]
fn updates_of_a_second_owner_leave_the_copy_whole() {
    run(async {
        let owned = Owned::start(Some(Duration::from_millis(20))).await;
        let stranger = Owned::start(Some(Duration::from_millis(20))).await;
        owned.set(value!({"owner": "ours"}));
        stranger.set(value!({"owner": "another"}));
        // Both publish where the copy listens; the replyer is that of one.
        let out = Rc::new(publisher(&any_port()).await);
        for from in [&owned, &stranger] {
            let (from, to) = (subscriber(&from.home.updates), Rc::clone(&out));
            tokio::task::spawn_local(async move {
                loop {
                    to.publish(from.recv().await);
                }
            });
        }
        let home = Home { updates: out.address().clone(), snapshots: owned.home.snapshots.clone() };
        let wrong = Rc::new(Cell::new(false));
        let seen = Rc::clone(&wrong);
        let copied = Copied::judging(&home, protocol(), move |entries| {
            seen.set(seen.get() | entries.values().any(|value| value.ends_with(b"another")));
            Ok(())
        });
        copied.is(Status::Live).await;
        for number in 0..200 {
            owned.change(value!({"count": number}));
            stranger.change(value!({"count": (-number)}));
            tokio::task::yield_now().await;
        }
        copied.until(|copied| copied.figures().counts.other_owner > 0).await;
        copied.until(|copied| copied.seen.value() == owned.value()).await;
        assert!(!wrong.get(), "no value of the other owner was ever in the copy");
    });
}
