//! What looks odd and is right.

use service_framework_connections::CallError;
use service_framework_connections::engine::Role;
use service_framework_core::value::Decimal;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Value, topic, value};
use service_framework_runtime::Service;

use crate::Exchange;
use crate::support::{Answer, Client, Raw, address, counters, risen, run, until_async, wired};

fn exchange(order: Value) -> Service {
    listening_to("127.0.0.1:9".into(), order)
}

fn listening_to(publisher: Value, order: Value) -> Service {
    let addresses = value!({"in": {
        "order": {"replyer": (order)},
        "order_later": {"replyer": "127.0.0.1:0"},
        "taken": {"replyer": "127.0.0.1:0"},
        "on_order": {"subscriber": (publisher)},
    }});
    let mut service = Service::of::<Exchange>(wired(addresses));
    service.start().unwrap();
    service
}

#[test]
fn a_request_may_lack_its_workflow_id_and_is_answered_null() {
    let mut service = exchange("127.0.0.1:0".into());
    run(async {
        let client = Client::to(&address(&service, "order"));
        let args = value!({"id": "a", "size": 1, "price": 0.5});
        let absent = value!({"args": (args.clone())});
        let null = value!({"args": (args.clone()), "workflow_id": null});
        for (message, encoding) in [absent, null]
            .iter()
            .flat_map(|message| [Encoding::MessagePack, Encoding::Json].map(|encoding| (message, encoding)))
        {
            let answer = client.ask_bytes(wire::encode(message, encoding).unwrap()).await;
            assert_eq!(answer.workflow_id, Value::Null);
            assert_eq!(answer.encoding, encoding, "a request is answered in its own encoding");
            assert_eq!(answer.ok(), args);
        }
    });
    service.stop().unwrap();
}

#[test]
fn the_bounds_of_numbers_come_back_as_they_were_sent() {
    let mut service = exchange("127.0.0.1:0".into());
    run(async {
        let client = Client::to(&address(&service, "order"));
        for size in [0, 1, i128::from(i64::MAX), i128::from(u64::MAX)] {
            let order = value!({"id": "a", "size": (Value::Int(size)), "price": 0.5});
            assert_eq!(client.ask(order.clone()).await.ok(), order);
        }
        for price in [f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, -0.0] {
            let back = client.ask(value!({"id": "a", "size": 1, "price": price})).await.ok();
            assert_eq!(back.get("price").and_then(Value::as_f64).unwrap().to_bits(), price.to_bits());
        }
        let back = client.ask(value!({"id": "a", "size": 1, "price": (f64::NAN)})).await.ok();
        assert!(back.get("price").and_then(Value::as_f64).unwrap().is_nan());
        let json = br#"{"args": {"id": "a", "size": 18446744073709551615, "price": {"__float__": "NaN"}}}"#;
        let back = client.ask_bytes(&json[..]).await.ok();
        assert_eq!(back.get("size"), Some(&Value::Int(u64::MAX.into())));
        assert!(back.get("price").and_then(Value::as_f64).unwrap().is_nan());
    });
    service.stop().unwrap();
}

#[test]
fn unknown_keys_beside_args_are_left_alone() {
    let mut service = exchange("127.0.0.1:0".into());
    run(async {
        let client = Client::to(&address(&service, "order"));
        let order = value!({"id": "a", "size": 1, "price": 0.5});
        let answer = client.ask_with(order.clone(), "traceparent", value!({"any": [1, "thing"]})).await;
        assert_eq!(answer.ok(), order);
    });
    service.stop().unwrap();
}

#[test]
fn sixteen_mebibytes_are_the_limit_unless_the_operator_says_so() {
    let order = |bytes: usize| value!({"id": ("x".repeat(bytes)), "size": 1, "price": 0.5});
    let mut service = exchange("127.0.0.1:0".into());
    run(async {
        let client = Client::to(&address(&service, "order"));
        assert!(client.ask(order(15 << 20)).await.outcome.is_ok());
        let (code, message) = client.ask(order(17 << 20)).await.error();
        assert_eq!(code, "too_large");
        assert!(message.contains("the limit is 16777216"), "{message}");
        assert_eq!(counters(&service, "order").refused["too_large"], 1);
    });
    service.stop().unwrap();

    let book = value!({"address": "127.0.0.1:0", "max_message_bytes": 33554432});
    let mut service = exchange(book);
    run(async {
        let client = Client::to(&address(&service, "order"));
        let reply = client.send(crate::support::request(&order(20 << 20))).await.unwrap();
        let limits = Limits { max_message_bytes: 32 << 20, ..Limits::default() };
        let reply: Value = wire::decode(&reply, Encoding::MessagePack, &limits).unwrap();
        assert!(reply.get("error").is_none(), "{:?}", reply.get("error"));
    });
    service.stop().unwrap();
}

