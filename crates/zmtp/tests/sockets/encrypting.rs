//! Sockets that prove who they are by keys, and encrypt.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use service_framework_zmtp::socket::{Cause, Ended, Event, Options, Socket};
use service_framework_zmtp::{
    Connection, Credentials, Error, KeyPair, Mechanism, Message, PublicKey, SecretKey, SocketType,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::home::{self, Home};
use crate::support::{
    CARRIERS, Carrier, Place, bound, connected, ended, event, ramp, run, send, socket, text, texts, until,
};

/// The keys of a byte, repeated.
fn pair(byte: u8) -> KeyPair {
    SecretKey::from([byte; 32]).into()
}

const SERVER: u8 = 1;
const ALICE: u8 = 2;
const STRANGER: u8 = 9;

/// A server that lets Alice in, and nobody else.
fn server(options: &mut Options) {
    options.connection.mechanism = Mechanism::CurveServer { own: pair(SERVER) };
    options.admits = Some(Rc::new(|client| *client == Credentials::Key(*pair(ALICE).public())));
}

/// A client of this key that wants the server of that key.
fn client_of(own: u8, server: PublicKey) -> impl Fn(&mut Options) {
    move |options| options.connection.mechanism = Mechanism::CurveClient { own: pair(own), server }
}

fn alice(options: &mut Options) {
    client_of(ALICE, *pair(SERVER).public())(options);
}

async fn still_talk(router: &Socket, dealer: &Socket) {
    send(dealer, text("are you there?"));
    let came = router.recv().await;
    send(router, came);
    assert_eq!(dealer.recv().await, text("are you there?"));
}

#[test]
fn questions_and_answers_of_all_sizes() {
    run(async {
        for carrier in CARRIERS {
            let (replier, place) = bound(SocketType::Rep, carrier, server).await;
            let asker = connected(SocketType::Req, &place, alice).await;
            for length in [0, 1, 255, 256, 16_384, 1 << 20] {
                let message = Message::from([ramp(length), Bytes::new(), Bytes::from_static(b"end")]);
                send(&asker, message.clone());
                assert!(replier.recv().await == message, "{length}");
                send(&replier, message.clone());
                assert!(asker.recv().await == message, "{length}");
            }
        }
    });
}

#[test]
fn what_is_published_is_encrypted_for_each_subscriber() {
    run(async {
        let (publisher, place) = bound(SocketType::Pub, Carrier::Tcp, server).await;
        let mut subscribers = Vec::new();
        for _ in 0..3 {
            let subscriber = connected(SocketType::Sub, &place, alice).await;
            subscriber.subscribe("a");
            subscribers.push(subscriber);
        }
        // Nothing goes out before it is known who wants it.
        until(|| {
            let before = publisher.counts().sent;
            send(&publisher, text("a sync"));
            publisher.counts().sent - before == 3
        })
        .await;
        let wanted = Message::from([Bytes::from_static(b"a"), ramp(3_000), ramp(70_000)]);
        send(&publisher, wanted.clone());
        for subscriber in &subscribers {
            loop {
                let message = subscriber.recv().await;
                if message != text("a sync") {
                    assert!(message == wanted);
                    break;
                }
            }
        }
    });
}

#[test]
fn a_client_that_is_not_known_is_refused_counted_and_told() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, server).await;
        let good = connected(SocketType::Dealer, &place, alice).await;
        let bad = socket(SocketType::Dealer, client_of(STRANGER, *pair(SERVER).public()));
        let why = bad.connect(place.dial().await).await.expect_err("it is not admitted");
        assert_eq!(why.to_string(), "the peer refused the connection: not admitted");
        assert!(matches!(ended(&router).await, Ended::NotAdmitted));
        assert_eq!((router.counts().handshakes_failed.total(), router.peers()), (1, 1));
        assert_eq!(router.counts().handshakes_failed.of(Cause::NotAdmitted), 1);
        still_talk(&router, &good).await;
    });
}

