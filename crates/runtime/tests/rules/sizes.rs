//! What is larger than its connection may carry is not sent, and whoever sends it is told.

use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_core::address::Address;
use service_framework_core::failure::code;
use service_framework_core::topic;
use service_framework_core::wire::{self, Encoding};
use service_framework_runtime::Service;

use crate::support::{Answer, Client, Raw, address, counters, request, run, wired};

const PEER: Requester<Text, Empty> = Requester::new("peer");
const NEWS: Publisher<Text> = Publisher::new("news");

#[derive(Model, Clone, Debug)]
struct Text {
    text: String,
}

#[derive(Model, Clone, Debug)]
struct Length {
    length: u64,
}

impl From<Length> for Text {
    fn from(Length { length }: Length) -> Self {
        Self { text: "x".repeat(length as usize) }
    }
}

#[derive(Model, Debug)]
struct Told {
    code: Option<String>,
    message: Option<String>,
}

impl From<Result<Empty>> for Told {
    fn from(sent: Result<Empty>) -> Self {
        let failure = sent.err();
        Self {
            code: failure.as_ref().map(|failure| failure.code().to_owned()),
            message: failure.map(|failure| failure.message().to_owned()),
        }
    }
}

/// Sends and answers with texts as long as it is told.
struct Writer;

#[service(uses(PEER, NEWS))]
impl Writer {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn request(&self, args: Length, cx: &Context) -> Result<Told> {
        Ok(cx.request(&PEER, &args.into()).await.into())
    }

    #[replyer(blocking)]
    fn request_blocking(&self, args: Length, cx: &BlockingContext) -> Result<Told> {
        Ok(cx.request(&PEER, &args.into()).into())
    }

    #[replyer]
    fn publish(&self, args: Length, cx: &Context) -> Result<Told> {
        Ok(cx.publish(&NEWS, &args.into()).into())
    }

    #[replyer(blocking)]
    fn publish_blocking(&self, args: Length, cx: &BlockingContext) -> Result<Told> {
        Ok(cx.publish_to(&NEWS, "a topic is no part of the message", &args.into()).into())
    }

    #[replyer]
    fn reply(&self, args: Length) -> Result<Text> {
        Ok(args.into())
    }

    #[replyer(blocking)]
    fn fail(&self, args: Length) -> Result<Text> {
        Err(Error::named("sorry", "it went wrong").with_data(Text::from(args).text))
    }
}

service_framework::link!(Writer);

const REPLYERS: [&str; 6] = ["request", "request_blocking", "publish", "publish_blocking", "reply", "fail"];

/// So that texts of 1,000 bytes and of nearly this many are written with lengths of the same size.
const MOST_BYTES: usize = 2_000;

fn writer(peer: &Address, press: &Address) -> Service {
    let most = MOST_BYTES as i64;
    let replyer = value!({"replyer": {"address": "127.0.0.1:0", "max_message_bytes": most}});
    let entries: Map = REPLYERS.iter().map(|name| (*name, replyer.clone())).collect();
    let (peer, press) = (peer.to_string(), press.to_string());
    let book = value!({
        "in": (Value::Map(entries)),
        "out": {
            "peer": {"requester": {"address": peer, "max_message_bytes": most}},
            "news": {"publisher": {"address": press, "is_x_pub": true, "max_message_bytes": most}},
        },
    });
    let mut service = Service::of::<Writer>(wired(book));
    service.start().unwrap();
    service
}

fn length(length: usize) -> Value {
    value!({"length": (length as i64)})
}

/// What was told of a message that is too large by one byte.
fn told(what: &str) -> Value {
    let bytes = MOST_BYTES + 1;
    let message = format!("{what}: {bytes} bytes, and its `max_message_bytes` is {MOST_BYTES}");
    value!({"code": (code::TOO_LARGE), "message": message})
}

/// The one message of a frame, behind the topic if there is one.
fn payload(frames: &[Bytes]) -> &[u8] {
    topic::split(frames.last().unwrap()).unwrap().1
}

