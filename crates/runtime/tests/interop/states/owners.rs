//! Owners of a delta state and a full state, ours and in Python, and the ways that their updates travel.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use service_framework::prelude::*;
use service_framework_runtime::Service;

use crate::peers::port;
use crate::python::{Mode, Place, Python, Version};
use crate::support::{Client, address, wired};

pub(super) type Book = BTreeMap<String, Value>;

#[derive(Model, Clone, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) levels: i64,
}

const OWN_BOOK: DeltaUpdateOut<Book> =
    DeltaUpdateOut::starting_with("book", || Book::from([("start".to_owned(), 1.into())])).heartbeat_s(0.05);
const OWN_SUMMARY: FullUpdateOut<Summary> = FullUpdateOut::new("summary");

/// What an owner is asked to publish: by its own number, if there is one.
#[derive(Model)]
struct Publish {
    current_num: Option<i64>,
    is_snapshot: bool,
    state: Value,
}

/// Changes to publish, one after the other.
#[derive(Model)]
struct PublishAll {
    changes: Vec<Value>,
}

/// Publishes what it is asked to.
pub(super) struct Owner;

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
    async fn publish_all(&self, args: PublishAll, cx: &Context) -> Result<Empty> {
        for change in args.changes {
            cx.send("book", &value!({"is_snapshot": false, "state": change})).await?;
        }
        Ok(())
    }

    #[replyer]
    fn owned(&self, cx: &Context) -> Result<Book> {
        cx.state(&OWN_BOOK).map(|book| book.clone())
    }

    #[replyer]
    fn summarize(&self, args: Summary, cx: &Context) -> Result<Empty> {
        cx.set(&OWN_SUMMARY, &args)
    }
}

service_framework::link!(Owner);

/// How updates travel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Route {
    /// Copies connect to their owner.
    Direct,
    /// Both connect to a proxy, and the states have topics: otherwise each copy would get the updates of the other state.
    Proxy,
}

pub(super) const ROUTES: [Route; 2] = [Route::Direct, Route::Proxy];

/// Where an owner lives.
pub(super) struct Home {
    pub(super) book: u16,
    pub(super) snapshots: u16,
    pub(super) summary: u16,
    pub(super) topic: Option<&'static str>,
    pub(super) _proxies: Vec<Python>,
}

pub(super) trait Owning {
    /// Publishes an update of the book by the owner's own number.
    async fn publish(&mut self, number: i64, is_snapshot: bool, state: Json);
    async fn summarize(&mut self, levels: i64);
}

pub(super) struct OurOwner {
    pub(super) service: Service,
    clients: Option<Clients>,
}

struct Clients {
    publish: Client,
    publish_all: Client,
    owned: Client,
    summarize: Client,
}

impl OurOwner {
    fn clients(&mut self) -> &Clients {
        let client = |name| Client::to(&address(&self.service, name));
        self.clients.get_or_insert_with(|| Clients {
            publish: client("publish"),
            publish_all: client("publish_all"),
            owned: client("owned"),
            summarize: client("summarize"),
        })
    }

    /// The book as its owner has it.
    pub(super) async fn book(&mut self) -> Json {
        to_json(self.clients().owned.ask(value!({})).await.ok().as_map().unwrap())
    }

    pub(super) async fn update(&mut self, is_snapshot: bool, state: Json) {
        let args = value!({"is_snapshot": is_snapshot, "state": (to_value(&state))});
        self.clients().publish.ask(args).await.ok();
    }

    /// Publishes changes as fast as it can.
    pub(super) async fn update_all(&mut self, changes: impl Iterator<Item = Json>) {
        let changes = Value::List(changes.map(|change| to_value(&change)).collect());
        self.clients().publish_all.ask(value!({"changes": changes})).await.ok();
    }
}

