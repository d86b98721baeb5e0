//! Owners that end and start again.

use crate::desks::{Asker, Exchange, book, desk, exchange, exchange_at, started, until_seen};
use crate::scene::Scene;
use crate::support::run;

use service_framework_runtime::Service;

#[test]
fn a_copy_goes_stale_with_its_owner_and_live_again_with_the_next() {
    let (mut exchange, scene) = (exchange(), Scene::new());
    run(async {
        Asker::of(&exchange).level("99.5", Some("3")).await;
        let desk = desk(&exchange, &scene);
        until_seen(&desk, |seen| seen.book_status == "live").await;
        let endpoints = exchange.endpoints();
        exchange.stop().expect("it stops");
        let seen = until_seen(&desk, |seen| seen.book_status == "stale").await;
        assert_eq!(seen.book, Some(book(&[("99.5", "3")])), "what was known stays readable");

        let again = started(Service::of::<Exchange>(exchange_at(|name| endpoints[name].to_string())));
        let seen = until_seen(&desk, |seen| seen.book_status == "live").await;
        assert_eq!(seen.book, Some(book(&[])), "it starts anew");
        Asker::of(&again).level("100", Some("1")).await;
        let right = book(&[("100", "1")]);
        until_seen(&desk, |seen| seen.book.as_ref() == Some(&right)).await;
    });
}
