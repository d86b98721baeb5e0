//! States both ways: our owners with copies in Python, owners in Python with our copies, and ours with ours.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use service_framework::prelude::*;
use service_framework_connections::{self as connections, Subscriber, default_engine};
use service_framework_core::address::Address;
use service_framework_runtime::Service;

use crate::peers::port;
use crate::python::{Mode, Place, Python, Version};
use crate::support::{Client, address, run, wired};

/// After that time without what is waited for it is looked at again, or said again.
const SOON: Duration = Duration::from_millis(5);

type Book = BTreeMap<String, Value>;

#[derive(Model, Clone, Debug, PartialEq)]
struct Summary {
    levels: i64,
}

const OWN_BOOK: DeltaUpdateOut<Book> = DeltaUpdateOut::new("book").heartbeat_s(0.05);
const OWN_SUMMARY: FullUpdateOut<Summary> = FullUpdateOut::new("summary");
const BOOK: DeltaUpdateIn<Book> = DeltaUpdateIn::new("book");
const SUMMARY: FullUpdateIn<Summary> = FullUpdateIn::new("summary");

/// What an owner is asked to publish: by its own number, if there is one.
#[derive(Model)]
struct Publish {
    current_num: Option<i64>,
    is_snapshot: bool,
    state: Value,
}

/// Publishes what it is asked to.
struct Owner;

#[service(uses(OWN_BOOK, OWN_SUMMARY))]
impl Owner {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn publish(&self, args: Publish, cx: &Context) -> Result<Empty> {
        let number = args.current_num.map(|number| ("current_num", Value::from(number)));
        let update = [("is_snapshot", Value::from(args.is_snapshot)), ("state", args.state)];
        let update: Map = update.into_iter().chain(number).collect();
        cx.send("book", &Value::Map(update)).await.map(drop)
    }

    #[replyer]
    fn summarize(&self, args: Summary, cx: &Context) -> Result<Empty> {
        cx.set(&OWN_SUMMARY, &args)
    }
}

service_framework::link!(Owner);

#[derive(Model)]
struct Current {
    book: Option<Book>,
    summary: Option<Summary>,
    is_live: bool,
}

/// Tells what is in its copies.
struct Reader;

#[service(uses(BOOK, SUMMARY))]
impl Reader {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn current(&self, cx: &Context) -> Result<Current> {
        Ok(Current {
            book: cx.state(&BOOK).ok().map(|book| (*book).clone()),
            summary: cx.state(&SUMMARY).ok().map(|summary| (*summary).clone()),
            is_live: cx.state_status(&BOOK)?.status == Status::Live,
        })
    }
}

service_framework::link!(Reader);

/// How updates travel.
#[derive(Clone, Copy, Debug)]
enum Route {
    /// Copies connect to their owner.
    Direct,
    /// Both connect to a proxy, and the states have topics: otherwise each copy would get the updates of the other state.
    Proxy,
}

const ROUTES: [Route; 2] = [Route::Direct, Route::Proxy];

/// Where an owner lives.
struct Home {
    book: u16,
    snapshots: u16,
    summary: u16,
    topic: Option<&'static str>,
    _proxies: Vec<Python>,
}

trait Owning {
    /// Publishes an update of the book by the owner's own number.
    async fn publish(&mut self, number: i64, is_snapshot: bool, state: Json);
    async fn summarize(&mut self, levels: i64);
}

trait Reading {
    async fn book(&mut self) -> Json;
    async fn levels(&mut self) -> Option<i64>;
}

struct OurOwner {
    service: Service,
    publish: Option<(Client, Client)>,
}

impl OurOwner {
    fn client(&mut self) -> &(Client, Client) {
        let client = |name| Client::to(&address(&self.service, name));
        self.publish.get_or_insert_with(|| (client("publish"), client("summarize")))
    }

    async fn update(&mut self, is_snapshot: bool, state: Json) {
        let args = value!({"is_snapshot": is_snapshot, "state": (to_value(&state))});
        self.client().0.ask(args).await.ok();
    }
}

impl Owning for OurOwner {
    async fn publish(&mut self, number: i64, is_snapshot: bool, state: Json) {
        let state = to_value(&state);
        let args = value!({"current_num": number, "is_snapshot": is_snapshot, "state": state});
        self.client().0.ask(args).await.ok();
    }

