//! Refused payloads do not disturb those who mean well; and the load under which attacks are tried.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use service_framework_connections::engine::Role;
use service_framework_core::value;
use service_framework_runtime::Service;

use crate::payloads::{MOST_BYTES, attacks, good};
use crate::support::{Answer, Client, Raw, address, counters, request, risen, run, until_async, wired};
use crate::{Exchange, exchange};

const CLIENTS: usize = 4;
const REQUESTS: i64 = 1_000;
/// What all good clients ask together.
pub(crate) const REQUESTS_OF_ALL: u64 = CLIENTS as u64 * REQUESTS as u64;
/// What no good request may wait longer than,
const LATEST: Duration = Duration::from_secs(1);
/// but for so many, as a machine may have other things to do: what holds up one request holds up those after it, too.
const LATE: usize = 10;

/// Sends 1,000 requests one after another, and tells how many of them were late.
async fn mean_well(client: Client, number: usize) -> usize {
    let mut late = 0;
    for count in 0..REQUESTS {
        let order = value!({"id": (format!("{number}-{count}")), "size": count, "price": 0.5});
        let began = Instant::now();
        assert_eq!(client.ask(order.clone()).await.ok(), order);
        late += usize::from(began.elapsed() > LATEST);
    }
    late
}

/// Repeats `attack` until the good clients are done, at least once.
pub(crate) fn under_load(connection: &str, service: &Service, attack: impl AsyncFn()) {
    let replyer = address(service, connection);
    under_load_of(|| Client::to(&replyer), attack);
}

/// The same with good clients that are made like this.
pub(crate) fn under_load_of(client: impl Fn() -> Client, attack: impl AsyncFn()) {
    run(async {
        let working = Rc::new(Cell::new(CLIENTS));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (client, working) = (client(), Rc::clone(&working));
                tokio::task::spawn_local(async move {
                    let late = mean_well(client, number).await;
                    working.set(working.get() - 1);
                    late
                })
            })
            .collect();
        loop {
            attack().await;
            if working.get() == 0 {
                break;
            }
        }
        for client in clients {
            let late = client.await.unwrap();
            assert!(late <= LATE, "{late} good requests waited {LATEST:?} and more");
        }
    });
}

#[test]
fn a_replyer_refuses_each_hostile_payload_and_counts_it_once() {
    let addresses = value!({"in": {
        "order": {"replyer": {"address": "127.0.0.1:0", "max_message_bytes": MOST_BYTES}},
        "order_later": {"replyer": {"address": "127.0.0.1:0", "max_message_bytes": MOST_BYTES}},
        "taken": {"replyer": "127.0.0.1:0"},
        "on_order": {"subscriber": "127.0.0.1:9"},
    }});
    for connection in ["order", "order_later"] {
        let mut service = Service::of::<Exchange>(wired(addresses.clone()));
        service.start().unwrap();
        let attacks = attacks();
        under_load(connection, &service, async || {
            let client = Client::to(&address(&service, connection));
            for attack in &attacks {
                let before = counters(&service, connection);
                let answer = client.ask_bytes(attack.payload.clone()).await;
                let rise = risen(&before, &counters(&service, connection));
                let (code, message) = answer.error();
                assert_eq!(code, attack.code, "{}: {message}", attack.name);
                assert!(message.contains(attack.told), "{}: {message}", attack.name);
                assert_eq!(rise, [(code, 1)].into(), "{}", attack.name);
            }
            client.close().await;
        });
        let counted = counters(&service, connection);
        assert_eq!(counted.handler.count - counted.refused["bad_args"], REQUESTS_OF_ALL, "{counted:?}");
        service.stop().unwrap();
    }
}

#[test]
fn a_subscriber_drops_each_hostile_payload_and_counts_it_once() {
    run(async {
        let (publisher, publisher_address) = Raw::bind(Role::Publish).await;
        let addresses = value!({"in": {
            "order": {"replyer": "127.0.0.1:0"},
            "order_later": {"replyer": "127.0.0.1:0"},
            "taken": {"replyer": "127.0.0.1:0"},
            "on_order": {"subscriber": {"address": (publisher_address.to_string()), "max_message_bytes": MOST_BYTES}},
        }});
        let mut service = Service::of::<Exchange>(wired(addresses));
        service.start().unwrap();
        until_async(|| {
            publisher.send(&[&good()]);
            counters(&service, "on_order").messages_in > 0
        })
        .await;
        let replyer = address(&service, "order");
        let working = Rc::new(Cell::new(CLIENTS));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (client, working) = (Client::to(&replyer), Rc::clone(&working));
                tokio::task::spawn_local(async move {
                    let late = mean_well(client, number).await;
                    working.set(working.get() - 1);
                    late
                })
            })
            .collect();
        let topics: [(&str, &[u8]); 4] = [
            ("a topic and no message", b"\xa5price"),
            ("a topic longer than the frame", b"\xbfprice"),
            ("a topic of 2^32-1 bytes", b"\xdb\xff\xff\xff\xffabc"),
            ("a topic that is no UTF-8", b"\xa2\xff\xfe\x80"),
        ];
        loop {
            for attack in attacks() {
                let before = counters(&service, "on_order");
                publisher.send(&[&attack.payload]);
                until_async(|| !risen(&before, &counters(&service, "on_order")).is_empty()).await;
                let rise = risen(&before, &counters(&service, "on_order"));
                assert_eq!(rise, [(attack.code.to_owned(), 1)].into(), "{}", attack.name);
            }
            for (name, frame) in topics {
                let before = counters(&service, "on_order");
                publisher.send(&[frame]);
                until_async(|| !risen(&before, &counters(&service, "on_order")).is_empty()).await;
                let rise = risen(&before, &counters(&service, "on_order"));
                assert_eq!(rise, [("bad_message".to_owned(), 1)].into(), "{name}");
            }
            let before = counters(&service, "on_order");
            publisher.send(&[&good(), &good()]);
            until_async(|| !risen(&before, &counters(&service, "on_order")).is_empty()).await;
            assert_eq!(
                risen(&before, &counters(&service, "on_order")),
                [("frame_count".to_owned(), 1)].into()
            );
            if working.get() == 0 {
                break;
            }
        }
        for client in clients {
            assert!(client.await.unwrap() <= LATE);
        }
        // What is right still arrives.
        let taken = Client::to(&address(&service, "taken"));
        let before = taken.ask(value!({})).await.ok();
        publisher.send(&[&good()]);
        while taken.ask(value!({})).await.ok() == before {}
        service.stop().unwrap();
    });
}

#[test]
fn a_request_of_two_frames_is_dropped_and_counted() {
    let mut service = exchange();
    run(async {
        let raw = Raw::connect(Role::Dealer, &address(&service, "order")).await;
        let order = request(&value!({"id": "a", "size": 1, "price": 0.5}));
        let parts: [&[&[u8]]; 4] =
            [&[b"", &order, &order], &[b"1", b"", &order, b""], &[&order], &[b"1", &order]];
        for parts in parts {
            raw.send(parts);
        }
        // The one reply is that of the one request.
        raw.send(&[b"7", b"", &order]);
        let reply = raw.recv().await;
        assert_eq!((&reply[0][..], &reply[1][..], reply.len()), (&b"7"[..], &b""[..], 3));
        assert!(Answer::read(&reply[2]).outcome.is_ok());
        let counted = counters(&service, "order");
        assert_eq!(counted.refused, [("frame_count".to_owned(), 2), ("no_delimiter".to_owned(), 2)].into());
        assert_eq!((counted.messages_in, counted.messages_out), (1, 1));
    });
    service.stop().unwrap();
}
