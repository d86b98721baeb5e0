//! One update in a hundred is lost on its way between ours and Python.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};
use service_framework_connections::{Publisher, Subscriber, default_engine};
use service_framework_core::address::Address;
use tokio::sync::watch;
use tokio::task::yield_now;

use super::owners::{Home, Owning, Route, our_owner, python_owner};
use super::readers::{OurReader, our_reader, python_reader, until_book};
use crate::support::run;

const ONE_IN: u64 = 100;

/// A way for updates from one port to another, which loses one in a hundred from when it is told to.
struct Lossy {
    port: u16,
    is_lossy: Rc<Cell<bool>>,
    /// How many have come meanwhile.
    came: watch::Receiver<u64>,
}

impl Lossy {
    async fn from(port: u16) -> Self {
        let engine = default_engine();
        let from = format!("127.0.0.1:{port}").parse().unwrap();
        let source = Subscriber::connect(&engine, "from", &from, Bytes::new()).unwrap();
        let any_port = "127.0.0.1:0".parse().unwrap();
        let out = Publisher::bind(&engine, "to", &any_port, Default::default()).await.unwrap();
        let Address::Tcp { port, .. } = *out.address() else { panic!("it listens at a port") };
        let is_lossy = Rc::new(Cell::new(false));
        let (counter, came) = watch::channel(0);
        let loses = Rc::clone(&is_lossy);
        tokio::task::spawn_local(async move {
            loop {
                let frame = source.recv().await;
                counter.send_modify(|came| *came += u64::from(loses.get()));
                if !loses.get() || *counter.borrow() % ONE_IN != 0 {
                    out.publish(frame);
                }
            }
        });
        Self { port, is_lossy, came }
    }

    /// Loses updates until so many have come.
    async fn until_came(&mut self, count: i64) {
        self.came.wait_for(|came| *came >= count as u64).await.unwrap();
    }

    fn lost(&self) -> u64 {
        *self.came.borrow() / ONE_IN
    }
}

const UPDATES: i64 = 2_000;

/// How many of them an owner is given at once.
const BATCH: usize = 50;

/// Says how fast they were published; no owner waits for a copy.
fn tell(owner: &str, since: Instant) {
    eprintln!("{owner} has published {:.0} updates a second", UPDATES as f64 / since.elapsed().as_secs_f64());
}

/// The update with this number: of fifty keys in turn, so that a lost one is seen for a while.
fn update(number: i64) -> Json {
    json!({"n": number, (format!("k{}", number % 50)): number})
}

/// What is there after all of them until this one.
fn after(number: i64) -> Map<String, Json> {
    let updates = (number - 49..=number).map(update);
    updates.flat_map(|update| update.as_object().cloned().unwrap()).collect()
}

#[test]
fn of_an_owner_in_python_one_update_in_a_hundred_is_lost_and_our_copy_asks_once_for_each() {
    let (mut owner, home) = python_owner(Route::Direct);
    run(async {
        let mut way = Lossy::from(home.book).await;
        let home = Home { book: way.port, ..home };
        let mut reader = our_reader(&home);
        let mut first = 0;
        while !reader.current().await.is_live {
            first += 1;
            owner.publish(first, first == 1, json!({"n": first})).await;
        }
        let asked = |reader: &OurReader| reader.service.counters().states["book"].counts.asks;
        let before = asked(&reader);
        way.is_lossy.set(true);
        let last = first + UPDATES;
        let since = Instant::now();
        for number in (first + 1..=last).step_by(BATCH) {
            owner.publish_all(number, (number..).take(BATCH).map(update));
            // It waits for nobody: what has come until now goes on.
            yield_now().await;
        }
        tell("an owner in Python", since);
        way.until_came(UPDATES).await;
        way.is_lossy.set(false);
        // What comes after the last loss tells of it.
        owner.publish(last + 1, false, json!({"last": 1})).await;
        let mut right = after(last);
        right.insert("last".to_owned(), 1.into());
        until_book(&mut reader, Json::Object(right)).await;
        let asks = asked(&reader) - before;
        assert!(way.lost() >= 20 && asks <= way.lost(), "{asks} requests for {} losses", way.lost());
    });
}

#[test]
fn a_copy_in_python_is_equal_at_the_end_though_one_update_in_a_hundred_is_lost() {
    let (mut owner, home) = our_owner(Route::Direct);
    run(async {
        owner.update(true, json!({"n": 0})).await;
        let mut way = Lossy::from(home.book).await;
        let home = Home { book: way.port, ..home };
        let mut reader = python_reader(&home);
        until_book(&mut reader, json!({"n": 0})).await;
        way.is_lossy.set(true);
        let since = Instant::now();
        for number in (1..=UPDATES).step_by(BATCH) {
            owner.update_all((number..).take(BATCH).map(update)).await;
        }
        tell("our owner", since);
        way.until_came(UPDATES).await;
        way.is_lossy.set(false);
        until_book(&mut reader, Json::Object(after(UPDATES))).await;
        assert!(way.lost() >= 20, "{}", way.lost());
    });
}
