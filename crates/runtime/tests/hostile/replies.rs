//! Peers that answer nobody, twice, for somebody else, or with nonsense.

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_core::wire::{self, Encoding};
use service_framework_runtime::Service;

use crate::support::{Client, Raw, address, counters, run, wired};

const PEER: Requester<Value, Echoed> = Requester::new("peer").deadline_s(0.3);

#[derive(Model, Debug, PartialEq)]
struct Echoed {
    number: u64,
}

/// Passes on what its peer says.
struct Caller;

#[service(uses(PEER))]
impl Caller {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    /// The answer, or the code of what went wrong.
    #[replyer]
    async fn ask(&self, args: Value, cx: &Context) -> Result<Value> {
        Ok(match cx.request(&PEER, &args).await {
            Ok(echoed) => value!({"number": (echoed.number)}),
            Err(failure) => value!({"code": (failure.code()), "message": (failure.message())}),
        })
    }
}

service_framework::link!(Caller);

/// What the caller tells of a peer that does `answer` with the envelope of a request.
async fn told(peer: &Raw, client: &Client, answer: impl Fn(&Raw, &[&[u8]])) -> Value {
    let asking = client.ask(value!({"a": 1}));
    let answering = async {
        let frames = peer.recv().await;
        let envelope: Vec<&[u8]> = frames[..frames.len() - 1].iter().map(|frame| &frame[..]).collect();
        answer(peer, &envelope);
    };
    tokio::join!(asking, answering).0.ok()
}

fn reply(number: u64) -> Vec<u8> {
    wire::encode(&value!({"return_args": {"number": number}, "workflow_id": null}), Encoding::MessagePack)
        .unwrap()
}

fn with(envelope: &[&[u8]], payload: &[u8]) -> Vec<Vec<u8>> {
    envelope.iter().map(|frame| frame.to_vec()).chain([payload.to_vec()]).collect()
}

fn send(peer: &Raw, frames: &[Vec<u8>]) {
    peer.send(&frames.iter().map(|frame| &frame[..]).collect::<Vec<_>>());
}

#[test]
fn replies_that_nobody_waits_for_are_counted_and_matched_with_no_call() {
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let book = value!({"in": {"ask": {"replyer": "127.0.0.1:0"}}, "out": {"peer": {"requester": (at.to_string())}}});
        let mut service = Service::of::<Caller>(wired(book));
        service.start().unwrap();
        let client = Client::to(&address(&service, "ask"));
        let refused = || counters(&service, "peer").refused;

        let value = told(&peer, &client, |peer, envelope| {
            // To nobody, for another call, twice.
            send(peer, &[envelope[0].to_vec(), b"".to_vec(), reply(1)]);
            send(peer, &[envelope[0].to_vec(), 99_u64.to_be_bytes().to_vec(), b"".to_vec(), reply(2)]);
            send(peer, &[envelope[0].to_vec(), b"short".to_vec(), b"".to_vec(), reply(3)]);
            send(peer, &with(envelope, &reply(7)));
            send(peer, &with(envelope, &reply(8)));
        })
        .await;
        assert_eq!(value, value!({"number": 7}));
        // The next call comes after the second reply to this one.
        let value = told(&peer, &client, |peer, envelope| send(peer, &with(envelope, &reply(9)))).await;
        assert_eq!(value, value!({"number": 9}));
        assert_eq!(refused()["unknown_reply"], 3, "{:?}", refused());
        assert_eq!(refused()["late_reply"], 1, "{:?}", refused());
        service.stop().unwrap();
    });
}

#[test]
fn nonsense_from_a_peer_fails_that_call_alone() {
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let book = value!({"in": {"ask": {"replyer": "127.0.0.1:0"}}, "out": {"peer": {"requester": (at.to_string())}}});
        let mut service = Service::of::<Caller>(wired(book));
        service.start().unwrap();
        let client = Client::to(&address(&service, "ask"));
        let encode = |value: Value| wire::encode(&value, Encoding::MessagePack).unwrap();
        let nonsense = [
            (b"".to_vec(), "bad_message"),
            (b"\xc1".to_vec(), "bad_message"),
            (reply(1)[..9].to_vec(), "bad_message"),
            (encode(value!({"workflow_id": "w"})), "bad_message"),
            (encode(value!({"return_args": null})), "bad_message"),
            (encode(value!({"return_args": {"number": "one"}})), "bad_return"),
            (encode(value!({"return_args": {}})), "bad_return"),
            (encode(value!({"return_args": null, "error": {"code": "busy", "message": "later"}})), "busy"),
            (
                encode(value!({"return_args": null, "error": {"code": "shop.closed", "message": "x"}})),
                "shop.closed",
            ),
            (encode(value!({"return_args": null, "error": 5})), "bad_message"),
            (b"{\"return_args\": ".to_vec(), "bad_message"),
        ];
        for (payload, code) in nonsense {
            let value = told(&peer, &client, |peer, envelope| send(peer, &with(envelope, &payload))).await;
            assert_eq!(value.get("code"), Some(&Value::from(code)), "{value:?}");
        }
        // One that answers nothing costs the deadline.
        let value = told(&peer, &client, |_, _| {}).await;
        assert_eq!(value.get("code"), Some(&Value::from("deadline")), "{value:?}");
        // Two frames where one is due.
        let value = told(&peer, &client, |peer, envelope| {
            let mut frames = with(envelope, &reply(1));
            frames.push(reply(2));
            send(peer, &frames);
        })
        .await;
        assert_eq!(value.get("code"), Some(&Value::from("bad_message")), "{value:?}");
        // JSON is understood, whatever was asked in.
        let value = told(&peer, &client, |peer, envelope| {
            send(peer, &with(envelope, br#"{"return_args": {"number": 5}, "workflow_id": null}"#));
        })
        .await;
        assert_eq!(value, value!({"number": 5}));
        service.stop().unwrap();
    });
}
