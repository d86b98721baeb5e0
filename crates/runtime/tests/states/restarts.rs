//! Owners that end and start again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use service_framework_runtime::Service;

use crate::desks::{Asker, Exchange, book, desk, exchange_at, started, until_seen};
use crate::scene::Scene;
use crate::support::{HeldPort, run};

#[test]
fn a_copy_goes_stale_with_its_owner_and_live_again_with_the_next() {
    let ports = RefCell::<BTreeMap<String, HeldPort>>::default();
    let exchange = || {
        let at = |name: &str| ports.borrow_mut().entry(name.into()).or_insert_with(HeldPort::new).address();
        started(Service::of::<Exchange>(exchange_at(at)))
    };
    let (mut first, scene) = (exchange(), Scene::new());
    run(async {
        Asker::of(&first).level("99.5", Some("3")).await;
        let desk = desk(&first, &scene);
        until_seen(&desk, |seen| seen.book_status == "live").await;
        first.stop().expect("it stops");
        let seen = until_seen(&desk, |seen| seen.book_status == "stale").await;
        assert_eq!(seen.book, Some(book(&[("99.5", "3")])), "what was known stays readable");

        let again = exchange();
        let seen = until_seen(&desk, |seen| seen.book_status == "live").await;
        assert_eq!(seen.book, Some(book(&[])), "it starts anew");
        Asker::of(&again).level("100", Some("1")).await;
        let right = book(&[("100", "1")]);
        until_seen(&desk, |seen| seen.book.as_ref() == Some(&right)).await;
    });
}