    async fn summarize(&mut self, levels: i64) {
        self.client().1.ask(value!({"levels": levels})).await.ok();
    }
}

struct PythonOwner(Python);

impl Owning for PythonOwner {
    async fn publish(&mut self, number: i64, is_snapshot: bool, state: Json) {
        let args = json!({"current_num": number, "is_snapshot": is_snapshot, "state": state});
        self.0.say(&json!(["book", args]).to_string());
    }

    async fn summarize(&mut self, levels: i64) {
        self.0.say(&json!(["summary", {"levels": levels}]).to_string());
    }
}

struct OurReader {
    service: Service,
    client: Option<Client>,
}

impl OurReader {
    async fn current(&mut self) -> Current {
        let client = self.client.get_or_insert_with(|| Client::to(&address(&self.service, "current")));
        client.ask(value!({})).await.model()
    }
}

impl Reading for OurReader {
    async fn book(&mut self) -> Json {
        self.current().await.book.map_or(Json::Null, |book| to_json(&book.into_iter().collect()))
    }

    async fn levels(&mut self) -> Option<i64> {
        self.current().await.summary.map(|summary| summary.levels)
    }
}

struct PythonReader {
    _python: Python,
    client: Option<Client>,
    port: u16,
}

impl PythonReader {
    async fn current(&mut self) -> Value {
        let at = format!("127.0.0.1:{}", self.port).parse().unwrap();
        self.client.get_or_insert_with(|| Client::to(&at)).ask(value!({})).await.ok()
    }
}

impl Reading for PythonReader {
    async fn book(&mut self) -> Json {
        to_json(self.current().await.get("book").unwrap().as_map().unwrap())
    }

    async fn levels(&mut self) -> Option<i64> {
        let Some(Value::Int(levels)) = self.current().await.get("summary").unwrap().get("levels").cloned()
        else {
            return None;
        };
        Some(i64::try_from(levels).unwrap())
    }
}

fn to_value(json: &Json) -> Value {
    let bytes = json.to_string();
    let encoding = service_framework_core::wire::Encoding::Json;
    service_framework_core::wire::decode(bytes.as_bytes(), encoding, &Default::default()).unwrap()
}

