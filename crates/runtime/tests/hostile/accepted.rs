//! What looks odd and is right.

use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Value, value};
use service_framework_runtime::Service;

use crate::Exchange;
use crate::support::{Client, address, counters, run, wired};

fn exchange(order: Value) -> Service {
    let addresses = value!({"in": {
        "order": {"replyer": (order)},
        "order_later": {"replyer": "127.0.0.1:0"},
        "taken": {"replyer": "127.0.0.1:0"},
        "on_order": {"subscriber": "127.0.0.1:9"},
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