#[test]
fn nobody_is_admitted_unless_somebody_says_so() {
    run(async {
        let (_router, place) = bound(SocketType::Router, Carrier::Tcp, |options| {
            options.connection.mechanism = Mechanism::CurveServer { own: pair(SERVER) };
        })
        .await;
        let client = socket(SocketType::Dealer, alice);
        assert!(client.connect(place.dial().await).await.is_err());
    });
}

#[test]
fn strangers_are_sent_away_and_harm_nobody() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, server).await;
        let good = connected(SocketType::Dealer, &place, alice).await;
        let plain = socket(SocketType::Dealer, |_| ());
        let why = plain.connect(place.dial().await).await.expect_err("it does not encrypt");
        assert!(matches!(why, Ended::Protocol(Error::Mechanism { .. })), "{why}");
        assert!(matches!(ended(&router).await, Ended::Protocol(Error::Mechanism { .. })));

        let mistaken = socket(SocketType::Dealer, client_of(ALICE, *pair(STRANGER).public()));
        assert!(matches!(mistaken.connect(place.dial().await).await, Err(Ended::ByPeer | Ended::System(_))));
        assert!(matches!(ended(&router).await, Ended::Protocol(Error::Unopened("HELLO"))));
        still_talk(&router, &good).await;

        let (open, place) = bound(SocketType::Router, Carrier::Tcp, |_| ()).await;
        let client = socket(SocketType::Dealer, alice);
        let why = client.connect(place.dial().await).await.expect_err("it does not encrypt");
        assert!(matches!(why, Ended::Protocol(Error::Mechanism { .. })), "{why}");
        assert!(matches!(ended(&open).await, Ended::Protocol(Error::Mechanism { .. })));
    });
}

/// Carries bytes between a client and a server, and changes one of those that the client sends after so many.
async fn meddler(place: &Place, after: usize) -> Place {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, place.port())).await.expect("a listener");
    tokio::task::spawn_local(async move {
        let (near, _) = listener.accept().await.expect("the client comes");
        let ((mut near_read, mut near_write), (mut far_read, mut far_write)) =
            (near.into_split(), far.into_split());
        tokio::task::spawn_local(async move { tokio::io::copy(&mut far_read, &mut near_write).await });
        let (mut bytes, mut passed) = (vec![0; 4096], 0);
        while let Ok(length @ 1..) = near_read.read(&mut bytes).await {
            if let Some(byte) = after.checked_sub(passed).and_then(|at| bytes[..length].get_mut(at)) {
                *byte ^= 1;
            }
            passed += length;
            if far_write.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    });
    Place::Tcp(port)
}

#[test]
fn a_byte_that_is_changed_on_the_way_ends_the_connection() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, server).await;
        // The greeting, HELLO and INITIATE of the client pass.
        let place = meddler(&place, 64 + 202 + 20_000).await;
        let dealer = connected(SocketType::Dealer, &place, alice).await;
        send(&dealer, Message::from([ramp(10_000)]));
        assert_eq!(router.recv().await.bytes(), 5 + 10_000);
        send(&dealer, Message::from([ramp(10_000)]));
        assert!(matches!(ended(&router).await, Ended::Protocol(Error::Unopened("MESSAGE"))));
        assert_eq!((router.counts().received, router.counts().disconnected.total()), (1, 1));
        assert_eq!(router.counts().disconnected.of(Cause::WrongKey), 1);
    });
}

#[test]
fn what_was_sent_arrives_though_its_sender_closes() {
    run(async {
        let (pull, place) = bound(SocketType::Pull, Carrier::Tcp, server).await;
        let push = connected(SocketType::Push, &place, alice).await;
        for index in 0..1_000 {
            send(&push, text(&index.to_string()));
        }
        let closing = tokio::task::spawn_local(push.close());
        let wanted: Vec<String> = (0..1_000).map(|index| index.to_string()).collect();
        assert_eq!(texts(&pull, 1_000).await, wanted);
        assert!(matches!(ended(&pull).await, Ended::ByPeer));
        closing.await.expect("it ends");
    });
}