#[test]
fn far_beyond_the_limit_the_peer_is_put_out_and_the_message_counted_once() {
    let mut service = exchange("127.0.0.1:0".into());
    run(async {
        let other = Client::to(&address(&service, "order"));
        let order = value!({"id": "a", "size": 1, "price": 0.5});
        assert_eq!(other.ask(order.clone()).await.ok(), order);
        for megabytes in [40, 100] {
            let before = counters(&service, "order");
            let client = Client::to(&address(&service, "order"));
            let lost = client.send(vec![0; megabytes * 1_000_000]).await;
            assert_eq!(lost, Err(CallError::PeerLost));
            until_async(|| !risen(&before, &counters(&service, "order")).is_empty()).await;
            // It is there again for the next, and others never lost it.
            assert_eq!(client.ask(order.clone()).await.ok(), order);
            assert_eq!(other.ask(order.clone()).await.ok(), order);
            let rise = risen(&before, &counters(&service, "order"));
            assert_eq!(rise, [("too_large".to_owned(), 1)].into(), "{megabytes} MB");
        }
    });
    service.stop().unwrap();
}

#[test]
fn a_decimal_has_as_many_digits_as_fit_into_the_message() {
    let mut service = exchange("127.0.0.1:0".into());
    run(async {
        let client = Client::to(&address(&service, "order"));
        let amount: Decimal = format!("-{}.{}", "7".repeat(50_000), "3".repeat(50_000)).parse().unwrap();
        let order = value!({"id": "a", "size": 1, "price": 0.5, "amount": (Value::Decimal(amount))});
        assert_eq!(client.ask(order.clone()).await.ok(), order);
    });
    service.stop().unwrap();
}

#[test]
fn a_workflow_id_of_a_megabyte_is_refused_and_not_repeated() {
    let mut service = exchange("127.0.0.1:0".into());
    run(async {
        let client = Client::to(&address(&service, "order"));
        let args = value!({"id": "a", "size": 1, "price": 0.5});
        let message = value!({"args": (args), "workflow_id": ("w".repeat(1_000_000))});
        let reply = client.send(wire::encode(&message, Encoding::MessagePack).unwrap()).await.unwrap();
        assert!(reply.len() < 1_000, "{} bytes", reply.len());
        let (code, message) = Answer::read(&reply).error();
        assert!(code == "bad_message" && message.contains("workflow_id"), "{code}: {message}");
        assert_eq!(counters(&service, "order").refused, [("bad_message".to_owned(), 1)].into());
    });
    service.stop().unwrap();
}

#[test]
fn a_topic_may_read_as_its_message_begins() {
    run(async {
        let (publisher, at) = Raw::bind(Role::Publish).await;
        let mut service = listening_to(at.to_string().into(), "127.0.0.1:0".into());
        let payload = br#"{"args": {"id": "a", "size": 1, "price": 0.5}, "workflow_id": "w"}"#;
        // The first sentinel that comes says that the subscriber is there.
        let sentinel = [&topic::encode("none")[..], payload].concat();
        until_async(|| {
            publisher.send(&[&sentinel]);
            counters(&service, "on_order").messages_in > 0
        })
        .await;
        // Messages are taken in order, so what is refused says that all before it was taken.
        let barrier = async |refused: u64| {
            publisher.send(&[b"\xa5price"]);
            until_async(|| counters(&service, "on_order").refused.get("bad_message") == Some(&refused)).await;
            counters(&service, "on_order").handler.count
        };
        let before = barrier(1).await;
        for topic in [&payload[..9], &payload[..40], payload] {
            let topic = std::str::from_utf8(topic).unwrap();
            publisher.send(&[&[&topic::encode(topic)[..], payload].concat()]);
        }
        assert_eq!(barrier(2).await, before + 3);
        service.stop().unwrap();
    });
}

#[test]
fn nesting_is_bounded_by_what_the_operator_says() {
    let nested = |depth: usize| {
        let mut value = Value::Int(1);
        (0..depth).for_each(|_| value = Value::List(vec![value.clone()]));
        value!({"id": "a", "size": 1, "price": 0.5, "anything": (value)})
    };
    let book = value!({"address": "127.0.0.1:0", "max_depth": 10});
    let mut service = exchange(book);
    run(async {
        let client = Client::to(&address(&service, "order"));
        assert!(client.ask(nested(8)).await.outcome.is_ok());
        let (code, message) = client.ask(nested(9)).await.error();
        assert!(code == "bad_message" && message.contains("args"), "{code}: {message}");
    });
    service.stop().unwrap();
}
