//! Who meets whom, and how.

use std::time::{Duration, Instant};

use bytes::Bytes;
use service_framework_zmtp::{Config, Connection, Credentials, Error, Event, Login, Mechanism, SocketType};

use crate::support::{events, plain, talk};

fn with(socket_type: SocketType, change: impl FnOnce(&mut Config)) -> Connection {
    let mut config = Config::new(socket_type);
    change(&mut config);
    Connection::new(config, Instant::now())
}

fn peers(events: &[Event]) -> Vec<(SocketType, Bytes, u8)> {
    let peer = |event: &Event| match event {
        Event::Ready(peer) => Some((peer.socket_type, peer.identity.clone(), peer.minor_version)),
        _ => None,
    };
    events.iter().filter_map(peer).collect()
}

#[test]
fn each_side_learns_who_the_other_is() {
    let mut dealer = with(SocketType::Dealer, |config| config.identity = Bytes::from_static(b"alice"));
    let mut router = plain(SocketType::Router);
    let (here, there) = talk(&mut dealer, &mut router);
    assert_eq!(peers(&here), [(SocketType::Router, Bytes::new(), 1)]);
    assert_eq!(peers(&there), [(SocketType::Dealer, Bytes::from_static(b"alice"), 1)]);
}

/// Gives the identity that the peer asked for, which is for whoever holds the connection to keep.
fn identity(events: Vec<Event>) -> Bytes {
    let mut peers = events.into_iter().filter_map(|event| match event {
        Event::Ready(peer) => Some(peer.identity),
        _ => None,
    });
    peers.next().expect("a peer")
}

#[test]
fn an_identity_keeps_nothing_else_of_what_came() {
    let mut dealer = with(SocketType::Dealer, |config| config.identity = Bytes::from_static(b"alice"));
    let mut router = plain(SocketType::Router);
    let (_, there) = talk(&mut dealer, &mut router);
    let room = identity(there).try_into_mut().map(|identity| identity.capacity());
    assert_eq!(room, Ok(5), "it is alone where it lies");
}

#[test]
fn credentials_keep_nothing_else_of_what_came() {
    let (_, asked) = talk(&mut plain_client("secret"), &mut plain_server());
    let Some(Event::Credentials(Credentials::Login(login))) = asked.into_iter().next() else {
        panic!("nobody asks")
    };
    for (text, length) in [(login.username, 5), (login.password, 6)] {
        let room = text.try_into_mut().map(|text| text.capacity());
        assert_eq!(room, Ok(length), "it is alone where it lies");
    }
}

#[test]
fn only_those_who_fit_meet() {
    for ours in SocketType::ALL {
        for theirs in SocketType::ALL {
            let (mut here, mut there) = (plain(ours), plain(theirs));
            let now = Instant::now();
            for _ in 0..2 {
                let (out, back) = (here.take_output(), there.take_output());
                there.receive(&out, now);
                here.receive(&back, now);
                events(&mut here);
                events(&mut there);
            }
            assert_eq!(here.is_ready(), ours.talks_to(theirs), "{ours} and {theirs}");
            if !ours.talks_to(theirs) {
                let wanted = Error::Incompatible { ours, theirs: theirs.name().into() };
                assert_eq!(here.poll(), Err(wanted));
            }
        }
    }
}

fn plain_client(password: &'static str) -> Connection {
    let (username, password) = (Bytes::from_static(b"alice"), Bytes::from_static(password.as_bytes()));
    with(SocketType::Req, |config| {
        config.mechanism = Mechanism::PlainClient(Login { username, password });
    })
}

fn plain_server() -> Connection {
    with(SocketType::Rep, |config| config.mechanism = Mechanism::PlainServer)
}

