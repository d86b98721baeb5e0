//! A service tells who its peers are, and what each of them has carried.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use service_framework::prelude::*;
use service_framework_connections::engine::Role;
use service_framework_core::address::Address;
use service_framework_runtime::{Cause, Options, PeerCounts, Peers, Service};
use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{self, Socket, Stream};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::scene::{At, Scene};
use crate::support::{Answer, Client, Raw, address, counters, request, run, until_async, wired};

const NEWS: Publisher<Value> = Publisher::new("news").wait_after_creation_s(0.0);
const PEER: Requester<Value, Value> = Requester::new("peer");

/// Does a little of everything.
struct Sociable {
    scene: Arc<Scene>,
}

#[service(uses(NEWS, PEER))]
impl Sociable {
    fn new(config: At) -> Result<Self> {
        Ok(Self { scene: config.scene() })
    }

    #[replyer]
    fn echo(&self, args: Value) -> Result<Value> {
        Ok(args)
    }

    #[replyer]
    fn publish(&self, args: Value, cx: &Context) -> Result<Empty> {
        cx.publish(&NEWS, &args)
    }

    /// Lets nothing else happen on the thread.
    #[replyer]
    fn hold(&self) -> Result<Empty> {
        self.scene.note("holds");
        self.scene.block("door");
        Ok(())
    }
}

service_framework::link!(Sociable);

/// The service, and who is at the other end of its requester.
async fn start(scene: &Scene) -> (Service, Raw) {
    let (peer, at) = Raw::bind(Role::Router).await;
    let any = || value!({"replyer": "127.0.0.1:0"});
    let book = value!({
        "in": {"echo": (any()), "publish": (any()), "hold": (any())},
        "out": {
            "news": {"publisher": {"address": "127.0.0.1:0", "queue": 10}},
            "peer": {"requester": (at.to_string())},
        },
    });
    let mut service = Service::of::<Sociable>(Options { config: scene.config().into(), ..wired(book) });
    service.start().unwrap();
    (service, peer)
}

fn peers(service: &Service, connection: &str) -> Peers {
    counters(service, connection).peers
}

/// The same once it is told of so many messages; a thread that has no turn for a while tells what it told before.
async fn peers_of(service: &Service, connection: &str, messages: u64) -> Peers {
    let mut told = Peers::default();
    until_async(|| {
        told = peers(service, connection);
        told.busiest.iter().map(|peer| peer.messages_in).sum::<u64>() == messages
    })
    .await;
    told
}

/// A requester of this identity, and where it connects from.
async fn dealer(to: &Address, identity: &[u8]) -> (Socket, SocketAddr) {
    let mut options = socket::Options::new(SocketType::Dealer);
    options.connection.identity = Bytes::copy_from_slice(identity);
    let dealer = Socket::new(options);
    let stream = TcpStream::connect(to.to_string()).await.unwrap();
    let from = stream.local_addr().unwrap();
    dealer.connect(Stream::Tcp(stream)).await.unwrap();
    (dealer, from)
}

async fn ask(dealer: &Socket, args: &Value) {
    dealer.send([&b"1"[..], b"", &request(args)].map(Bytes::copy_from_slice).into()).unwrap();
    assert_eq!(Answer::read(&dealer.recv().await[2]).ok(), *args);
}

