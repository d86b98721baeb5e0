//! Copies of a delta state and a full state, ours and in Python.

use serde_json::Value as Json;
use service_framework::prelude::*;
use service_framework_runtime::Service;

use super::owners::{Book, Home, Summary, config, to_json};
use crate::python::{Mode, Place, Python, Version};
use crate::support::{Client, address, wired};

const BOOK: DeltaUpdateIn<Book> = DeltaUpdateIn::new("book");
const SUMMARY: FullUpdateIn<Summary> = FullUpdateIn::new("summary");

#[derive(Model)]
pub(super) struct Current {
    book: Option<Book>,
    summary: Option<Summary>,
    pub(super) is_live: bool,
}

/// Tells what is in its copies.
pub(super) struct Reader;

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

pub(super) trait Reading {
    async fn book(&mut self) -> Json;
    async fn levels(&mut self) -> Option<i64>;
}

pub(super) struct OurReader {
    pub(super) service: Service,
    client: Option<Client>,
}

impl OurReader {
    pub(super) async fn current(&mut self) -> Current {
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

pub(super) struct PythonReader {
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

pub(super) fn our_reader(home: &Home) -> OurReader {
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

pub(super) fn python_reader(home: &Home) -> PythonReader {
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

/// Asks until a copy is this: each answer comes from another thread or process, and takes the time that it needs.
pub(super) async fn until_book(reader: &mut impl Reading, right: Json) {
    while reader.book().await != right {}
}

/// The same of the full state.
pub(super) async fn until_levels(reader: &mut impl Reading, right: i64) {
    while reader.levels().await != Some(right) {}
}