#[test]
fn plain_lets_in_whom_the_server_admits() {
    let (mut client, mut server) = (plain_client("secret"), plain_server());
    let (_, asked) = talk(&mut client, &mut server);
    let [Event::Credentials(Credentials::Login(login))] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((&*login.username, &*login.password), (&b"alice"[..], &b"secret"[..]));
    assert!(!format!("{login:?}").contains("secret"));
    assert!(!client.is_ready() && !server.is_ready());

    server.admit();
    let (here, there) = talk(&mut client, &mut server);
    assert_eq!(peers(&here), [(SocketType::Rep, Bytes::new(), 1)]);
    assert_eq!(peers(&there), [(SocketType::Req, Bytes::new(), 1)]);
}

#[test]
fn plain_tells_whom_it_refuses() {
    let (mut client, mut server) = (plain_client("guess"), plain_server());
    talk(&mut client, &mut server);
    server.refuse("who are you?");
    client.receive(&server.take_output(), Instant::now());
    assert_eq!(client.poll(), Err(Error::Refused { reason: "who are you?".into() }));
    // And it stays so.
    assert_eq!(client.poll(), Err(Error::Refused { reason: "who are you?".into() }));
    assert!(server.poll().is_err());
}

#[test]
fn two_servers_never_meet() {
    let (mut here, mut there) = (plain_server(), plain_server());
    here.receive(&there.take_output(), Instant::now());
    assert_eq!(here.poll(), Err(Error::SameSide { mechanism: "PLAIN", is_server: true }));
    there.receive(&plain(SocketType::Req).take_output(), Instant::now());
    assert_eq!(there.poll(), Err(Error::Mechanism { theirs: "NULL".into(), ours: "PLAIN" }));
}

/// A client of PLAIN, and the greeting that libzmq's servers send: they do not say that they are servers.
fn client_of_libzmq() -> (Connection, Vec<u8>) {
    let mut greeting = plain_server().take_output().to_vec();
    greeting[32] = 0;
    (plain_client("secret"), greeting)
}

#[test]
fn a_server_of_libzmq_is_known_by_what_it_does() {
    let (mut client, greeting) = client_of_libzmq();
    client.receive(&greeting, Instant::now());
    assert_eq!(client.poll(), Ok(None));
    client.receive(b"\x04\x08\x07WELCOME", Instant::now());
    assert_eq!(client.poll(), Ok(None));

    let (mut client, greeting) = client_of_libzmq();
    client.receive(&greeting, Instant::now());
    client.receive(b"\x04\x09^RROR\x03400", Instant::now());
    assert_eq!(client.poll(), Err(Error::Refused { reason: "400".into() }));
}

#[test]
fn two_clients_never_meet() {
    let (mut here, mut there) = (plain_client("secret"), plain_client("secret"));
    here.receive(&there.take_output(), Instant::now());
    there.receive(&here.take_output(), Instant::now());
    assert_eq!(there.poll(), Ok(None));
    here.receive(&there.take_output(), Instant::now());
    assert_eq!(here.poll(), Err(Error::SameSide { mechanism: "PLAIN", is_server: false }));
}

#[test]
fn a_handshake_has_its_time() {
    let start = Instant::now();
    let mut side = Connection::new(Config::new(SocketType::Rep), start);
    let due = start + Duration::from_secs(30);
    assert_eq!(side.deadline(), Some(due));
    assert_eq!(side.tick(due - Duration::from_nanos(1)), Ok(()));
    assert_eq!(side.tick(due), Err(Error::HandshakeTimeout));
    assert_eq!(side.poll(), Err(Error::HandshakeTimeout));
    assert_eq!(side.deadline(), None);
}

/// What libzmq 4.1 sends, which speaks ZMTP 3.0, as it stands in RFC 23.
#[test]
fn a_peer_of_3_0_is_met() {
    let mut greeting = [0; 64];
    (greeting[0], greeting[8], greeting[9], greeting[10]) = (0xff, 1, 0x7f, 3);
    greeting[12..16].copy_from_slice(b"NULL");
    let ready = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB";
    let mut side = plain(SocketType::Pub);
    side.receive(&greeting, Instant::now());
    side.receive(ready, Instant::now());
    let (events, error) = events(&mut side);
    assert_eq!((peers(&events), error), (vec![(SocketType::Sub, Bytes::new(), 0)], None));
}
