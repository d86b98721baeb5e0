//! Peers that break the protocol below the messages: each is put out or refused, counted, and disturbs nobody.

use std::future::poll_fn;
use std::task::{Context as TaskContext, Poll, Waker};

use bytes::Bytes;
use service_framework::prelude::*;
use service_framework_core::address::{Address, Host};
use service_framework_runtime::{ByCause, Cause, ConnectionCounters, Service};
use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{Options, Socket, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::exchange;
use crate::support::{Answer, address, counters, request, risen, run, until_async, wired};
use crate::under_load::under_load;

pub(crate) async fn dial(at: &Address) -> TcpStream {
    let Address::Tcp { host: Host::Ip(ip), port } = at else { panic!("{at} is no address of TCP") };
    TcpStream::connect((*ip, *port)).await.unwrap()
}

/// A greeting with that mechanism.
pub(crate) fn greeting(mechanism: &str) -> Vec<u8> {
    let mut said = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01".to_vec();
    said.extend_from_slice(mechanism.as_bytes());
    said.resize(64, 0);
    said
}

/// What a socket of that type says of itself, with that name.
fn ready(socket_type: &str, identity: &[u8]) -> Vec<u8> {
    let mut said = b"\x05READY".to_vec();
    for (key, value) in [("Socket-Type", socket_type.as_bytes()), ("Identity", identity)] {
        said.push(key.len() as u8);
        said.extend_from_slice(key.as_bytes());
        said.extend_from_slice(&(value.len() as u32).to_be_bytes());
        said.extend_from_slice(value);
    }
    let mut command = match u8::try_from(said.len()) {
        Ok(length) => vec![4, length],
        Err(_) => [&[6][..], &(said.len() as u64).to_be_bytes()].concat(),
    };
    command.extend_from_slice(&said);
    command
}

/// All that a DEALER says before its first message.
fn introduction() -> Vec<u8> {
    [greeting("NULL"), ready("DEALER", b"")].concat()
}

/// What is sent, and what it is counted as.
struct Attack {
    name: &'static str,
    bytes: Vec<u8>,
    counted: Counted,
}

/// What an attack is counted as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Counted {
    /// A stranger that was never met.
    Stranger(Cause),
    /// A peer that was put out.
    Peer(Cause),
    /// A message that is none, whose peer stays.
    Message(&'static str),
}

use Counted::{Message, Peer, Stranger};

/// How much more there is of each; those who leave by themselves do so when they like.
fn rise(before: &ByCause, after: &ByCause) -> Vec<(Cause, u64)> {
    let more = after.each().map(|(cause, times)| (cause, times - before.of(cause)));
    more.filter(|(cause, times)| *times > 0 && !matches!(cause, Cause::ByPeer | Cause::Network)).collect()
}

/// All that was counted between two readings.
pub(crate) fn counted(before: &ConnectionCounters, after: &ConnectionCounters) -> Vec<(Counted, u64)> {
    let strangers = rise(&before.handshakes_failed, &after.handshakes_failed).into_iter();
    let peers = rise(&before.disconnected, &after.disconnected).into_iter();
    let mut all: Vec<_> = strangers.map(|(cause, times)| (Stranger(cause), times)).collect();
    all.extend(peers.map(|(cause, times)| (Peer(cause), times)));
    for (reason, times) in risen(before, after) {
        let known = ["no_delimiter", "frame_count"].into_iter().find(|known| reason == *known);
        match known {
            Some(reason) => all.push((Message(reason), times)),
            // What its peer was put out for.
            None => assert_eq!((reason.as_str(), times), ("too_large", 1)),
        }
    }
    all
}

/// What breaks the protocol of a socket that is met by those of this type, and not by those of that other one.
fn attacks(theirs: &str, misfit: &str) -> Vec<Attack> {
    let met_and = |then: &[u8]| [&greeting("NULL")[..], &ready(theirs, b""), then].concat();
    let attack = |name, bytes: Vec<u8>, counted| Attack { name, bytes, counted };
    let mut noise = 0x2545_f491_4f6c_dd1d_u64;
    let random: Vec<u8> = (0..300)
        .map(|_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (noise >> 56) as u8
        })
        .collect();
    let huge = [&[2][..], &(1_u64 << 63).to_be_bytes()].concat();
    let large = [&[2][..], &(1_u64 << 40).to_be_bytes()].concat();
    // One that may be sent by who was met, but for its last bytes.
    let message = [&[2][..], &(1_u64 << 20).to_be_bytes(), &[7; 1_000]].concat();
    vec![
        attack("random bytes", random, Stranger(Cause::NotZmtp)),
        attack("a browser", b"GET / HTTP/1.1\r\nHost: orders\r\n\r\n".repeat(4), Stranger(Cause::NotZmtp)),
        attack(
            "TLS",
            [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[7; 100]].concat(),
            Stranger(Cause::NotZmtp),
        ),
        attack("another mechanism", greeting("PLAIN"), Stranger(Cause::Mechanism)),
        attack("an unknown mechanism", greeting("GSSAPI"), Stranger(Cause::Mechanism)),
        attack(
            "a socket that does not fit",
            [greeting("NULL"), ready(misfit, b"")].concat(),
            Stranger(Cause::WrongType),
        ),
        attack(
            "a name of 256 bytes",
            [greeting("NULL"), ready(theirs, &[b'a'; 256])].concat(),
            Stranger(Cause::Malformed),
        ),
        attack(
            "a message before the handshake",
            [&greeting("NULL")[..], &message].concat(),
            Stranger(Cause::Malformed),
        ),
        attack(
            "a READY of 2^40 bytes",
            [&greeting("NULL")[..], &[6], &large[1..]].concat(),
            Stranger(Cause::TooLarge),
        ),
        attack("a frame of 2^63 bytes", met_and(&huge), Peer(Cause::TooLarge)),
        attack("a frame of 2^40 bytes", met_and(&large), Peer(Cause::TooLarge)),
        attack("a message of endless frames", met_and(&[1, 0].repeat(100_000)), Peer(Cause::TooManyFrames)),
        attack("flags that are none", met_and(&[0xf8, 0]), Peer(Cause::Malformed)),
    ]
}