#[test]
fn who_stops_in_the_middle_of_the_handshake_is_cut_in_time() {
    run(async {
        let (router, place) = bound(SocketType::Router, Carrier::Tcp, server).await;
        let mut options = Options::new(SocketType::Dealer);
        alice(&mut options);
        let mut client = Connection::new(options.connection, Instant::now());
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, place.port())).await.expect("a listener");
        // Its greeting and its HELLO leave, and the WELCOME comes.
        let mut bytes = vec![0; 64 + 2 + 168];
        stream.write_all(&client.take_output()).await.expect("it is taken");
        stream.read_exact(&mut bytes[..64]).await.expect("a greeting");
        client.receive(&bytes[..64], Instant::now());
        assert_eq!(client.poll(), Ok(None));
        stream.write_all(&client.take_output()).await.expect("it is taken");
        stream.read_exact(&mut bytes[64..]).await.expect("a WELCOME");
        // Its time passes at once.
        tokio::time::pause();
        assert!(matches!(ended(&router).await, Ended::Protocol(Error::HandshakeTimeout)));
        assert_eq!(router.counts().handshakes_failed.total(), 1);
    });
}

#[test]
fn who_is_dialled_is_known_by_its_key_each_time_that_it_comes() {
    for carrier in CARRIERS {
        run(async move {
            let home = Home::new(carrier);
            let asker = socket(SocketType::Req, alice);
            home.dial(&asker);
            for round in 0..5 {
                let answerer = socket(SocketType::Rep, server);
                answerer.listen(home.listener());
                home::connected(&asker, &home).await;
                send(&asker, text(&round.to_string()));
                assert_eq!(answerer.recv().await, text(&round.to_string()));
                send(&answerer, text("yes"));
                assert_eq!(asker.recv().await, text("yes"));
                drop(answerer);
                home::disconnected(&asker, &home).await;
            }
        });
    }
}

#[test]
fn who_is_not_admitted_dials_on_until_it_is() {
    run(async {
        let home = Home::new(Carrier::Tcp);
        let is_known = Rc::<Cell<bool>>::default();
        let known = Rc::clone(&is_known);
        let router = socket(SocketType::Router, |options| {
            server(options);
            options.admits = Some(Rc::new(move |_| known.get()));
        });
        router.listen(home.listener());
        let dealer = socket(SocketType::Dealer, alice);
        let dial = home.dial(&dealer);
        for _ in 0..3 {
            match event(&dealer).await {
                Event::DialFailed { why, .. } => {
                    assert_eq!(why.to_string(), "the peer refused the connection: not admitted");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((dealer.peers(), dealer.counts().connected), (0, 0));
        is_known.set(true);
        dial.met().await.expect("it is admitted");
        still_talk(&router, &dealer).await;
    });
}

#[test]
fn who_is_dialled_and_has_another_key_is_never_met() {
    run(async {
        let home = Home::new(Carrier::Tcp);
        let impostor = socket(SocketType::Router, |options| {
            server(options);
            options.connection.mechanism = Mechanism::CurveServer { own: pair(STRANGER) };
        });
        impostor.listen(home.listener());
        let dealer = socket(SocketType::Dealer, alice);
        home.dial(&dealer);
        for _ in 0..3 {
            // It cannot open what was said to another, and leaves.
            match event(&dealer).await {
                Event::DialFailed { why: Ended::ByPeer | Ended::System(_), .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((impostor.peers(), dealer.counts().connected), (0, 0));
        drop(impostor);
        let router = socket(SocketType::Router, server);
        router.listen(home.listener());
        home::connected(&dealer, &home).await;
        still_talk(&router, &dealer).await;
    });
}
