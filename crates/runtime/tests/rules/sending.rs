//! What leaves a service: by port or by name, under which topic, in which encoding.

use std::collections::BTreeMap;

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_core::address::Address;
use service_framework_core::topic;
use service_framework_core::value::AnyArray;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_runtime::Service;

use crate::support::{Client, Raw, address, counters, run, until_async, wired};

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Odd {
    number: f64,
    keys: BTreeMap<u64, i64>,
    points: Option<AnyArray>,
    nothing: Option<i64>,
}

const PRICES: Publisher<Value> = Publisher::new("prices").topic("BTC-USD");
const NEWS: Publisher<Value> = Publisher::new("news");
const PLAIN: Requester<Odd, Value> = Requester::new("plain");
const PYTHON: Requester<Odd, Value> = Requester::new("python").python();
const JSON: Requester<Odd, Value> = Requester::new("json").json();
const DOUBLE: ExternalTarget<Value, Value> = ExternalTarget::new("double", |args| {
    let Some(Value::Int(number)) = args.get("number") else { return Err(Error::msg("no number")) };
    Ok(value!({"number": (Value::Int(number * 2))}))
});

/// Sends as it is told.
struct Sender;

#[service(uses(PRICES, NEWS, PLAIN, PYTHON, JSON, DOUBLE))]
impl Sender {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn publish(&self, args: Value, cx: &Context) -> Result<Empty> {
        cx.publish(&PRICES, &args)?;
        cx.publish(&NEWS, &args)?;
        cx.publish_to(&PRICES, "ETH-USD", &args)?;
        cx.publish_to(&NEWS, "sport", &args)?;
        Ok(())
    }

    #[replyer]
    fn prices_only(&self, args: Value, cx: &Context) -> Result<Empty> {
        cx.publish(&PRICES, &args)
    }

    /// Sends by the name that it is given.
    #[replyer]
    async fn by_name(&self, args: Value, cx: &Context) -> Result<Value> {
        let name = args.get("name").and_then(Value::as_text).unwrap_or_default();
        let args = args.get("args").cloned().unwrap_or_default();
        Ok(match cx.send(name, &args).await {
            Ok(value) => value,
            Err(failure) => value!({"code": (failure.code()), "message": (failure.message())}),
        })
    }

    #[replyer]
    async fn odd(&self, args: Value, cx: &Context) -> Result<Value> {
        let odd = Odd {
            number: 2.0,
            keys: [(7, 8)].into(),
            points: Some(AnyArray::from(&Array::new(vec![2, 1], vec![1.0_f64, 2.0]).expect("two elements"))),
            nothing: None,
        };
        match args.get("by").and_then(Value::as_text) {
            Some("plain") => cx.request(&PLAIN, &odd).await,
            Some("python") => cx.request(&PYTHON, &odd).await,
            _ => cx.request(&JSON, &odd).await,
        }
    }

    #[replyer(peer = "python")]
    fn to_python(&self) -> Result<Odd> {
        Ok(Odd { number: 2.0, keys: [(7, 8)].into(), ..Odd::default() })
    }

    #[replyer]
    fn to_any(&self) -> Result<Odd> {
        Ok(Odd { number: 2.0, keys: [(7, 8)].into(), ..Odd::default() })
    }
}

service_framework::link!(Sender);

const REPLYERS: [&str; 6] = ["publish", "prices_only", "by_name", "odd", "to_python", "to_any"];

fn sender(press: &str, peer: &str) -> Service {
    let entries: Map = REPLYERS.iter().map(|name| (*name, value!({"replyer": "127.0.0.1:0"}))).collect();
    let publisher = value!({"publisher": {"address": press, "wait_after_creation_s": 0}});
    let requester = value!({"requester": peer});
    let book = value!({
        "in": (Value::Map(entries)),
        "out": {
            "prices": (publisher.clone()),
            "news": (publisher),
            "plain": (requester.clone()),
            "python": (requester.clone()),
            "json": (requester),
        },
    });
    let mut service = Service::of::<Sender>(wired(book));
    service.start().unwrap();
    service
}

/// Subscribes to everything at an address, and warms up until something arrives; more of that may come later.
async fn listen(at: &Address, warm_up: impl AsyncFn()) -> Raw {
    let raw = Raw::connect(Role::Subscribe(Bytes::new()), at).await;
    // What is published before the subscription is known there is lost, and nobody tells when it is.
    loop {
        warm_up().await;
        if tokio::time::timeout(Duration::from_millis(5), raw.recv()).await.is_ok() {
            return raw;
        }
    }
}

#[test]
fn publishers_at_one_endpoint_share_a_socket_and_count_for_themselves() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let press = format!("ipc://{}/press", folder.path().display());
        let mut service = sender(&press, "127.0.0.1:9");
        let client = Client::to(&address(&service, "publish"));
        let prices_only = Client::to(&address(&service, "prices_only"));
        let warming = value!({"warm": "up"});
        let raw = listen(&address(&service, "prices"), async || {
            client.ask(warming.clone()).await.ok();
        })
        .await;
        let before = service.counters();
        client.ask(value!({"a": 1})).await.ok();
        prices_only.ask(value!({"a": 2})).await.ok();
        let mut frames = Vec::new();
        while frames.len() < 5 {
            let frame = raw.recv().await;
            assert_eq!(frame.len(), 1);
            let (topic, payload) = topic::split(&frame[0]).unwrap();
            let value: Value = wire::decode(payload, Encoding::MessagePack, &Limits::default()).unwrap();
            let args = value.get("args").unwrap().clone();
            if args != warming {
                frames.push((topic.unwrap_or("-").to_owned(), args));
            }
        }
        let one = value!({"a": 1});
        let expected =
            [("BTC-USD", one.clone()), ("-", one.clone()), ("ETH-USD", one.clone()), ("sport", one)];
        let mut expected: Vec<_> = expected.map(|(topic, value)| (topic.to_owned(), value)).into();
        expected.push(("BTC-USD".to_owned(), value!({"a": 2})));
        assert_eq!(frames, expected);
        let sent = |name: &str| {
            service.counters().connections[name].messages_out - before.connections[name].messages_out
        };
        assert_eq!((sent("prices"), sent("news")), (3, 2));
        service.stop().unwrap();
    });
}