impl PythonOwner {
    /// Publishes changes from this number on as fast as it can.
    pub(super) fn publish_all(&mut self, first: i64, changes: impl Iterator<Item = Json>) {
        let mut count = 0;
        for (number, change) in (first..).zip(changes) {
            let args = json!({"current_num": number, "is_snapshot": false, "state": change});
            self.0.say(&json!(["book", args]).to_string());
            count += 1;
        }
        (0..count).for_each(|_| assert_eq!(self.0.line(), "published"));
    }
}

impl Owning for OurOwner {
    async fn publish(&mut self, number: i64, is_snapshot: bool, state: Json) {
        let state = to_value(&state);
        let args = value!({"current_num": number, "is_snapshot": is_snapshot, "state": state});
        self.clients().publish.ask(args).await.ok();
    }

    async fn summarize(&mut self, levels: i64) {
        self.clients().summarize.ask(value!({"levels": levels})).await.ok();
    }
}

pub(super) struct PythonOwner(Python);

impl Owning for PythonOwner {
    async fn publish(&mut self, number: i64, is_snapshot: bool, state: Json) {
        let args = json!({"current_num": number, "is_snapshot": is_snapshot, "state": state});
        assert_eq!(self.0.ask(&json!(["book", args]).to_string()), "published");
    }

    async fn summarize(&mut self, levels: i64) {
        assert_eq!(self.0.ask(&json!(["summary", {"levels": levels}]).to_string()), "published");
    }
}

fn to_value(json: &Json) -> Value {
    let bytes = json.to_string();
    let encoding = service_framework_core::wire::Encoding::Json;
    service_framework_core::wire::decode(bytes.as_bytes(), encoding, &Default::default()).unwrap()
}

pub(super) fn to_json(map: &Map) -> Json {
    let encoding = service_framework_core::wire::Encoding::Json;
    let bytes = service_framework_core::wire::encode(&Value::Map(map.clone()), encoding).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

pub(super) fn config(topic: Option<&str>, is_x_pub: bool) -> Json {
    let mut config = json!({});
    if let Some(topic) = topic {
        config["topic"] = topic.into();
    }
    if is_x_pub {
        config["is_x_pub"] = true.into();
    }
    config
}

const TOPIC: &str = "BTC-USD";

/// An owner of ours at these ports; 0 is any.
pub(super) fn our_owner_at(
    book: u16,
    snapshots: u16,
    summary: u16,
    topic: Option<&str>,
    is_x_pub: bool,
) -> OurOwner {
    let publisher = |port: u16| {
        value!({
            "address": (format!("127.0.0.1:{port}")), "peer": "python", "is_x_pub": is_x_pub,
            "topic": (topic.unwrap_or_default()),
        })
    };
    let addresses = value!({
        "connections": {"in": {
            "publish": {"replyer": "127.0.0.1:0"}, "owned": {"replyer": "127.0.0.1:0"}, "publish_all": {"replyer": "127.0.0.1:0"}, "summarize": {"replyer": "127.0.0.1:0"},
        }},
        "states": {"out": {
            "book": {"publisher": (publisher(book)), "replyer": (format!("127.0.0.1:{snapshots}"))},
            "summary": {"publisher": (publisher(summary))},
        }},
    });
    let mut service = Service::of::<Owner>(wired(addresses));
    service.start().unwrap();
    OurOwner { service, clients: None }
}

pub(super) fn our_owner(route: Route) -> (OurOwner, Home) {
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
            let (one, book_in, book) = Python::proxy();
            let (other, summary_in, summary) = Python::proxy();
            let owner = our_owner_at(book_in, 0, summary_in, Some(TOPIC), true);
            let snapshots = port(&owner.service, "book.replyer");
            (owner, Home { book, snapshots, summary, topic: Some(TOPIC), _proxies: vec![one, other] })
        }
    }
}

pub(super) fn python_owner(route: Route) -> (PythonOwner, Home) {
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
            let (one, book_in, book) = Python::proxy();
            let (other, summary_in, summary) = Python::proxy();
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
