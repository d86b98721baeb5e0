//! What strangers do, and that good peers notice nothing of it.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::rc::Rc;

use bytes::Bytes;
use service_framework_zmtp::socket::{Cause, Ended, Event, Socket};
use service_framework_zmtp::{Credentials, Error, Login, Mechanism, SocketType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::yield_now;

use crate::support::{
    Carrier, Hand, Place, bound, connected, ended, event, introduction, ramp, run, send, socket, text, until,
};

async fn dial(place: &Place) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, place.port())).await.expect("a listener")
}

/// Whether a peer that was there before is still answered.
async fn still_talk(router: &Socket, dealer: &Socket) {
    send(dealer, text("are you there?"));
    let came = router.recv().await;
    send(router, came);
    assert_eq!(dealer.recv().await, text("are you there?"));
}

#[test]
fn what_is_no_zmtp_is_told_apart_and_harms_nobody() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let dealer = connected(SocketType::Dealer, &place, |_| ()).await;
        until(|| router.peers() == 1).await;
        let introduction = introduction(SocketType::Dealer);
        let (greeting, after) = (&introduction[..64], |bytes: &[u8]| [&introduction, bytes].concat());
        let noise = ramp(1 << 16).iter().map(|byte| byte.wrapping_mul(31) ^ 0x5a).collect();
        let cases: [(&str, Vec<u8>, Cause); 10] = [
            ("HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), Cause::NotZmtp),
            ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), Cause::NotZmtp),
            ("random bytes", noise, Cause::NotZmtp),
            ("a mechanism that is none", [&greeting[..12], b"MAGIC", &[0; 47]].concat(), Cause::Mechanism),
            ("a message before the handshake", [greeting, b"\x00\x01x"].concat(), Cause::Malformed),
            // Of which nothing comes: a stranger that was waited for would not be told apart.
            ("the length of one", [greeting, b"\x02\0\0\0\0\x01\0\0\0"].concat(), Cause::Malformed),
            ("a broken ERROR", [greeting, b"\x04\x08\x05ERROR\x02no"].concat(), Cause::Malformed),
            ("a length of 2^63", after(b"\x02\x80\x00\x00\x00\x00\x00\x00\x00"), Cause::TooLarge),
            ("endless frames", after(&b"\x01\x00".repeat(100_000)), Cause::TooManyFrames),
            ("flags that there are not", after(b"\xf8\x01x"), Cause::Malformed),
        ];
        for (index, (case, bytes, cause)) in cases.iter().enumerate() {
            let mut wanted = router.counts();
            let mut stranger = dial(&place).await;
            // It may be cut before it has said all.
            _ = stranger.write_all(bytes).await;
            let mut rest = Vec::new();
            _ = stranger.read_to_end(&mut rest).await;
            until(|| {
                let counts = router.counts();
                counts.handshakes_failed.total() + counts.disconnected.total() == index as u64 + 1
            })
            .await;
            let why = ended(&router).await;
            assert!(matches!(why, Ended::Protocol(_)), "{case}: {why}");
            let (is_met, now) = (index >= 7, router.counts());
            if is_met { &mut wanted.disconnected } else { &mut wanted.handshakes_failed }.add(*cause, 1);
            assert_eq!(
                (now.disconnected, now.handshakes_failed),
                (wanted.disconnected, wanted.handshakes_failed),
                "{case}"
            );
            assert_eq!(now.connected, wanted.connected + u64::from(is_met), "{case}");
            still_talk(&router, &dealer).await;
        }
        assert_eq!(router.peers(), 1);
    });
}

#[test]
fn a_stranger_that_goes_away_is_noted() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        for length in [0, 1, 11, 64, 70] {
            let mut stranger = dial(&place).await;
            stranger.write_all(&introduction(SocketType::Dealer)[..length]).await.expect("it is taken");
            stranger.shutdown().await.expect("it was open");
            let Event::HandshakeFailed { why: Ended::ByPeer } = event(&router).await else {
                panic!("it was met after {length} bytes")
            };
        }
        assert_eq!((router.counts().handshakes_failed.of(Cause::ByPeer), router.peers()), (5, 0));
    });
}

#[test]
fn who_is_silent_or_slow_is_cut_in_time() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let dealer = connected(SocketType::Dealer, &place, |_| ()).await;
        let introduction = introduction(SocketType::Dealer);
        let mut strangers = Vec::new();
        for length in [0, 1, 64, introduction.len() - 1] {
            let mut stranger = dial(&place).await;
            stranger.write_all(&introduction[..length]).await.expect("it is taken");
            strangers.push(stranger);
        }
        still_talk(&router, &dealer).await;
        // The time of all handshakes passes at once.
        tokio::time::pause();
        for _ in &strangers {
            let why = ended(&router).await;
            assert!(matches!(why, Ended::Protocol(Error::HandshakeTimeout)), "{why}");
        }
        tokio::time::resume();
        for mut stranger in strangers {
            let mut rest = Vec::new();
            _ = stranger.read_to_end(&mut rest).await;
        }
        assert_eq!(router.counts().handshakes_failed.of(Cause::Timeout), 4);
        still_talk(&router, &dealer).await;
    });
}

#[test]
fn there_are_no_more_connections_than_allowed() {
    run(async {
        let (router, place) =
            bound(SocketType::Router, Carrier::Tcp, |options| options.connections = 2).await;
        let dealer = connected(SocketType::Dealer, &place, |_| ()).await;
        let stranger = dial(&place).await;
        let mut third = dial(&place).await;
        assert!(matches!(third.read(&mut [0; 1]).await, Ok(0) | Err(_)), "it is closed at once");
        assert_eq!(router.counts().refused_connections, 1);
        still_talk(&router, &dealer).await;
        drop(stranger);
        until(|| router.counts().handshakes_failed.total() == 1).await;
        let fourth = connected(SocketType::Dealer, &place, |_| ()).await;
        still_talk(&router, &fourth).await;
    });
}

