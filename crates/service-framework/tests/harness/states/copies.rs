//! Copies, which a test feeds in the place of their owners.

use expect_test::expect;
use service_framework::UntypedChange;
use service_framework::prelude::*;

use super::desk::{
    BOOK, BookChange, LEVELS, Levels, SUMMARY, Seen, Summary, ask, best_usd, book, desk, see, told,
};
use crate::harness::exported::exported;

#[test]
fn a_copy_has_no_value_before_it_is_fed() {
    let desk = desk();
    assert_eq!(see(&desk), Seen { best_usd: None, status: "syncing".into(), number: None, since_s: 0 });
    expect!["failed: unavailable: state `book` has no value yet: it is syncing; `cx.live(..)` waits for it"]
        .assert_eq(&ask(&desk, "best").unwrap_err().to_string());
}

#[test]
fn a_copy_has_what_it_was_fed() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    assert_eq!(ask(&desk, "best").unwrap(), value!({"best_usd": 5}));
    desk.update_state(&BOOK, &best_usd(6)).unwrap();
    desk.advance(Duration::from_secs(3)).unwrap();
    assert_eq!(see(&desk), Seen { best_usd: Some(6), status: "live".into(), number: Some(1), since_s: 5 });
}

#[test]
fn a_stale_copy_is_lent_and_says_so() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    desk.set_status(&BOOK, Status::Stale).unwrap();
    desk.advance(Duration::from_secs(3)).unwrap();
    assert_eq!(see(&desk), Seen { best_usd: Some(5), status: "stale".into(), number: Some(0), since_s: 3 });
    desk.set_status(&BOOK, Status::Live).unwrap();
    assert_eq!(see(&desk).status, "live");
}

