//! Peers that break the protocol below the messages: each is put out or refused, counted, and disturbs nobody.

use bytes::Bytes;
use service_framework::prelude::*;
use service_framework_core::address::{Address, Host};
use service_framework_runtime::Service;
use service_framework_zmtp::SocketType;
use service_framework_zmtp::socket::{Options, Socket, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::exchange;
use crate::support::{Answer, address, counters, request, risen, run, until_async, wired};
use crate::under_load::under_load;

async fn dial(at: &Address) -> TcpStream {
    let Address::Tcp { host: Host::Ip(ip), port } = at else { panic!("{at} is no address of TCP") };
    TcpStream::connect((*ip, *port)).await.unwrap()
}

/// A greeting with that mechanism.
fn greeting(mechanism: &str) -> Vec<u8> {
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

/// All that comes before the first message.
fn introduction(identity: &[u8]) -> Vec<u8> {
    [greeting("NULL"), ready("DEALER", identity)].concat()
}

fn met_and(then: &[u8]) -> Vec<u8> {
    [&introduction(b"")[..], then].concat()
}

/// What is sent, and the reason that it is counted under.
struct Attack {
    name: &'static str,
    bytes: Vec<u8>,
    reason: &'static str,
    /// Whether the service ends the connection.
    is_put_out: bool,
}

fn attacks() -> Vec<Attack> {
    let attack = |name, bytes: Vec<u8>, reason, is_put_out| Attack { name, bytes, reason, is_put_out };
    let mut noise = 0x2545_f491_4f6c_dd1d_u64;
    let random: Vec<u8> = (0..300)
        .map(|_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (noise >> 56) as u8
        })
        .collect();
    let huge = [&[2][..], &(1_u64 << 63).to_be_bytes()].concat();
    let large = [&[2][..], &(1_u64 << 40).to_be_bytes()].concat();
    vec![
        attack("random bytes", random, "no_peer", true),
        attack("a browser", b"GET / HTTP/1.1\r\nHost: orders\r\n\r\n".repeat(4), "no_peer", true),
        attack(
            "TLS",
            [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[7; 100]].concat(),
            "no_peer",
            true,
        ),
        attack("another mechanism", greeting("PLAIN"), "no_peer", true),
        attack("an unknown mechanism", greeting("GSSAPI"), "no_peer", true),
        attack("a socket that does not fit", [greeting("NULL"), ready("SUB", b"")].concat(), "no_peer", true),
        attack("a name of 256 bytes", introduction(&[b'a'; 256]), "no_peer", true),
        attack("a frame of 2^63 bytes", met_and(&huge), "too_large", true),
        attack("a frame of 2^40 bytes", met_and(&large), "too_large", true),
        attack("a message of endless frames", met_and(&[1, 0].repeat(100_000)), "put_out", true),
        attack("flags that are none", met_and(&[0xf8, 0]), "put_out", true),
        attack("a message without a delimiter", met_and(b"\x00\x05hello"), "no_delimiter", false),
        attack("a delimiter alone", met_and(b"\x00\x00"), "frame_count", false),
        attack("two frames where one is due", met_and(b"\x01\x00\x01\x01a\x00\x01b"), "frame_count", false),
    ]
}

#[test]
fn each_breach_of_the_protocol_is_counted_once_and_disturbs_nobody() {
    let mut service = exchange();
    let at = address(&service, "order");
    under_load("order", &service, async || {
        for attack in attacks() {
            let before = counters(&service, "order");
            let mut stream = dial(&at).await;
            // A service that has heard enough closes before it has heard all.
            _ = stream.write_all(&attack.bytes).await;
            if attack.is_put_out {
                while !matches!(stream.read(&mut [0; 1_024]).await, Ok(0) | Err(_)) {}
            }
            let rise = || risen(&before, &counters(&service, "order"));
            until_async(|| !rise().is_empty()).await;
            assert_eq!(rise(), [(attack.reason.to_owned(), 1)].into(), "{}", attack.name);
        }
    });
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

/// Publishes nothing.
struct Press;

#[service(uses(NEWS))]
impl Press {
    fn new() -> Result<Self> {
        Ok(Self)
    }
}

service_framework::link!(Press);

#[test]
fn a_flood_of_subscriptions_ends_the_subscriber_alone() {
    let book = value!({"in": {}, "out": {"news": {"publisher": "127.0.0.1:0"}}});
    let mut service = Service::of::<Press>(wired(book));
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
        until_async(|| counters(&service, "news").refused == [("put_out".to_owned(), 1)].into()).await;
    });
    service.stop().unwrap();
}