#[test]
fn a_request_over_the_limit_fails_at_its_caller() {
    run(async {
        let (peer, at) = Raw::bind(Role::Router).await;
        let mut service = writer(&at, &"127.0.0.1:9".parse().unwrap());
        let empty = wire::encode(&value!({"return_args": {}}), Encoding::MessagePack).unwrap();
        let answered = async |client: &Client, text: usize| {
            let answering = async {
                let frames = peer.recv().await;
                peer.send(&[&frames[0], &frames[1], &frames[2], &empty]);
                payload(&frames).len()
            };
            let (told, bytes) = tokio::join!(client.ask(length(text)), answering);
            assert_eq!(told.ok(), value!({}));
            bytes
        };
        for (number, by) in ["request", "request_blocking"].into_iter().enumerate() {
            let client = Client::to(&address(&service, by));
            let around = answered(&client, 1_000).await - 1_000;
            assert_eq!(answered(&client, MOST_BYTES - around).await, MOST_BYTES);
            let refused = client.ask(length(MOST_BYTES - around + 1)).await.ok();
            assert_eq!(refused, told("request by `peer`"), "{by}");
            assert_eq!(counters(&service, "peer").refused["too_large"], number as u64 + 1);
        }
        service.stop().unwrap();
    });
}

#[test]
fn a_publication_over_the_limit_fails_at_its_caller() {
    run(async {
        let (press, at) = Raw::bind(Role::Subscribe(Bytes::new())).await;
        let mut service = writer(&"127.0.0.1:9".parse().unwrap(), &at);
        let client = Client::to(&address(&service, "publish"));
        let warming_up = async {
            loop {
                client.ask(length(0)).await.ok();
            }
        };
        tokio::select! {
            _ = press.recv() => {}
            () = warming_up => unreachable!("it publishes for ever"),
        }
        let published = async |client: &Client, text: usize| {
            assert_eq!(client.ask(length(text)).await.ok(), value!({}));
            loop {
                let frames = press.recv().await;
                if payload(&frames).len() >= text {
                    return payload(&frames).len();
                }
            }
        };
        for (number, by) in ["publish", "publish_blocking"].into_iter().enumerate() {
            let client = Client::to(&address(&service, by));
            let around = published(&client, 1_000).await - 1_000;
            assert_eq!(published(&client, MOST_BYTES - around).await, MOST_BYTES);
            let refused = client.ask(length(MOST_BYTES - around + 1)).await.ok();
            assert_eq!(refused, told("publication by `news`"), "{by}");
            assert_eq!(counters(&service, "news").refused["too_large"], number as u64 + 1);
        }
        service.stop().unwrap();
    });
}

#[test]
fn a_reply_over_the_limit_becomes_an_error() {
    run(async {
        let nobody = "127.0.0.1:9".parse().unwrap();
        let mut service = writer(&nobody, &nobody);
        let client = Client::to(&address(&service, "reply"));
        let around = client.send(request(&length(1_000))).await.unwrap().len() - 1_000;
        let largest = client.send(request(&length(MOST_BYTES - around))).await.unwrap();
        assert_eq!(largest.len(), MOST_BYTES);
        let (code, message) = client.ask(length(MOST_BYTES - around + 1)).await.error();
        assert_eq!(value!({"code": code, "message": message}), told("reply of `reply`"));
        assert_eq!(counters(&service, "reply").refused["too_large"], 1);
        service.stop().unwrap();
    });
}

#[test]
fn an_error_over_the_limit_comes_without_its_data() {
    run(async {
        let nobody = "127.0.0.1:9".parse().unwrap();
        let mut service = writer(&nobody, &nobody);
        let client = Client::to(&address(&service, "fail"));
        for (data_bytes, has_data) in [(1_000, true), (MOST_BYTES, false)] {
            let reply = client.send(request(&length(data_bytes))).await.unwrap();
            assert!(reply.len() <= MOST_BYTES, "{} bytes", reply.len());
            assert_eq!(reply.ends_with(b"xxx"), has_data);
            let (code, message) = Answer::read(&reply).error();
            assert!(code.ends_with(".sorry"), "{code}");
            assert_eq!(message, "it went wrong");
        }
        service.stop().unwrap();
    });
}