#[test]
fn a_refused_change_leaves_the_copy_as_it_was() {
    // As the owner of another model would publish it.
    const OTHER: DeltaUpdateIn<Map> = DeltaUpdateIn::new("book");
    let desk = desk();
    let change = UntypedChange::new().set("best_usd", 6);
    let refused = desk.update_state(&OTHER, &change).unwrap_err();
    expect!["bad_args: a change of a value that there is not"].assert_eq(&refused.to_string());
    desk.set_state(&BOOK, &book(5)).unwrap();
    let before = see(&desk);
    let refused = desk.update_state(&OTHER, &change.clone().remove("best_usd").set("lot", 9)).unwrap_err();
    expect!["bad_args: args.state.best_usd: expected an integer from 0 to 4294967295, got null"]
        .assert_eq(&refused.to_string());
    let refused = desk.update_state(&OTHER, &change.set("nte", "x")).unwrap_err();
    expect!["bad_args: args.state.nte is unknown, did you mean `note`?"].assert_eq(&refused.to_string());
    let refused = desk.set_state(&OTHER, &Map::new()).unwrap_err();
    expect!["bad_args: args.state.best_usd is missing"].assert_eq(&refused.to_string());
    assert_eq!(see(&desk), before);
    desk.update_state(&BOOK, &best_usd(7)).unwrap();
    assert_eq!(see(&desk).number, Some(1));
    expect![[r#"{"told":"0: all, best 5; 1: Some(7) Keep","alone":0}"#]].assert_eq(&told(&desk));
}

#[test]
fn what_is_lent_does_not_change() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    ask(&desk, "borrow").unwrap();
    desk.update_state(&BOOK, &best_usd(6)).unwrap();
    desk.update_state(&BOOK, &best_usd(7)).unwrap();
    assert_eq!(ask(&desk, "borrowed").unwrap(), value!({"best_usd": 5}));
    assert_eq!(ask(&desk, "best").unwrap(), value!({"best_usd": 7}));
}

#[test]
fn a_handler_waits_until_a_copy_is_live() {
    for replyer in ["best_when_live", "best_within_an_hour", "best_blocking"] {
        let desk = desk();
        let waiting = desk.start::<_, Value>(replyer, &()).unwrap();
        let another = desk.start::<_, Value>(replyer, &()).unwrap();
        desk.settle().unwrap();
        desk.set_status(&BOOK, Status::Stale).unwrap();
        desk.settle().unwrap();
        assert!(!waiting.is_done(), "{replyer}");
        desk.set_state(&BOOK, &book(5)).unwrap();
        assert_eq!(waiting.wait().unwrap(), value!({"best_usd": 5}), "{replyer}");
        assert_eq!(another.wait().unwrap(), value!({"best_usd": 5}), "{replyer}");
        assert!(desk.elapsed() < Duration::from_secs(3600), "{replyer}");
        assert_eq!(ask(&desk, replyer).unwrap(), value!({"best_usd": 5}), "{replyer}: it is live already");
    }
}

#[test]
fn who_waits_for_a_copy_may_give_up() {
    let desk = desk();
    for replyer in ["best_within_an_hour", "best_blocking"] {
        assert_eq!(ask(&desk, replyer).unwrap_err().code(), "failed");
    }
    assert_eq!(desk.elapsed(), Duration::from_secs(7200));
    let hurried = desk.message("best_when_live", &()).deadline(Duration::from_secs(1)).request::<Value>();
    assert_eq!(hurried.unwrap_err().code(), "deadline");
    desk.set_state(&BOOK, &book(5)).unwrap();
}

#[test]
fn a_copy_that_is_never_live_is_named() {
    let desk = desk();
    desk.set_patience(Duration::from_millis(10));
    desk.set_state(&LEVELS, &Levels::new()).unwrap();
    expect!["failed: `best_when_live` has not ended for 10ms: it waits for something outside of the harness, or for a copy to be live (`book`, `summary`): `harness.set_state(..)`"].assert_eq(&ask(&desk, "best_when_live").unwrap_err().to_string());
}

#[test]
fn a_handler_is_called_after_each_update() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    desk.update_state(&BOOK, &best_usd(6)).unwrap();
    desk.update_state(&BOOK, &BookChange { note: Edit::Remove, ..Default::default() }).unwrap();
    desk.set_state(&LEVELS, &Levels::from([(1, 2)])).unwrap();
    desk.update_state(&LEVELS, &MapChange::new().remove(1u64)).unwrap();
    desk.set_state(&SUMMARY, &Summary { open: 4 }).unwrap();
    expect![[r#"{"told":"0: all, best 5; 1: Some(6) Keep; 2: None Remove; summary 4 of 4","alone":2}"#]]
        .assert_eq(&told(&desk));
    assert_eq!(desk.elapsed(), Duration::from_secs(4));
}

#[test]
fn a_failed_handler_is_told_and_the_copy_goes_on() {
    let desk = desk();
    desk.set_state(&BOOK, &book(5)).unwrap();
    let failure = desk.update_state(&BOOK, &best_usd(13)).unwrap_err();
    expect!["failed: no 13 here"].assert_eq(&failure.to_string());
    assert_eq!(see(&desk).best_usd, Some(13));
}

#[test]
fn a_port_that_is_not_used_says_so() {
    let failure = ask(&desk(), "stranger").unwrap_err();
    expect![[r#"
        failed: failed: service `service-framework` declares no connection or state `bok`: name its port in `#[service(uses(..))]`, did you mean `book`?
        failed: state `book` is declared by another port, which has another type"#]]
    .assert_eq(&failure.to_string());
}

#[test]
#[should_panic = "uses no state `bok`"]
fn a_state_that_is_not_used_is_a_mistake_of_the_test() {
    const STRANGER: DeltaUpdateIn<Levels> = DeltaUpdateIn::new("bok");
    _ = desk().set_state(&STRANGER, &Levels::new());
}

#[test]
fn a_copy_that_init_waits_for_is_fed_before() {
    struct Patient;

    #[service(uses(BOOK))]
    impl Patient {
        fn new() -> Result<Self> {
            Ok(Self)
        }

        async fn init(&self, cx: &Context) -> Result<()> {
            cx.timeout(Duration::from_secs(5), cx.live(&BOOK)).await?
        }
    }

    exported!(Patient);
    let patient = Harness::<Patient>::new(()).unwrap();
    patient.set_state(&BOOK, &book(5)).unwrap();
    patient.init().unwrap();
    let failure = Harness::<Patient>::new(()).unwrap().init().unwrap_err();
    assert_eq!(failure.code(), "failed");
}