/// What breaks the envelope of requests.
fn bad_requests() -> Vec<Attack> {
    let attack = |name, said: &[u8], reason| Attack {
        name,
        bytes: [&introduction()[..], said].concat(),
        counted: Message(reason),
    };
    vec![
        attack("a message without a delimiter", b"\x00\x05hello", "no_delimiter"),
        attack("a delimiter alone", b"\x00\x00", "frame_count"),
        attack("two frames where one is due", b"\x01\x00\x01\x01a\x00\x01b", "frame_count"),
    ]
}

/// Makes an attack, and holds the counters of the connection to it.
async fn attack(service: &Service, name: &str, attack: &Attack) {
    let before = counters(service, name);
    let mut stream = dial(&address(service, name)).await;
    // A service that has heard enough closes before it has heard all.
    _ = stream.write_all(&attack.bytes).await;
    if !matches!(attack.counted, Message(_)) {
        while !matches!(stream.read(&mut [0; 1_024]).await, Ok(0) | Err(_)) {}
    }
    let rise = || counted(&before, &counters(service, name));
    until_async(|| !rise().is_empty()).await;
    assert_eq!(rise(), [(attack.counted, 1)], "{} at `{name}`", attack.name);
}

#[test]
fn each_breach_of_the_protocol_is_counted_once_and_disturbs_nobody() {
    let mut service = exchange();
    under_load("order", &service, async || {
        for breach in attacks("DEALER", "SUB").iter().chain(&bad_requests()) {
            attack(&service, "order", breach).await;
        }
    });
    service.stop().unwrap();
}

#[test]
fn publishers_and_subscribers_that_listen_are_attacked_in_vain_too() {
    let book = value!({
        "in": {"mail": {"subscriber": {"address": "127.0.0.1:0", "is_binder": true}}},
        "out": {"news": {"publisher": "127.0.0.1:0"}},
    });
    let mut service = Service::of::<Post>(wired(book));
    service.start().unwrap();
    run(async {
        for breach in attacks("PUB", "DEALER") {
            attack(&service, "mail", &breach).await;
        }
        for breach in attacks("SUB", "PUB") {
            attack(&service, "news", &breach).await;
        }
        let publisher = Socket::new(Options::new(SocketType::Pub));
        publisher.connect(Stream::Tcp(dial(&address(&service, "mail")).await)).await.unwrap();
        let subscriber = Socket::new(Options::new(SocketType::Sub));
        subscriber.subscribe("");
        subscriber.connect(Stream::Tcp(dial(&address(&service, "news")).await)).await.unwrap();
        poll_fn(|context| publisher.poll_subscribers(1, context)).await;
        let letter = Bytes::from(request(&value!({"text": "are you there?"})));
        // The first letters may be published before the subscription is known.
        until_async(|| {
            publisher.send([letter.clone()].into()).unwrap();
            let heard = subscriber.poll_recv(&mut TaskContext::from_waker(Waker::noop()));
            matches!(heard, Poll::Ready(news) if String::from_utf8_lossy(&news[0]).contains("are you there?"))
        })
        .await;
    });
    service.stop().unwrap();
}

