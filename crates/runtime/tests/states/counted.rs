//! What is told of states: counters, and what is refused before anything is opened.

use crate::desks::{Asker, Desk, desk, desk_that_takes, exchange, until_seen};
use crate::scene::Scene;
use crate::support::{run, until, wired};

use service_framework::value;
use service_framework_core::declaration::StateKind;
use service_framework_runtime::{Error, Options, Service, StateCounters, Status};

#[test]
fn the_counters_of_a_service_tell_of_its_states() {
    let (exchange, scene) = (exchange(), Scene::new());
    run(async {
        let desk = desk(&exchange, &scene);
        until_seen(&desk, |seen| seen.book_status == "live").await;
        Asker::of(&exchange).level("99.5", Some("3")).await;
        until_seen(&desk, |seen| seen.book.as_ref().is_some_and(|book| book.len() == 1)).await;
        let of = |service: &Service| service.counters().states["book"].clone();
        until("both have the same number", || of(&exchange).number == of(&desk).number);
        let (owned, copied) = (of(&exchange), of(&desk));
        assert_eq!((owned.kind, owned.entries, owned.status), (StateKind::DeltaUpdateOut, 1, None));
        assert_eq!((copied.kind, copied.entries, copied.lag), (StateKind::DeltaUpdateIn, 1, 0));
        assert!(matches!(copied.status, Some((Status::Live, _))), "{copied:?}");
        assert!(copied.counts.applied > 0 && copied.updates.messages_in > 0, "{copied:?}");
        assert!(owned.snapshots > 0 && owned.snapshots == copied.snapshots, "{owned:?} {copied:?}");
        let socket = |of: &StateCounters| of.snapshot_socket.clone().expect("a delta state has one");
        until("its peer is told of", || socket(&of(&exchange)).peers.busiest.len() == 1);
        let (asked, asks) = (socket(&of(&exchange)), socket(&of(&desk)));
        assert_eq!((asked.messages_in, asked.connected), (owned.snapshots, 1));
        assert_eq!((asks.messages_out, asks.connected), (copied.snapshots, 1));
        let json: serde_json::Value = serde_json::from_str(&exchange.counters().to_json()).unwrap();
        assert_eq!(json["states"]["book"]["snapshot_socket"]["connected"], 1, "{json}");
        let json = desk.counters().to_json();
        assert!(json.contains(r#""states":{"#) && json.contains(r#""status":"live""#), "{json}");
    });
}

#[test]
fn the_counters_say_why_a_copy_cannot_have_the_whole() {
    let (exchange, scene) = (exchange(), Scene::new());
    run(async {
        let long = "9".repeat(50_000);
        Asker::of(&exchange).level("level", Some(&long)).await;
        let desk = desk_that_takes(&exchange, &scene, 40_000);
        let of = || serde_json::from_str::<serde_json::Value>(&desk.counters().to_json()).unwrap();
        until("it has asked in vain", || of()["states"]["book"]["resync_failure"].is_string());
        let book = &of()["states"]["book"];
        let why = book["resync_failure"].as_str().unwrap();
        assert!(why.contains("an entry has 50") && why.contains(r#"its key is the text "level""#), "{book}");
        assert!(book["failed_resyncs"].as_u64().unwrap() > 0 && book["status"] == "syncing", "{book}");
        Asker::of(&exchange).level("level", None).await;
        until_seen(&desk, |seen| seen.book_status == "live").await;
        assert!(of()["states"]["book"]["resync_failure"].is_null());
    });
}

#[test]
fn a_state_without_addresses_is_refused_before_anything_is_opened() {
    let addresses = value!({
        "connections": {"in": {"seen": {"replyer": "127.0.0.1:0"}, "when_live": {"replyer": "127.0.0.1:0"}}},
        "states": {"in": {"book": {"subscriber": "127.0.0.1:9001"}, "market": {}}},
    });
    let options = Options { config: Scene::new().config().into(), ..wired(addresses) };
    let Err(Error::Refused(problems)) = Service::of::<Desk>(options).start() else { panic!("it starts") };
    expect_test::expect![[r#"
        the addresses of the program: state `book` has no `requester`: write "requester": "HOST:PORT", too
        the addresses of the program: state `market` has no address: write {"subscriber": "HOST:PORT", "requester": "HOST:PORT"}
        the addresses of the program: state `summary` has no address: write "summary": {"subscriber": "HOST:PORT"} under `states`, `in`"#]].assert_eq(&problems.to_string());
}
