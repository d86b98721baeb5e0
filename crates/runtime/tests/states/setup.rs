//! What `setup_states` gives: settings that come from the config, over those of the attribute.

use std::collections::BTreeMap;
use std::net::TcpListener;

use service_framework::prelude::*;
use service_framework_runtime::{Error as Failed, Options, Service};

use crate::desks::started;
use crate::support::{Client, address, run, until_async, wired};

type Prices = BTreeMap<String, u32>;

#[derive(Model, Clone, Debug, PartialEq)]
struct Last {
    usd: u32,
}

/// What decides on the topics.
#[derive(Model)]
struct Config {
    market: String,
    /// What `setup_states` gives instead.
    gives: Option<Value>,
    fails: Option<String>,
}

fn of_market(config: Config) -> Result<Map> {
    if let Some(why) = config.fails {
        return Err(Error::msg(why));
    }
    let topic = config.market;
    let all = value!({"prices": {"topic": (topic.as_str())}, "last": {"topic": (format!("{topic}.last"))}});
    Ok(config.gives.unwrap_or(all).as_map().cloned().unwrap_or_default())
}

mod ticker {
    use super::*;

    const PRICES: DeltaUpdateOut<Prices> = DeltaUpdateOut::new("prices").topic("ours").heartbeat_s(0.05);
    const LAST: FullUpdateOut<Last> = FullUpdateOut::new("last").topic("ours");

    /// Owns prices of one market.
    pub(super) struct Ticker;

    #[service(uses(PRICES, LAST))]
    impl Ticker {
        fn new(_: Config) -> Result<Self> {
            Ok(Self)
        }

        fn setup_states(config: Config) -> Result<Map> {
            of_market(config)
        }

        #[replyer]
        fn trade(&self, args: Last, cx: &Context) -> Result<()> {
            cx.update(&PRICES, &MapChange::new().set("last", args.usd))?;
            cx.set(&LAST, &args)
        }
    }

    service_framework::link!(Ticker);
}

mod board {
    use super::*;

    const PRICES: DeltaUpdateIn<Prices> = DeltaUpdateIn::new("prices").topic("theirs");
    const LAST: FullUpdateIn<Last> = FullUpdateIn::new("last").topic("theirs");

    /// Has copies of prices of one market.
    pub(super) struct Board;

    #[service(uses(PRICES, LAST))]
    impl Board {
        fn new(_: Config) -> Result<Self> {
            Ok(Self)
        }

        fn setup_states(config: Config) -> Result<Map> {
            of_market(config)
        }

        #[replyer]
        fn shown(&self, cx: &Context) -> Result<Value> {
            let last = cx.state(&LAST).ok().map(|last| last.usd);
            let price = cx.state(&PRICES).ok().and_then(|prices| prices.get("last").copied());
            Ok(value!({"last": last, "price": price}))
        }
    }

    service_framework::link!(Board);
}

fn ticker(config: Value, updates: &str) -> Service {
    let addresses = value!({
        "connections": {"in": {"trade": {"replyer": "127.0.0.1:0"}}},
        "states": {"out": {
            "prices": {"publisher": updates, "replyer": "127.0.0.1:0"},
            "last": {"publisher": "127.0.0.1:0"},
        }},
    });
    Service::of::<ticker::Ticker>(Options { config: config.into(), ..wired(addresses) })
}

fn board(config: Value, ticker: &Service) -> Service {
    let at = |name: &str| Value::from(address(ticker, name).to_string());
    let addresses = value!({
        "connections": {"in": {"shown": {"replyer": "127.0.0.1:0"}}},
        "states": {"in": {
            "prices": {"subscriber": (at("prices.publisher")), "requester": (at("prices.replyer"))},
            "last": {"subscriber": (at("last.publisher"))},
        }},
    });
    Service::of::<board::Board>(Options { config: config.into(), ..wired(addresses) })
}

#[test]
fn two_services_meet_at_the_topics_that_their_configs_say() {
    run(async {
        let ticker = started(ticker(value!({"market": "BTC-USD"}), "127.0.0.1:0"));
        let board = started(board(value!({"market": "BTC-USD"}), &ticker));
        Client::to(&address(&ticker, "trade")).ask(value!({"usd": 7})).await.ok();
        let shown = Client::to(&address(&board, "shown"));
        while shown.ask(value!({})).await.ok() != value!({"last": 7, "price": 7}) {}
        // The whole is had at any topic; what is published, at the right one alone.
        until_async(|| board.counters().states["prices"].counts.applied > 0).await;
    });
}

#[test]
fn another_topic_is_another_market() {
    run(async {
        let ticker = started(ticker(value!({"market": "BTC-USD"}), "127.0.0.1:0"));
        let right = started(board(value!({"market": "BTC-USD"}), &ticker));
        let other = started(board(value!({"market": "ETH-USD"}), &ticker));
        let applied = |board: &Service| board.counters().states["prices"].counts.applied;
        until_async(|| other.counters().states["prices"].number.is_some()).await;
        until_async(|| applied(&right) >= 3).await;
        assert_eq!(applied(&other), 0);
    });
}

#[test]
fn what_fits_no_state_is_refused_before_anything_is_opened() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let right = ticker(value!({"market": "BTC-USD"}), &at).start().unwrap_err();
    assert!(matches!(right, Failed::Socket(_)), "whoever listens there fails: {right:?}");
    let refused = |config: Value| {
        let Err(Failed::Refused(problems)) = ticker(config, &at).start() else { panic!("it is refused") };
        problems.to_string()
    };
    let gives = value!({
        "price": {"topic": "BTC-USD"}, "prices": {"heartbeat": 1, "topic": 5}, "last": "BTC-USD",
    });
    expect_test::expect![[r#"
        setup_states: `price` is no state of the service, did you mean `prices`?
        setup_states: `prices`: `heartbeat` is no setting of type delta_update_out, did you mean `heartbeat_s`?
        setup_states: `prices`: `topic` is a text, got the integer 5
        setup_states: `last`: expected a map of settings, got the text "BTC-USD""#]].assert_eq(&refused(value!({"market": "BTC-USD", "gives": gives})));
    expect_test::expect!["setup_states: failed: no such market"]
        .assert_eq(&refused(value!({"market": "BTC-USD", "fails": "no such market"})));
}
