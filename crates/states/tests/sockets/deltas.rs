//! Copies of delta states: early and late, through changes, removals and lost updates.

use std::time::Duration;

use service_framework_core::wire::{self, Encoding};
use service_framework_core::{Value, value};
use service_framework_states::delta::reader::Status;

use crate::support::{Copied, Owned, Way, run};

#[test]
fn a_late_reader_has_the_state_without_an_update() {
    run(async {
        let owned = Owned::start(None).await;
        owned.set(value!({"apples": 3, "pears": 1}));
        owned.change(value!({"pears": null, "plums": 7}));
        let number = owned.number();
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        assert_eq!(owned.number(), number, "nothing was published for it");
        assert_eq!(copied.seen.value().len(), 2);
    });
}

#[test]
fn changes_arrive_in_order_each_once() {
    run(async {
        let owned = Owned::start(None).await;
        let copied = Copied::of(&owned.home);
        copied.is(Status::Live).await;
        for number in 0..1_000 {
            owned.change(
                value!({"count": number, "even": (if number % 2 == 0 { Some(number) } else { None })}),
            );
            if number % 100 == 0 {
                copied.catches_up_with(&owned).await;
            }
        }
        copied.catches_up_with(&owned).await;
        let counts = copied.figures().counts;
        assert_eq!((counts.gaps, counts.bad_digest, counts.refused), (0, 0, 0));
        assert_eq!(copied.seen.value().len(), 1, "the last number was odd");
    });
}

/// Updates are lost one by one on the way.
#[test]
fn one_update_of_a_hundred_is_lost_and_asked_for_once() {
    run(async {
        let owned = Owned::start(Some(Duration::from_millis(20))).await;
        let way = Way::from(&owned, |position| position % 100 == 99).await;
        let copied = Copied::of(&way.home);
        copied.is(Status::Live).await;
        let asked_before = copied.figures().counts.asks;
        for number in 0..5_000 {
            owned.change(value!({"count": number}));
            // What is published at once is read at once, and its gaps are asked for together.
            if number % 10 == 0 {
                tokio::task::yield_now().await;
            }
        }
        copied.catches_up_with(&owned).await;
        let asks = copied.figures().counts.asks - asked_before;
        assert!(way.lost.get() > 0 && asks <= way.lost.get(), "{asks} for {}", way.lost.get());
    });
}

#[test]
fn a_lost_last_message_is_noticed_by_the_next_heartbeat() {
    run(async {
        let owned = Owned::start(Some(Duration::from_millis(50))).await;
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        let way = Way::from(&owned, |position| position == 0).await;
        let behind = Copied::of(&way.home);
        behind.is(Status::Live).await;
        owned.change(value!({"last": 1}));
        behind.until(|copied| copied.seen.value() == owned.value()).await;
        behind.is(Status::Live).await;
        assert_eq!(way.lost.get(), 1);
    });
}

#[test]
fn an_owner_may_go_over_to_numbers_of_its_own() {
    run(async {
        let owned = Owned::start(Some(Duration::from_millis(50))).await;
        owned.set(value!({"start": 1}));
        let copied = Copied::of(&owned.home);
        copied.catches_up_with(&owned).await;
        owned.by_hand(7, value!({"a": 1})).unwrap();
        copied.catches_up_with(&owned).await;
        assert_eq!((owned.number(), copied.seen.value().len()), (7, 2));
        owned.by_hand(8, value!({"start": null})).unwrap();
        copied.catches_up_with(&owned).await;
        let refused = owned.by_hand(8, value!({"a": 2})).unwrap_err();
        assert!(
            refused.message().contains("the change has the number 8, and must have one above 8"),
            "{refused}"
        );
        assert_eq!(copied.seen.value().len(), 1);
    });
}

#[test]
fn what_is_published_when_nobody_sends_any_more_is_refused() {
    run(async {
        let owned = Owned::start(None).await;
        let owner = std::sync::Arc::clone(owned.state.owner());
        owned.close().await;
        let args = value!({"state": {"a": 1}, "is_snapshot": false});
        let args = wire::encode(&args, Default::default()).unwrap();
        let refused = owner.publish(&args, &service_framework_core::workflow::WorkflowId::new()).unwrap_err();
        assert_eq!(refused.code(), "stopping");
    });
}

/// The author's type takes 1.0 and 1.00 for one key.
#[test]
fn decimals_that_are_equal_are_one_key_for_owner_and_copy() {
    run(async {
        let owned = Owned::start(None).await;
        let copied = Copied::of(&owned.home);
        let entry = |key: &str, value: Option<i64>| {
            Value::Map([(Value::Decimal(key.parse().unwrap()), Value::from(value))].into_iter().collect())
        };
        owned.set(entry("1.0", Some(1)));
        owned.change(entry("1.00", Some(2)));
        owned.change(entry("0.50", Some(3)));
        copied.catches_up_with(&owned).await;
        assert_eq!(copied.seen.value().len(), 2);
        owned.change(entry("10E-1", None));
        copied.catches_up_with(&owned).await;
        let left = wire::encode(&Value::Decimal("0.5".parse().unwrap()), Encoding::MessagePack).unwrap();
        assert_eq!(copied.seen.value(), [(left, vec![3])].into());
        assert_eq!(copied.figures().unreadable, 0);
    });
}