#[test]
fn whatever_a_peer_says_without_end_takes_nothing_from_others() {
    let mut service = exchange();
    let at = address(&service, "order");
    let before = counters(&service, "order");
    under_load("order", &service, async || {
        for said in [
            &b"\x04\x07\x04PING\0\0"[..],
            b"\x04\x05\x04PONG",
            b"\x04\x02\x01X",
            b"\x04\x0a\x09SUBSCRIBE",
            b"\x04\x07\x06CANCEL",
        ] {
            let mut stream = dial(&at).await;
            stream.write_all(&[introduction(), said.repeat(100_000)].concat()).await.unwrap();
            stream.shutdown().await.unwrap();
            while !matches!(stream.read(&mut [0; 1_024]).await, Ok(0) | Err(_)) {}
        }
    });
    assert_eq!(risen(&before, &counters(&service, "order")), [].into(), "nothing of it was a message");
    service.stop().unwrap();
}

#[test]
fn two_of_the_same_name_are_two_and_each_gets_its_own_answer() {
    let mut service = exchange();
    let at = address(&service, "order");
    let before = counters(&service, "order");
    run(async {
        let mut dealers = Vec::new();
        for _ in 0..2 {
            let mut options = Options::new(SocketType::Dealer);
            options.connection.identity = vec![b'n'; 255].into();
            let dealer = Socket::new(options);
            dealer.connect(Stream::Tcp(dial(&at).await)).await.unwrap();
            dealers.push(dealer);
        }
        for (number, dealer) in dealers.iter().enumerate() {
            let order = value!({"id": (number.to_string()), "size": 1, "price": 0.5});
            dealer.send([&b"1"[..], b"", &request(&order)].map(Bytes::copy_from_slice).into()).unwrap();
        }
        for (number, dealer) in dealers.iter().enumerate() {
            let answer = Answer::read(&dealer.recv().await[2]).ok();
            assert_eq!(answer.get("id"), Some(&Value::from(number.to_string())));
        }
    });
    assert_eq!(risen(&before, &counters(&service, "order")), [].into());
    service.stop().unwrap();
}

#[test]
fn the_silent_and_the_slow_take_nothing_from_others() {
    let mut service = exchange();
    let at = address(&service, "order");
    let before = counters(&service, "order");
    under_load("order", &service, async || {
        let mut slow = Vec::new();
        for number in 0..100 {
            let mut stream = dial(&at).await;
            // Half of them say one byte after the other, the others greet and say nothing.
            let said = if number % 2 == 0 { 1 } else { 64 };
            stream.write_all(&greeting("NULL")[..said]).await.unwrap();
            slow.push(stream);
        }
        for byte in 1..64 {
            for stream in slow.iter_mut().step_by(2) {
                stream.write_all(&greeting("NULL")[byte..=byte]).await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(
        risen(&before, &counters(&service, "order")),
        [].into(),
        "who leaves by itself was refused nothing"
    );
    service.stop().unwrap();
}

const NEWS: Publisher<Value> = Publisher::new("news");

/// What comes by mail.
#[derive(Model)]
struct Letter {
    text: String,
}

/// Publishes what it is sent.
struct Post;

#[service(uses(NEWS))]
impl Post {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[subscriber]
    fn mail(&self, letter: Letter, cx: &Context) -> Result<()> {
        cx.publish(&NEWS, &letter.text.into())
    }
}

service_framework::link!(Post);

#[test]
fn a_flood_of_subscriptions_ends_the_subscriber_alone() {
    let book = value!({"in": {"mail": {"subscriber": "127.0.0.1:9"}}, "out": {"news": {"publisher": "127.0.0.1:0"}}});
    let mut service = Service::of::<Post>(wired(book));
    service.start().unwrap();
    let at = address(&service, "news");
    run(async {
        let mut stream = dial(&at).await;
        let mut said = [greeting("NULL"), ready("SUB", b"")].concat();
        for number in 0..100_000_u32 {
            said.extend_from_slice(&[0, 5, 1]);
            said.extend_from_slice(&number.to_be_bytes());
        }
        _ = stream.write_all(&said).await;
        while !matches!(stream.read(&mut [0; 1_024]).await, Ok(0) | Err(_)) {}
        let lost = || counters(&service, "news").disconnected;
        until_async(|| lost().of(Cause::TooManySubscriptions) == 1).await;
        assert_eq!(lost().total(), 1);
    });
    service.stop().unwrap();
}
