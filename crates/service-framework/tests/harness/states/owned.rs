//! States that a service owns: what it publishes of them, and what it has itself.

use expect_test::expect;
use service_framework::prelude::*;

use super::desk::{Book, BookChange, COUNTS, Desk, Levels, MINE, Summary, TOTAL, ask, desk};
use crate::harness::exported::exported;

#[test]
fn an_own_state_is_published_from_its_start() {
    let desk = desk();
    let start = Book { best_usd: 10, note: None, lot: 5 };
    assert_eq!(desk.updates(&MINE), [Update::snapshot(0, start)]);
    assert_eq!(desk.updates(&COUNTS), [Update::snapshot(0, Levels::new())]);
    assert_eq!(desk.values(&TOTAL), [], "a full one has no value before it is set");
}

#[test]
fn an_own_state_is_published_by_its_changes() {
    let desk = desk();
    let () =
        desk.message("trade", &value!({"best_usd": 11, "note": null})).workflow_id("w").request().unwrap();
    let () = desk.request("trade", &value!({})).unwrap();
    let removed = BookChange { best_usd: Some(11), note: Edit::Remove, ..Default::default() };
    let updates = desk.updates(&MINE);
    assert_eq!(updates[1..], [Update::change(1, removed), Update::change(2, BookChange::default())]);
    assert_eq!(
        desk.updates(&COUNTS)[1..],
        [
            Update::change(1, MapChange::new().set(1u64, 0u32)),
            Update::change(2, MapChange::new().set(1u64, 1u32))
        ]
    );
    assert_eq!(desk.values(&TOTAL), [Summary { open: 1 }, Summary { open: 2 }]);
    assert_eq!(ask(&desk, "mine").unwrap(), value!({"best_usd": 11, "lot": 5}));
    let sent = &desk.sent("total")[0];
    assert_eq!((sent.topic.as_deref(), &*sent.workflow_id), (Some("desk"), "w_2"));
}

#[test]
fn an_own_state_is_set_whole() {
    let desk = desk();
    ask(&desk, "anew").unwrap();
    let anew = Book { best_usd: 1, note: Some("new".into()), lot: 2 };
    assert_eq!(desk.updates(&MINE)[1..], [Update::snapshot(1, anew)]);
    assert_eq!(ask(&desk, "mine").unwrap(), value!({"best_usd": 1, "lot": 2}));
}

#[test]
fn an_author_may_number_by_hand() {
    let desk = desk();
    ask(&desk, "numbered").unwrap();
    ask(&desk, "anew").unwrap();
    let numbers: Vec<_> = desk.updates(&MINE).iter().map(|update| update.current_num).collect();
    assert_eq!(numbers, [0, 70, -5, -4]);
    let snapshots: Vec<_> = desk.updates(&MINE).iter().map(|update| update.content.is_snapshot()).collect();
    assert_eq!(snapshots, [true, false, true, true]);
}

#[track_caller]
fn send(desk: &Harness<Desk>, name: &str, args: Value) -> Result<Value> {
    let mut map = Map::new();
    map.insert("name", name);
    map.insert("args", args);
    desk.request("by_name", &map)
}

#[test]
fn an_own_state_is_published_by_its_name() {
    let desk = desk();
    send(&desk, "mine", value!({"state": {"best_usd": 2}, "is_snapshot": false})).unwrap();
    send(&desk, "mine", value!({"state": {"lot": null}, "is_snapshot": false, "current_num": 9})).unwrap();
    assert_eq!(ask(&desk, "mine").unwrap(), value!({"best_usd": 2, "lot": 1}));
    assert_eq!(desk.updates(&MINE).last().unwrap().current_num, 9);
    send(&desk, "total", value!({"open": 4})).unwrap();
    assert_eq!(desk.values(&TOTAL), [Summary { open: 4 }]);
    let refused =
        send(&desk, "mine", value!({"state": {"best_usd": null}, "is_snapshot": false})).unwrap_err();
    expect![
        "failed: bad_args: `mine`: args.state.best_usd: expected an integer from 0 to 4294967295, got null"
    ]
    .assert_eq(&refused.to_string());
    let refused = send(&desk, "mine", value!({"is_snapshot": false})).unwrap_err();
    expect!["failed: bad_args: `mine`: args.state is missing"].assert_eq(&refused.to_string());
    let refused = send(&desk, "book", value!({})).unwrap_err();
    expect!["failed: `book` is a delta_update_in, which its owner alone changes"]
        .assert_eq(&refused.to_string());
    let refused = send(&desk, "min", value!({})).unwrap_err();
    expect!["failed: service `service-framework` declares no connection or state `min`: name its port in `#[service(uses(..))]`, did you mean `mine`?"]
        .assert_eq(&refused.to_string());
}
#[test]
fn a_state_that_is_no_map_does_not_start() {
    const NULL: DeltaUpdateOut<Value> = DeltaUpdateOut::new("null");
    struct Null;

    #[service(uses(NULL))]
    impl Null {
        fn new() -> Result<Self> {
            Ok(Self)
        }
    }

    exported!(Null);
    let failure = Harness::<Null>::new(()).unwrap_err();
    expect!["failed: new: state `null`: cannot send by `null`: args: expected a map, as the value of a state is one, got null"].assert_eq(&failure.to_string());
}