fn to_json(map: &Map) -> Json {
    let encoding = service_framework_core::wire::Encoding::Json;
    let bytes = service_framework_core::wire::encode(&Value::Map(map.clone()), encoding).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn config(topic: Option<&str>, is_x_pub: bool) -> Json {
    let mut config = json!({});
    if let Some(topic) = topic {
        config["topic"] = topic.into();
    }
    if is_x_pub {
        config["is_x_pub"] = true.into();
    }
    config
}

/// A pyzmq XSUB/XPUB proxy, with the ports for publishers and for subscribers.
fn proxy() -> (Python, u16, u16) {
    let mut proxy = Python::script(Version::V18, "proxy.py", &[]);
    let ports = proxy.line();
    let (publishers, subscribers) = ports.split_once(' ').unwrap();
    let ports = (publishers.parse().unwrap(), subscribers.parse().unwrap());
    (proxy, ports.0, ports.1)
}

const TOPIC: &str = "BTC-USD";

/// An owner of ours at these ports; 0 is any.
fn our_owner_at(book: u16, snapshots: u16, summary: u16, topic: Option<&str>, is_x_pub: bool) -> OurOwner {
    let publisher = |port: u16| {
        value!({
            "address": (format!("127.0.0.1:{port}")), "peer": "python", "is_x_pub": is_x_pub,
            "topic": (topic.unwrap_or_default()),
        })
    };
    let addresses = value!({
        "connections": {"in": {"publish": {"replyer": "127.0.0.1:0"}, "summarize": {"replyer": "127.0.0.1:0"}}},
        "states": {"out": {
            "book": {"publisher": (publisher(book)), "replyer": (format!("127.0.0.1:{snapshots}"))},
            "summary": {"publisher": (publisher(summary))},
        }},
    });
    let mut service = Service::of::<Owner>(wired(addresses));
    service.start().unwrap();
    OurOwner { service, publish: None }
}

fn our_owner(route: Route) -> (OurOwner, Home) {
    match route {
        Route::Direct => {
            let owner = our_owner_at(0, 0, 0, None, false);
            let at = |name: &str| port(&owner.service, name);
            let home = Home {
                book: at("book.publisher"),
                snapshots: at("book.replyer"),
                summary: at("summary.publisher"),
                topic: None,
                _proxies: Vec::new(),
            };
            (owner, home)
        }
        Route::Proxy => {
            let (one, book_in, book) = proxy();
            let (other, summary_in, summary) = proxy();
            let owner = our_owner_at(book_in, 0, summary_in, Some(TOPIC), true);
            let snapshots = port(&owner.service, "book.replyer");
            (owner, Home { book, snapshots, summary, topic: Some(TOPIC), _proxies: vec![one, other] })
        }
    }
}

fn python_owner(route: Route) -> (PythonOwner, Home) {
    let places = |book, snapshots, summary| {
        vec![
            Place::of_state_out("book", "publisher", book),
            Place::of_state_out("book", "replyer", snapshots),
            Place::of_state_out("summary", "publisher", summary),
        ]
    };
    match route {
        Route::Direct => {
            let config = config(None, false);
            let (python, [book, snapshots, summary]) = Python::listening(
                Version::V18,
                "state_owner.py",
                Mode::Main,
                &config,
                |[book, snapshots, summary]| places(book, snapshots, summary),
            );
            (PythonOwner(python), Home { book, snapshots, summary, topic: None, _proxies: Vec::new() })
        }
        Route::Proxy => {
            let (one, book_in, book) = proxy();
            let (other, summary_in, summary) = proxy();
            let config = config(Some(TOPIC), true);
            let (python, [snapshots]) =
                Python::listening(Version::V18, "state_owner.py", Mode::Main, &config, |[snapshots]| {
                    places(book_in, snapshots, summary_in)
                });
            (
                PythonOwner(python),
                Home { book, snapshots, summary, topic: Some(TOPIC), _proxies: vec![one, other] },
            )
        }
    }
}

fn our_reader(home: &Home) -> OurReader {
    let subscriber = |port: u16| value!({"address": (format!("127.0.0.1:{port}")), "topic": (home.topic.unwrap_or_default())});
    let addresses = value!({
        "connections": {"in": {"current": {"replyer": "127.0.0.1:0"}}},
        "states": {"in": {
            "book": {"subscriber": (subscriber(home.book)), "requester": (format!("127.0.0.1:{}", home.snapshots))},
            "summary": {"subscriber": (subscriber(home.summary))},
        }},
    });
    let mut service = Service::of::<Reader>(wired(addresses));
    service.start().unwrap();
    OurReader { service, client: None }
}

fn python_reader(home: &Home) -> PythonReader {
    let (book, snapshots, summary) = (home.book, home.snapshots, home.summary);
    let (python, [port]) = Python::listening(
        Version::V18,
        "state_reader.py",
        Mode::Loop,
        &config(home.topic, false),
        |[current]| {
            vec![
                Place::replyer("current", current),
                Place::of_state_in("book", "subscriber", book),
                Place::of_state_in("book", "requester", snapshots),
                Place::of_state_in("summary", "subscriber", summary),
            ]
        },
    );
    PythonReader { _python: python, client: None, port }
}

/// Waits until a copy is this.
async fn until_book(reader: &mut impl Reading, right: Json) {
    while reader.book().await != right {
        tokio::time::sleep(SOON).await;
    }
}

/// The four scenarios of the original's own tests, by numbers of the owner's making.
async fn scenarios(owner: &mut impl Owning, reader: &mut impl Reading) {
    // Whoever has subscribed gets the whole. Until the subscription is known to work, it is said again.
    let mut number = 0;
    loop {
        number += 1;
        owner.publish(number, true, json!({"a": 1, "b": 2.5})).await;
        tokio::time::sleep(SOON).await;
        if reader.book().await == json!({"a": 1, "b": 2.5}) {
            break;
        }
    }
    // Changes and removals.
    owner.publish(number + 1, false, json!({"c": "text", "a": 3})).await;
    owner.publish(number + 2, false, json!({"b": null})).await;
    until_book(reader, json!({"a": 3, "c": "text"})).await;
    // A number from the future: something is missing, and the whole is asked for.
    owner.publish(number + 10, false, json!({"d": [1, 2]})).await;
    until_book(reader, json!({"a": 3, "c": "text", "d": [1, 2]})).await;
    owner.publish(number + 11, false, json!({"d": null})).await;
    until_book(reader, json!({"a": 3, "c": "text"})).await;
    // A snapshot is what it says, whatever its number.
    owner.publish(3, true, json!({"again": 1})).await;
    until_book(reader, json!({"again": 1})).await;
    owner.publish(4, false, json!({"more": 2})).await;
    until_book(reader, json!({"again": 1, "more": 2})).await;
}

/// Full states: whatever is set last.
async fn whole(owner: &mut impl Owning, reader: &mut impl Reading) {
    let mut levels = 0;
    while reader.levels().await.is_none() {
        levels += 1;
        owner.summarize(levels).await;
        tokio::time::sleep(SOON).await;
    }
    owner.summarize(-7).await;
    while reader.levels().await != Some(-7) {
        tokio::time::sleep(SOON).await;
    }
}

#[test]
fn our_owner_and_our_copy() {
    for route in ROUTES {
        let (mut owner, home) = our_owner(route);
        let mut reader = our_reader(&home);
        run(async {
            scenarios(&mut owner, &mut reader).await;
            whole(&mut owner, &mut reader).await;
        });
    }
}

#[test]
fn our_owner_and_a_copy_in_python() {
    for route in ROUTES {
        let (mut owner, home) = our_owner(route);
        let mut reader = python_reader(&home);
        run(async {
            scenarios(&mut owner, &mut reader).await;
            whole(&mut owner, &mut reader).await;
        });
    }
}

#[test]
fn an_owner_in_python_and_our_copy() {
    for route in ROUTES {
        let (mut owner, home) = python_owner(route);
        let mut reader = our_reader(&home);
        run(async {
            scenarios(&mut owner, &mut reader).await;
            whole(&mut owner, &mut reader).await;
        });
    }
}

#[test]
fn a_late_copy_of_ours_has_our_full_state_beside_one_in_python() {
    for route in ROUTES {
        let (mut owner, home) = our_owner(route);
        let mut early = python_reader(&home);
        run(async {
            whole(&mut owner, &mut early).await;
            let mut late = our_reader(&home);
            // Nothing is set any more.
            while late.levels().await != Some(-7) {
                tokio::time::sleep(SOON).await;
            }
            // The other one is there as before.
            assert_eq!(early.levels().await, Some(-7));
            owner.summarize(8).await;
            while (early.levels().await, late.levels().await) != (Some(8), Some(8)) {
                tokio::time::sleep(SOON).await;
            }
        });
    }
}

#[test]
fn a_copy_in_python_has_the_state_of_our_owner_by_the_next_heartbeat_and_after_its_restart() {
    let (mut owner, home) = our_owner(Route::Direct);
    run(async {
        owner.update(true, json!({"a": 1})).await;
        let mut reader = python_reader(&home);
        until_book(&mut reader, json!({"a": 1})).await;
        owner.update(false, json!({"b": 2, "never there": null})).await;
        until_book(&mut reader, json!({"a": 1, "b": 2})).await;
        // The numbers of the next one begin at the time of its start, which the copy takes for a gap.
        owner.service.stop().unwrap();
        let mut again = our_owner_at(home.book, home.snapshots, home.summary, None, false);
        again.update(false, json!({"after": 1})).await;
        until_book(&mut reader, json!({"after": 1})).await;
    });
}

#[test]
fn our_copy_follows_an_owner_in_python_from_its_first_update_on() {
    let (mut owner, home) = python_owner(Route::Direct);
    run(async {
        owner.publish(1, true, json!({"a": 1})).await;
        owner.publish(2, false, json!({"b": 2})).await;
        let mut reader = our_reader(&home);
        // It knows what its copy is with the first update that it gets, whatever came before.
        let mut number = 2;
        while !reader.current().await.is_live {
            number += 1;
            owner.publish(number, false, json!({"c": number})).await;
            tokio::time::sleep(SOON).await;
        }
        until_book(&mut reader, json!({"a": 1, "b": 2, "c": number})).await;
    });
}

/// How many updates of a lossy way are lost: each hundredth.
const ONE_IN: u64 = 100;

/// Passes updates on from one port to another, and loses each hundredth once the copy is there; gives the new port, and how many were lost.
async fn lossy(from: u16, is_lossy: Rc<Cell<bool>>) -> (u16, Rc<Cell<u64>>) {
    let engine = default_engine();
    let from = format!("127.0.0.1:{from}").parse().unwrap();
    let source = Subscriber::connect(&engine, "from", &from, Bytes::new()).unwrap();
    let any_port = "127.0.0.1:0".parse().unwrap();
    let out = connections::Publisher::bind(&engine, "to", &any_port, Default::default());
    let out = out.await.unwrap();
    let Address::Tcp { port, .. } = *out.address() else { panic!("it listens at a port") };
    let lost = Rc::new(Cell::new(0));
    let count = Rc::clone(&lost);
    tokio::task::spawn_local(async move {
        let mut position = 0;
        loop {
            let frame = source.recv().await;
            position += u64::from(is_lossy.get());
            if is_lossy.get() && position % ONE_IN == 0 {
                count.set(count.get() + 1);
            } else {
                out.publish(frame);
            }
        }
    });
    (port, lost)
}

const UPDATES: i64 = 2_000;

#[test]
fn of_an_owner_in_python_one_update_in_a_hundred_is_lost_and_our_copy_asks_once_for_each() {
    let (mut owner, home) = python_owner(Route::Direct);
    run(async {
        let is_lossy = Rc::new(Cell::new(false));
        let (book, lost) = lossy(home.book, Rc::clone(&is_lossy)).await;
        let home = Home { book, ..home };
        let mut reader = our_reader(&home);
        let mut number = 0;
        while !reader.current().await.is_live {
            number += 1;
            owner.publish(number, number == 1, json!({"n": number})).await;
            tokio::time::sleep(SOON).await;
        }
        let asked = |reader: &OurReader| reader.service.counters().states["book"].counts.asks;
        let before = asked(&reader);
        is_lossy.set(true);
        for _ in 0..UPDATES {
            number += 1;
            owner.publish(number, false, json!({"n": number, (format!("k{}", number % 50)): number})).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        is_lossy.set(false);
        // What comes after the last loss tells of it.
        owner.publish(number + 1, false, json!({"last": 1})).await;
        while reader.book().await.get("last").is_none() || !reader.current().await.is_live {
            tokio::time::sleep(SOON).await;
        }
        let right: serde_json::Map<String, Json> = (0..50)
            .map(|key| {
                let last = (number - 49..=number).find(|n| n % 50 == key).unwrap();
                (format!("k{key}"), last.into())
            })
            .chain([("n".to_owned(), number.into()), ("last".to_owned(), 1.into())])
            .collect();
        assert_eq!(reader.book().await, Json::Object(right));
        let asks = asked(&reader) - before;
        assert!(lost.get() >= 15 && asks <= lost.get(), "{asks} requests for {} losses", lost.get());
    });
}

#[test]
fn a_copy_in_python_is_equal_at_the_end_though_one_update_in_a_hundred_is_lost() {
    let (mut owner, home) = our_owner(Route::Direct);
    run(async {
        owner.update(true, json!({"n": 0})).await;
        let is_lossy = Rc::new(Cell::new(false));
        let (book, lost) = lossy(home.book, Rc::clone(&is_lossy)).await;
        let home = Home { book, ..home };
        let mut reader = python_reader(&home);
        until_book(&mut reader, json!({"n": 0})).await;
        is_lossy.set(true);
        for number in 1..=UPDATES {
            owner.update(false, json!({"n": number, (format!("k{}", number % 50)): number})).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        is_lossy.set(false);
        let right: serde_json::Map<String, Json> = (0..50)
            .map(|key| (format!("k{key}"), (UPDATES - 49..=UPDATES).find(|n| n % 50 == key).unwrap().into()))
            .chain([("n".to_owned(), UPDATES.into())])
            .collect();
        until_book(&mut reader, Json::Object(right)).await;
        assert!(lost.get() >= 15, "{}", lost.get());
    });
}