#[test]
fn a_peer_that_breaks_the_protocol_later_ends_alone() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let dealer = connected(SocketType::Dealer, &place, |_| ()).await;
        let mut bad = Hand::met(SocketType::Dealer, &place).await;
        bad.send(&text("good so far")).await;
        assert_eq!(router.recv().await[1], "good so far");
        bad.stream.write_all(b"\x02\xff\xff\xff\xff\xff\xff\xff\xff").await.expect("it is taken");
        let why = ended(&router).await;
        assert!(matches!(why, Ended::Protocol(Error::FrameTooLarge { .. })), "{why}");
        assert_eq!(router.counts().disconnected.of(Cause::TooLarge), 1);
        still_talk(&router, &dealer).await;
    });
}

#[test]
fn a_million_empty_frames_leave_others_their_turn() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let dealer = connected(SocketType::Dealer, &place, |_| ()).await;
        let mut flood = Hand::met(SocketType::Dealer, &place).await;
        let flooding = tokio::task::spawn_local(async move {
            for _ in 0..1_000 {
                flood.stream.write_all(&[0; 2_000]).await.expect("it is taken");
            }
            flood
        });
        let mut empty = 0;
        send(&dealer, text("are you there?"));
        loop {
            let message = router.recv().await;
            if message[1].is_empty() {
                empty += 1;
            } else {
                send(&router, message);
                break;
            }
        }
        assert_eq!(dealer.recv().await, text("are you there?"));
        while empty < 1_000_000 {
            assert!(router.recv().await[1].is_empty());
            empty += 1;
        }
        flooding.await.expect("it ends");
    });
}

/// What a peer may say without end that is no message, with what is said twice.
const FLOODS: [(&str, &[u8]); 6] = [
    ("cancellations of nothing", b"\x00\x01\x00"),
    ("the same in commands", b"\x04\x07\x06CANCEL"),
    ("one subscription again and again", b"\x00\x01\x01"),
    ("questions for a sign of life", b"\x04\x07\x04PING\0\0"),
    ("signs of life", b"\x04\x05\x04PONG"),
    ("commands that are not known", b"\x04\x02\x01X"),
];

/// How often others have their turn while a peer says this so many times.
async fn turns_of_others(said: &[u8], times: usize) -> usize {
    let (publisher, place) = bound(SocketType::XPub, Carrier::Tcp, |_| ()).await;
    let mut flood = Hand::met(SocketType::XSub, &place).await;
    until(|| publisher.peers() == 1).await;
    let turns = Rc::new(Cell::new(0));
    let counted = Rc::clone(&turns);
    let others = tokio::task::spawn_local(async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    });
    let said = [said.repeat(times), b"\x00\x04done".to_vec()].concat();
    let flooding = tokio::task::spawn_local(async move {
        flood.stream.write_all(&said).await.expect("it is taken");
        flood
    });
    while publisher.recv().await != text("done") {}
    others.abort();
    flooding.await.expect("it ends");
    turns.get()
}

#[test]
fn whatever_a_peer_says_without_end_others_have_their_turn() {
    for (name, said) in FLOODS {
        run(async move {
            let turns = turns_of_others(said, 20_000).await;
            assert!(turns >= 20_000 / 64, "{name}: {turns} turns");
        });
    }
}

#[test]
fn messages_of_many_frames_leave_others_more_turns() {
    run(async {
        let said = [[1, 0].repeat(1_023), b"\x00\x00".to_vec()].concat();
        let turns = turns_of_others(&said, 500).await;
        assert!(turns >= 500, "{turns} turns");
    });
}

fn with_password(password: &'static str) -> Mechanism {
    let password = Bytes::from_static(password.as_bytes());
    Mechanism::PlainClient(Login { username: Bytes::from_static(b"alice"), password })
}

#[test]
fn a_client_that_is_not_admitted_is_told() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |options| {
            options.connection.mechanism = Mechanism::PlainServer;
            options.admits = Some(Rc::new(|credentials: &Credentials| {
                matches!(credentials, Credentials::Login(login) if login.username == "alice" && login.password == "secret")
            }));
        })
        .await;
        let client = |password| {
            socket(SocketType::Dealer, |options| options.connection.mechanism = with_password(password))
        };
        let bad = client("guess");
        let why = bad.connect(place.dial().await).await.expect_err("it is not admitted");
        assert!(matches!(&why, Ended::Protocol(Error::Refused { .. })), "{why}");
        assert_eq!(why.to_string(), "the peer refused the connection: not admitted");
        assert!(matches!(ended(&router).await, Ended::NotAdmitted));

        let good = client("secret");
        good.connect(place.dial().await).await.expect("it is admitted");
        still_talk(&router, &good).await;
    });
}

#[test]
fn nobody_is_admitted_unless_somebody_says_so() {
    run(async {
        let (_router, place) = bound(SocketType::Router, Carrier::Tcp, |options| {
            options.connection.mechanism = Mechanism::PlainServer;
        })
        .await;
        let client =
            socket(SocketType::Dealer, |options| options.connection.mechanism = with_password("secret"));
        assert!(client.connect(place.dial().await).await.is_err());
    });
}

#[test]
fn events_that_nobody_asks_for_are_forgotten() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        for _ in 0..300 {
            drop(dial(&place).await);
        }
        until(|| router.counts().handshakes_failed.total() == 300).await;
        for _ in 0..256 {
            event(&router).await;
        }
        let nothing =
            std::future::poll_fn(|context| std::task::Poll::Ready(router.poll_event(context))).await;
        assert!(nothing.is_pending());
    });
}
