//! States of a service that has no types for them, and is declared without attributes.

use expect_test::expect;
use service_framework::prelude::*;
use service_framework::{Content, UntypedChange};

use crate::harness::exported::exported;

/// Without attributes and without types of its own.
struct ByHand;

const ANY_IN: DeltaUpdateIn<Map> = DeltaUpdateIn::new("in");
const ANY_FULL: FullUpdateIn<Value> = FullUpdateIn::new("full");
const ANY_OUT: DeltaUpdateOut<Map> = DeltaUpdateOut::new("out");

impl Serve for ByHand {
    const NAME: &'static str = "by_hand";
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&ANY_OUT);
        service.updated(&ANY_IN).handle_inline(|_: &Self, update: Update<Map>, cx: &Context| {
            match update.content {
                Content::Snapshot(all) => cx.set(&ANY_OUT, &all),
                Content::Change(change) => cx.update(&ANY_OUT, &change),
            }
        });
        service.updated(&ANY_FULL).unread().handle_mut(async |_: &mut Self, _, cx: &Context| {
            let full = cx.state(&ANY_FULL)?.get("a").cloned().unwrap_or_default();
            cx.update(&ANY_OUT, &UntypedChange::new().set("full", full))
        });
        service.replyer("fail").handle_inline(|_: &Self, args: Map, cx: &Context| {
            let tagged: Map = [("__uuid__", true)].into_iter().collect();
            match args.get("whole") {
                Some(_) => cx.set(&ANY_OUT, &tagged),
                None => cx.update(&ANY_OUT, &UntypedChange::from(tagged)),
            }
        });
        service
            .replyer("out")
            .handle_inline(|_: &Self, _: Empty, cx: &Context| Ok(cx.state(&ANY_OUT)?.clone()));
    }
}

exported!(ByHand);

#[test]
fn states_go_without_types_and_attributes() {
    let harness = Harness::<ByHand>::new(()).unwrap();
    harness.set_state(&ANY_IN, &[("a", 1), ("b", 2)].into_iter().collect()).unwrap();
    harness.update_state(&ANY_IN, &UntypedChange::new().remove("b").set("c", 3)).unwrap();
    harness.set_state(&ANY_FULL, &value!({"a": [1, 2]})).unwrap();
    let out: Value = harness.request("out", &()).unwrap();
    assert_eq!(out, value!({"a": 1, "c": 3, "full": [1, 2]}));
    assert_eq!(harness.updates(&ANY_OUT).len(), 4);
    let change = harness.sent("out")[2].args.clone();
    assert_eq!(change, value!({"is_snapshot": false, "state": {"b": null, "c": 3}}));
}

#[test]
fn what_cannot_be_published_does_not_change_the_value() {
    let harness = Harness::<ByHand>::new(()).unwrap();
    for args in [value!({}), value!({"whole": true})] {
        let failure = harness.request::<_, Value>("fail", &args).unwrap_err();
        expect!["failed: cannot send by `out`: args: the key `__uuid__` marks a UUID on the wire"]
            .assert_eq(&failure.to_string());
    }
    assert_eq!(harness.request::<_, Value>("out", &()).unwrap(), value!({}));
    assert_eq!(harness.updates(&ANY_OUT).len(), 1);
}
