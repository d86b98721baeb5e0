//! The services of these tests: one that owns states, and one that has copies of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use service_framework::prelude::*;
use service_framework_runtime::{Options, Service};

use crate::scene::{At, Scene};
use crate::support::{Client, address, wired};

/// A level of a book.
pub(crate) type Book = BTreeMap<String, Decimal>;

/// What is known of a market.
#[derive(Model, State, Clone, Debug, Default, PartialEq)]
#[state(derive(Debug))]
pub(crate) struct Market {
    pub(crate) open: bool,
    pub(crate) volume: u64,
    pub(crate) note: Option<String>,
}

/// A summary of all.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) levels: u64,
}

pub(crate) const OWN_BOOK: DeltaUpdateOut<Book> = DeltaUpdateOut::new("book").heartbeat_s(0.1);
pub(crate) const OWN_MARKET: DeltaUpdateOut<Market> = DeltaUpdateOut::new("market").heartbeat_s(0.1);
pub(crate) const OWN_SUMMARY: FullUpdateOut<Summary> = FullUpdateOut::new("summary");

pub(crate) const BOOK: DeltaUpdateIn<Book> = DeltaUpdateIn::new("book");
pub(crate) const MARKET: DeltaUpdateIn<Market> = DeltaUpdateIn::new("market");
pub(crate) const SUMMARY: FullUpdateIn<Summary> = FullUpdateIn::new("summary");

/// A change of the book, as it is asked for; without a price the level is removed.
#[derive(Model)]
struct Level {
    name: String,
    usd: Option<Decimal>,
}

#[derive(Model)]
struct Trade {
    volume: u64,
    note: Option<String>,
}

/// Owns a book, a market and a summary.
pub(crate) struct Exchange;

#[service(uses(OWN_BOOK, OWN_MARKET, OWN_SUMMARY))]
impl Exchange {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn level(&self, args: Level, cx: &Context) -> Result<Empty> {
        cx.update(&OWN_BOOK, &[(args.name, args.usd)].into_iter().collect())?;
        let levels = cx.state(&OWN_BOOK)?.len() as u64;
        cx.set(&OWN_SUMMARY, &Summary { levels })
    }

    /// From another thread than the service's.
    #[replyer(blocking)]
    fn trade(&self, args: Trade, cx: &BlockingContext) -> Result<Empty> {
        let note = args.note.map_or(Edit::Remove, Edit::Set);
        cx.update(&OWN_MARKET, &MarketChange { volume: Some(args.volume), note, ..Default::default() })
    }
}

service_framework::link!(Exchange);

/// What a desk sees.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) book: Option<Book>,
    pub(crate) book_status: String,
    pub(crate) market: Option<Market>,
    pub(crate) market_status: String,
    pub(crate) summary: Option<Summary>,
    pub(crate) summary_status: String,
}

/// Has copies, and notes each update.
pub(crate) struct Desk {
    scene: Arc<Scene>,
}

#[service(uses(BOOK, MARKET, SUMMARY))]
impl Desk {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[replyer]
    fn seen(&self, cx: &Context) -> Result<Seen> {
        Ok(Seen {
            book: cx.state(&BOOK).ok().map(|book| (*book).clone()),
            book_status: cx.state_status(&BOOK)?.status.to_string(),
            market: cx.state(&MARKET).ok().map(|market| (*market).clone()),
            market_status: cx.state_status(&MARKET)?.status.to_string(),
            summary: cx.state(&SUMMARY).ok().map(|summary| (*summary).clone()),
            summary_status: cx.state_status(&SUMMARY)?.status.to_string(),
        })
    }

    /// Answers once the book is live.
    #[replyer]
    async fn when_live(&self, cx: &Context) -> Result<Empty> {
        cx.live(&BOOK).await
    }

    #[updated(BOOK)]
    async fn book_updated(&self, update: Update<Book>) -> Result<()> {
        self.scene.note(match update.content {
            Content::Snapshot(book) => format!("book of {}", book.len()),
            Content::Change(change) => {
                let levels: Vec<&str> = change.iter().map(|(level, _)| &**level).collect();
                format!("change of {}", levels.join(", "))
            }
        });
        Ok(())
    }

    #[updated(SUMMARY)]
    fn summary_updated(&mut self, summary: Summary) -> Result<()> {
        self.scene.note(format!("summary of {}", summary.levels));
        Ok(())
    }
}

service_framework::link!(Desk);

pub(crate) fn exchange_at(port: impl Fn(&str) -> String) -> Options {
    let at = |name: &str| Value::from(port(name));
    wired(value!({
        "connections": {"in": {"level": {"replyer": (at("level"))}, "trade": {"replyer": (at("trade"))}}},
        "states": {"out": {
            "book": {"publisher": (at("book.publisher")), "replyer": (at("book.replyer"))},
            "market": {"publisher": (at("market.publisher")), "replyer": (at("market.replyer"))},
            "summary": {"publisher": (at("summary.publisher"))},
        }},
    }))
}

pub(crate) fn exchange() -> Service {
    started(Service::of::<Exchange>(exchange_at(|_| "127.0.0.1:0".into())))
}

pub(crate) fn desk(exchange: &Service, scene: &Scene) -> Service {
    desk_that_takes(exchange, scene, 1 << 20)
}

/// A desk whose copy of the book takes replies of so many bytes at most.
pub(crate) fn desk_that_takes(exchange: &Service, scene: &Scene, reply_bytes: i64) -> Service {
    let at = |name: &str| Value::from(address(exchange, name).to_string());
    let options = wired(value!({
        "connections": {"in": {
            "seen": {"replyer": "127.0.0.1:0"}, "when_live": {"replyer": "127.0.0.1:0"},
        }},
        "states": {"in": {
            "book": {
                "subscriber": (at("book.publisher")),
                "requester": {"address": (at("book.replyer")), "max_message_bytes": reply_bytes},
            },
            "market": {"subscriber": (at("market.publisher")), "requester": (at("market.replyer"))},
            "summary": {"subscriber": (at("summary.publisher"))},
        }},
    }));
    started(Service::of::<Desk>(Options { config: scene.config().into(), ..options }))
}

pub(crate) fn started(mut service: Service) -> Service {
    service.start().expect("it starts");
    service
}

/// Asks a service of these tests.
pub(crate) struct Asker {
    level: Client,
    trade: Client,
}

impl Asker {
    pub(crate) fn of(exchange: &Service) -> Self {
        let client = |name| Client::to(&address(exchange, name));
        Self { level: client("level"), trade: client("trade") }
    }

    pub(crate) async fn level(&self, name: &str, usd: Option<&str>) {
        let usd = usd.map(|usd| usd.parse::<Decimal>().unwrap());
        self.level.ask(value!({"name": name, "usd": usd})).await.ok();
    }

    pub(crate) async fn trade(&self, volume: u64, note: Option<&str>) {
        self.trade.ask(value!({"volume": volume, "note": (note.map(str::to_owned))})).await.ok();
    }
}

/// What a desk sees at last.
pub(crate) async fn until_seen(desk: &Service, condition: impl Fn(&Seen) -> bool) -> Seen {
    let client = Client::to(&address(desk, "seen"));
    loop {
        let seen: Seen = client.ask(value!({})).await.model();
        if condition(&seen) {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

pub(crate) fn book(levels: &[(&str, &str)]) -> Book {
    levels.iter().map(|(name, usd)| ((*name).to_owned(), usd.parse().unwrap())).collect()
}
