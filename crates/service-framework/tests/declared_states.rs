//! What a service declares of its states, by the attribute and by hand, and that an address book takes all of it.

use expect_test::expect;
use service_framework::__core::address_book::AddressBook;
use service_framework::__core::declaration::Declaration;
use service_framework::__core::file::{Document, JsonFile};
use service_framework::__core::plugin::host::Plugin;
use service_framework::__core::problem::Problems;
use service_framework::__core::settings::Origin;
use service_framework::__core::wire;
use service_framework::__core::wiring::{self, Setup};
use service_framework::prelude::*;

/// What is offered.
#[derive(Model, State, Clone, Default)]
struct Book {
    best_usd: u32,
    note: Option<String>,
}

const BOOK: DeltaUpdateIn<Book> =
    DeltaUpdateIn::new("book").topic("BTC").binder().expect_every_s(2.0).doc("Of the exchange.");
const SUMMARY: FullUpdateIn<Book> = FullUpdateIn::new("summary").topic("all").binder().expect_every_s(60.0);
const QUIET: FullUpdateIn<Book> = FullUpdateIn::new("quiet");
const MINE: DeltaUpdateOut<Book> = DeltaUpdateOut::new("mine")
    .topic("BTC")
    .x_pub()
    .wait_after_creation_s(0.5)
    .wait_for_subscribers(2)
    .heartbeat_s(0.25)
    .python();
const TOTAL: FullUpdateOut<Book> =
    FullUpdateOut::new("total").topic("sum").x_pub().wait_after_creation_s(0.0).heartbeat_s(5.0).python();

struct Desk;

#[service(uses(QUIET, BOOK, SUMMARY, MINE, TOTAL))]
impl Desk {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[updated(BOOK)]
    async fn book_changed(&self, _update: Update<Book>, _cx: &Context) -> Result<()> {
        Ok(())
    }

    #[updated(SUMMARY)]
    fn summary_changed(&mut self) -> Result<()> {
        Ok(())
    }

    #[cfg(any())]
    #[updated(QUIET)]
    fn not_compiled(&self) -> Result<()> {
        Ok(())
    }

    #[replyer]
    fn ask(&self) -> Result<()> {
        Ok(())
    }
}

service_framework::link!(Desk);

struct ByHand;

impl Serve for ByHand {
    const NAME: &'static str = Desk::NAME;
    const VERSION: &'static str = Desk::VERSION;
    type Config = Empty;

    fn new(_: Empty) -> Result<Self> {
        Ok(Self)
    }

    fn declare(service: &mut Declare<Self>) {
        service.uses(&QUIET);
        // Which declares them, too.
        service.updated(&BOOK).handle(async |_: &Self, _: Update<Book>, _: &Context| Ok(()));
        service.updated(&SUMMARY).handle_inline_mut(|_: &mut Self, _: Book, _: &Context| Ok(()));
        service.uses(&MINE).uses(&TOTAL);
        service.replyer("ask").handle_inline(|_: &Self, _: Empty, _: &Context| Ok(()));
    }
}

service_framework::link!(ByHand);

fn described() -> Declaration {
    Plugin::of::<Desk>().describe().unwrap()
}

#[test]
fn states_are_declared_with_their_handlers_and_options() {
    let declaration = described();
    assert_eq!(declaration, Plugin::of::<ByHand>().describe().unwrap());
    let json = wire::encode(&declaration, wire::Encoding::Json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let states = json["states"].as_array().unwrap();
    let shown: Vec<_> = states
        .iter()
        .map(|state| {
            let mut state = state.clone();
            let shape = state.as_object_mut().unwrap().remove("state").unwrap();
            assert_eq!(shape["record"]["name"], "Book");
            state.to_string()
        })
        .collect();
    expect![[r#"
        {"name":"quiet","type":"full_update_in"}
        {"name":"book","doc":"Of the exchange.","type":"delta_update_in","settings":{"topic":"BTC","is_binder":true,"expect_every_s":2.0},"run":"async"}
        {"name":"summary","type":"full_update_in","settings":{"topic":"all","is_binder":true,"expect_every_s":60.0},"run":"inline","exclusive":true}
        {"name":"mine","type":"delta_update_out","settings":{"topic":"BTC","is_x_pub":true,"wait_after_creation_s":0.5,"wait_for_subscribers":2,"heartbeat_s":0.25,"peer":"python"}}
        {"name":"total","type":"full_update_out","settings":{"topic":"sum","is_x_pub":true,"wait_after_creation_s":0.0,"heartbeat_s":5.0,"peer":"python"}}"#]].assert_eq(&shown.join("\n"));
}

#[test]
fn an_address_book_takes_all_options() {
    let book = r#"{"connections": {"in": {"ask": {"replyer": "localhost:9000"}}}, "states": {
        "in": {
            "quiet": {"subscriber": "localhost:9001"},
            "book": {"subscriber": "localhost:9002", "requester": "localhost:9003"},
            "summary": {"subscriber": "localhost:9004"}
        },
        "out": {
            "mine": {"publisher": "localhost:9005", "replyer": "localhost:9006"},
            "total": {"publisher": "localhost:9007"}
        }
    }}"#;
    let mut problems = Problems::new();
    let document = Document::read(JsonFile::from_text("desk.json", book), &mut problems);
    let book = AddressBook::read(&document, &mut problems);
    let wiring = wiring::wire(&described(), &Setup::default(), &book, &mut problems);
    assert_eq!(problems.to_string(), "");
    let chosen = wiring.chosen.iter().filter(|chosen| chosen.origin != Origin::Default);
    let chosen: Vec<_> = chosen
        .map(|chosen| {
            format!(
                "{} {} = {}",
                chosen.connection.as_deref().unwrap_or_default(),
                chosen.setting,
                chosen.value
            )
        })
        .collect();
    expect![[r#"
        book expect_every_s = 2.0
        book.subscriber topic = "BTC"
        book.subscriber is_binder = true
        summary expect_every_s = 60.0
        summary.subscriber topic = "all"
        summary.subscriber is_binder = true
        mine heartbeat_s = 0.25
        mine.publisher topic = "BTC"
        mine.publisher is_x_pub = true
        mine.publisher wait_after_creation_s = 0.5
        mine.publisher wait_for_subscribers = 2
        mine.publisher peer = "python"
        mine.replyer peer = "python"
        total heartbeat_s = 5.0
        total.publisher topic = "sum"
        total.publisher is_x_pub = true
        total.publisher wait_after_creation_s = 0.0
        total.publisher peer = "python""#]]
    .assert_eq(&chosen.join("\n"));
}