#[test]
fn each_peer_is_told_with_what_it_has_carried_the_busiest_first() {
    run(async {
        let (mut service, _peer) = start(&Scene::new()).await;
        let at = address(&service, "echo");
        assert_eq!(peers(&service, "echo"), Peers::default());
        let (calm, _) = dealer(&at, b"\x1b[31m").await;
        let (loud, from) = dealer(&at, b"loud").await;
        ask(&calm, &value!({})).await;
        for _ in 0..3 {
            ask(&loud, &value!({"text": "hello"})).await;
        }
        let told = peers_of(&service, "echo", 4).await;
        let [first, second] = &told.busiest[..] else { panic!("{told:?}") };
        assert_eq!(first.identity.as_deref(), Some("loud"));
        assert_eq!(first.address, Some(from.to_string()));
        assert_eq!((first.messages_in, first.messages_out), (3, 3));
        assert!(first.bytes_in > 3 * request(&value!({"text": "hello"})).len() as u64);
        assert!(first.bytes_out > 0);
        assert_eq!(second.identity, None, "it cannot be printed");
        assert_eq!((second.messages_in, second.messages_out), (1, 1));
        assert_eq!(told.more, 0);

        let counted = counters(&service, "echo");
        let sum = |of: fn(&PeerCounts) -> u64| told.busiest.iter().map(of).sum::<u64>();
        assert_eq!(counted.traffic.bytes_in, sum(|peer| peer.bytes_in));
        assert_eq!(counted.traffic.bytes_out, sum(|peer| peer.bytes_out));
        assert_eq!((counted.connected, counted.disconnected.total()), (2, 0));

        let mut all = service.counters();
        while all.connections["echo"].peers != told {
            all = service.counters();
        }
        let json: serde_json::Value = serde_json::from_str(&all.to_json()).unwrap();
        let json = &json["counters"]["echo"];
        assert_eq!(json["peers"][0]["identity"], "loud");
        assert_eq!(json["peers"][0]["address"], from.to_string());
        assert_eq!(json["peers"][0]["bytes_in"], first.bytes_in);
        assert_eq!(
            (&json["peers"][1]["identity"], &json["more_peers"]),
            (&serde_json::Value::Null, &0.into())
        );

        // One that comes and says what no peer would.
        let mut stranger = TcpStream::connect(at.to_string()).await.unwrap();
        stranger.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        drop(loud);
        until_async(|| peers(&service, "echo").busiest.len() == 1).await;
        until_async(|| counters(&service, "echo").handshakes_failed.total() == 1).await;
        service.stop().unwrap();
        assert_eq!(peers(&service, "echo"), Peers::default(), "nobody is connected any more");
        let after = counters(&service, "echo");
        assert_eq!((after.messages_in, after.payload_bytes_in), (4, counted.payload_bytes_in));
        assert_eq!(after.traffic.bytes_in, counted.traffic.bytes_in + 16, "with those of who have gone");
        let lost = [(Cause::ByPeer, 1), (Cause::ByUs, 1)].into_iter().collect();
        assert_eq!((after.connected, after.disconnected), (2, lost));
        let json: serde_json::Value = serde_json::from_str(&service.counters().to_json()).unwrap();
        let json = &json["counters"]["echo"];
        assert_eq!(json["bytes_in"], after.traffic.bytes_in);
        assert_eq!(json["payload_bytes_in"], after.payload_bytes_in);
        assert_eq!(json["disconnected"], serde_json::json!({"by_peer": 1, "by_us": 1}));
        assert_eq!(json["handshakes_failed"], serde_json::json!({"not_zmtp": 1}));
    });
}

#[test]
fn of_many_peers_the_busiest_are_told_and_the_others_counted() {
    run(async {
        let (mut service, _peer) = start(&Scene::new()).await;
        let at = address(&service, "echo");
        let mut dealers = Vec::new();
        for number in 0..20 {
            let (dealer, _) = dealer(&at, format!("dealer {number}").as_bytes()).await;
            for _ in 0..if number < 5 { 2 } else { 1 } {
                ask(&dealer, &value!({"text": "hello"})).await;
            }
            dealers.push(dealer);
        }
        let told = peers_of(&service, "echo", 5 * 2 + 11).await;
        assert_eq!((told.busiest.len(), told.more), (16, 4));
        let mut busiest: Vec<_> =
            told.busiest[..5].iter().map(|peer| peer.identity.clone().unwrap()).collect();
        busiest.sort();
        assert_eq!(busiest, ["dealer 0", "dealer 1", "dealer 2", "dealer 3", "dealer 4"]);
        service.stop().unwrap();
    });
}

#[test]
fn who_is_connected_to_and_who_is_too_slow_is_told() {
    run(async {
        let (mut service, peer) = start(&Scene::new()).await;
        until_async(|| !peers(&service, "peer").busiest.is_empty()).await;
        assert!(peers(&service, "peer").busiest[0].address.is_some());
        drop(peer);
        until_async(|| peers(&service, "peer") == Peers::default()).await;
        until_async(|| counters(&service, "peer").dials_failed.of(Cause::Network) > 0).await;
        assert_eq!(counters(&service, "peer").disconnected.total(), 1);

        let slow = Raw::connect(Role::Subscribe(Bytes::new()), &address(&service, "news")).await;
        let client = Client::to(&address(&service, "publish"));
        let body = "x".repeat(1 << 20);
        let told = || peers(&service, "news").busiest.pop().unwrap_or_default();
        while told().dropped == 0 {
            client.ask(value!({"body": (body.as_str())})).await.ok();
        }
        let PeerCounts { queued_messages, queued_bytes, .. } = told();
        assert!((1..=10).contains(&queued_messages), "{queued_messages}");
        assert!(queued_bytes > 0);
        let traffic = || counters(&service, "news").traffic;
        until_async(|| traffic().queued_messages == told().queued_messages).await;
        until_async(|| told().dropped == counters(&service, "news").refused["queue_full"]).await;
        drop(slow);
        service.stop().unwrap();
    });
}

#[test]
fn while_the_thread_is_held_there_are_those_of_whom_it_told_last() {
    let scene = Scene::new();
    run(async {
        let (mut service, _peer) = start(&scene).await;
        let (dealer, _) = dealer(&address(&service, "echo"), b"known").await;
        ask(&dealer, &value!({})).await;
        let before = peers_of(&service, "echo", 1).await;
        let client = Client::to(&address(&service, "hold"));
        let held = tokio::task::spawn_local(async move { client.ask(value!({})).await });
        scene.noted("holds").await;
        assert_eq!(peers(&service, "echo"), before);
        scene.open("door");
        held.await.unwrap().ok();
        service.stop().unwrap();
    });
}
