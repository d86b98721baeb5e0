//! What copies see of what owners do.

use crate::desks::{Asker, Market, Seen, Summary, book, desk, exchange, until_seen};
use crate::scene::Scene;
use crate::support::{Client, address, run};

use service_framework::value;

#[test]
fn a_copy_has_what_its_owner_has_before_and_after_it_came() {
    let (exchange, scene) = (exchange(), Scene::new());
    run(async {
        let asker = Asker::of(&exchange);
        asker.level("99.5", Some("3")).await;
        asker.level("100", Some("1.25")).await;
        let desk = desk(&exchange, &scene);
        let are_live = |seen: &Seen| seen.book_status == "live" && seen.market_status == "live";
        let seen = until_seen(&desk, are_live).await;
        assert_eq!(seen.book, Some(book(&[("99.5", "3"), ("100", "1.25")])));
        assert_eq!(seen.market, Some(Market::default()), "what it starts with");

        asker.level("100", None).await;
        asker.trade(7, Some("thin")).await;
        let right = book(&[("99.5", "3")]);
        let seen = until_seen(&desk, |seen| seen.book.as_ref() == Some(&right)).await;
        assert_eq!(seen.book_status, "live");
        let market = Market { volume: 7, note: Some("thin".into()), ..Market::default() };
        until_seen(&desk, |seen| seen.market.as_ref() == Some(&market)).await;
        asker.trade(8, None).await;
        until_seen(&desk, |seen| seen.market == Some(Market { volume: 8, ..Market::default() })).await;
    });
}

#[test]
fn a_full_state_comes_whole() {
    let (exchange, scene) = (exchange(), Scene::new());
    run(async {
        let asker = Asker::of(&exchange);
        let desk = desk(&exchange, &scene);
        let seen = until_seen(&desk, |seen| seen.book_status == "live").await;
        assert_eq!((seen.summary, &*seen.summary_status), (None, "syncing"));
        let mut levels = 0;
        let seen = loop {
            levels += 1;
            asker.level(&levels.to_string(), Some("1")).await;
            let seen = until_seen(&desk, |_| true).await;
            if seen.summary.is_some() {
                break seen;
            }
        };
        assert_eq!(seen.summary_status, "live");
        let last = Summary { levels };
        until_seen(&desk, |seen| seen.summary.as_ref() == Some(&last)).await;
    });
}

#[test]
fn a_handler_waits_for_a_copy() {
    let scene = Scene::new();
    run(async {
        let exchange = exchange();
        let desk = desk(&exchange, &scene);
        Client::to(&address(&desk, "when_live")).ask(value!({})).await.ok();
        let seen = until_seen(&desk, |_| true).await;
        assert!(seen.book.is_some());
    });
}