#[test]
fn a_connection_can_be_sent_by_by_its_name() {
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let mut service = sender("127.0.0.1:0", &at.to_string());
        let client = Client::to(&address(&service, "by_name"));
        let send = async |name: &str| client.ask(value!({"name": name, "args": {"number": 21}})).await.ok();

        assert_eq!(send("double").await, value!({"number": 42}));
        assert_eq!(counters(&service, "double").messages_out, 1);
        assert_eq!(send("news").await, value!({}));
        assert_eq!(counters(&service, "news").messages_out, 1);
        let asking = send("plain");
        let answering = async {
            let frames = peer.recv().await;
            let reply = wire::encode(&value!({"return_args": {"ok": true}}), Encoding::MessagePack).unwrap();
            peer.send(&[&frames[0], &frames[1], &frames[2], &reply]);
        };
        assert_eq!(tokio::join!(asking, answering).0, value!({"ok": true}));

        let unknown = send("dubble").await;
        let message = unknown.get("message").and_then(Value::as_text).unwrap();
        assert!(
            message.contains("declares no connection `dubble`") && message.contains("did you mean `double`?"),
            "{message}"
        );
        let inward = send("publish").await;
        let message = inward.get("message").and_then(Value::as_text).unwrap();
        assert!(message.contains("`publish` is of type replyer"), "{message}");
        service.stop().unwrap();
    });
}

#[test]
fn a_peer_in_python_is_sent_what_it_can_take_and_no_more() {
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let mut service = sender("127.0.0.1:0", &at.to_string());
        let client = Client::to(&address(&service, "odd"));
        let sent = async |by: &str| {
            let asking = client.ask_with(value!({"by": by}), "deadline_ms", value!(50_000));
            let answering = async {
                let frames = peer.recv().await;
                let payload = frames.last().unwrap().clone();
                let reply = wire::encode(&value!({"return_args": {}}), Encoding::of(&payload)).unwrap();
                peer.send(&[&frames[0], &frames[1], &frames[2], &reply]);
                payload
            };
            let (answer, payload) = tokio::join!(asking, answering);
            answer.ok();
            payload
        };
        let holds = |payload: &[u8], part: &[u8]| payload.windows(part.len()).any(|window| window == part);
        let float = [0xcb, 0x40, 0, 0, 0, 0, 0, 0, 0];
        let python = sent("python").await;
        assert!(holds(&python, b"\xa6number\xcb\x40"), "{python:?}");
        assert!(holds(&python, &float));
        assert!(holds(&python, b"\xa4keys\x81\xa17\x08"), "{python:?}");
        for key in ["deadline_ms", "nothing", "dtype", "shape"] {
            assert!(!holds(&python, key.as_bytes()), "{key}: {python:?}");
        }
        let plain = sent("plain").await;
        assert!(holds(&plain, b"\xa4keys\x81\x07\x08"), "{plain:?}");
        assert!(holds(&plain, b"deadline_ms") && holds(&plain, b"shape"), "{plain:?}");
        let json = sent("json").await;
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(
            (&json["args"]["number"], &json["args"]["keys"]["7"]),
            (&serde_json::json!(2.0), &serde_json::json!(8))
        );

        let raw = async |name: &str| {
            let client = Client::to(&address(&service, name));
            client.send(crate::support::request(&value!({}))).await.unwrap()
        };
        assert!(holds(&raw("to_python").await, b"\xa4keys\x81\xa17\x08"));
        assert!(holds(&raw("to_any").await, b"\xa4keys\x81\x07\x08"));
        service.stop().unwrap();
    });
}

#[test]
fn a_publisher_may_connect_to_a_proxy() {
    run(async {
        let (proxy, at) = Raw::bind(Role::Subscribe(Bytes::new())).await;
        let entries: Map = REPLYERS.iter().map(|name| (*name, value!({"replyer": "127.0.0.1:0"}))).collect();
        let publisher = value!({"publisher": {"address": (at.to_string()), "is_x_pub": true}});
        let requester = value!({"requester": "127.0.0.1:9"});
        let book = value!({
            "in": (Value::Map(entries)),
            "out": {
                "prices": (publisher.clone()), "news": (publisher),
                "plain": (requester.clone()), "python": (requester.clone()), "json": (requester),
            },
        });
        let mut service = Service::of::<Sender>(wired(book));
        service.start().unwrap();
        let client = Client::to(&address(&service, "prices_only"));
        let asking = async {
            loop {
                client.ask(value!({"a": 1})).await.ok();
            }
        };
        let frames = tokio::select! {
            frames = proxy.recv() => frames,
            () = asking => unreachable!("it asks for ever"),
        };
        assert_eq!(topic::split(&frames[0]).unwrap().0, Some("BTC-USD"));
        until_async(|| counters(&service, "prices").messages_out > 0).await;
        service.stop().unwrap();
    });
}
