//! Who meets whom, and how.

use bytes::Bytes;

use super::*;
use crate::support::plain;

#[test]
fn each_side_learns_who_the_other_is() {
    let mut client = with(SocketType::Dealer, |config| {
        config.identity = Bytes::from_static(b"alice");
        config.mechanism = Mechanism::CurveClient { own: pair(CLIENT), server: *pair(SERVER).public() };
    });
    let mut server = server(SocketType::Router);
    talk(&mut client, &mut server);
    assert!(!server.has_news());
    server.admit();
    assert!(server.has_news());
    let Ok(Some(Event::Ready(peer))) = server.poll() else { panic!("it has let somebody in") };
    assert_eq!((peer.socket_type, &*peer.identity), (SocketType::Dealer, &b"alice"[..]));
    let (events, error) = told(&mut server, &mut client);
    assert!(
        matches!(&events[..], [Event::Ready(peer)] if peer.socket_type == SocketType::Router),
        "{error:?}"
    );
}

#[test]
fn the_handshake_has_its_time() {
    let (mut client, mut server) = (client(SocketType::Req), server(SocketType::Rep));
    talk(&mut client, &mut server);
    for side in [&mut client, &mut server] {
        let due = side.deadline().expect("a handshake ends");
        assert_eq!(side.tick(due), Err(Error::HandshakeTimeout));
    }
    server.admit();
    assert_eq!(server.poll(), Err(Error::HandshakeTimeout));
}

#[test]
fn a_client_that_is_refused_is_told() {
    let (mut client, mut server) = (client(SocketType::Req), server(SocketType::Rep));
    talk(&mut client, &mut server);
    server.refuse("who are you?");
    let (events, error) = told(&mut server, &mut client);
    assert_eq!((events, error), (vec![], Some(Error::Refused { reason: "who are you?".into() })));
    server.admit();
    assert!(server.poll().is_err() && !server.is_ready());
}

#[test]
fn a_server_of_another_key_never_sees_who_asks() {
    let (mut client, mut server) = (client_of(SocketType::Req, *pair(9).public()), server(SocketType::Rep));
    told(&mut client, &mut server);
    told(&mut server, &mut client);
    assert_eq!(told(&mut client, &mut server), (vec![], Some(Error::Unopened("HELLO"))));
    assert!(server.take_output().is_empty());
}

#[test]
fn only_those_of_the_same_mechanism_meet() {
    let meeting = |mut here: Connection, mut there: Connection| {
        let (out, back) = (here.take_output(), there.take_output());
        here.receive(&back, Instant::now());
        there.receive(&out, Instant::now());
        (here.poll(), there.poll())
    };
    let error = |theirs: &str, ours| Err(Error::Mechanism { theirs: theirs.into(), ours });
    let both = (error("NULL", "CURVE"), error("CURVE", "NULL"));
    assert_eq!(meeting(client(SocketType::Req), plain(SocketType::Rep)), both);
    assert_eq!(meeting(server(SocketType::Rep), plain(SocketType::Req)), both);
    let same = Err(Error::SameSide { mechanism: "CURVE", is_server: true });
    assert_eq!(meeting(server(SocketType::Rep), server(SocketType::Req)), (same.clone(), same));
    let (mut here, mut there) = (client(SocketType::Req), client(SocketType::Rep));
    told(&mut here, &mut there);
    told(&mut there, &mut here);
    let (_, error) = told(&mut here, &mut there);
    assert_eq!(error, Some(Error::SameSide { mechanism: "CURVE", is_server: false }));
}

#[test]
fn nothing_secret_is_printed() {
    let (client, server) = met(SocketType::Dealer, SocketType::Router);
    for side in [client, server] {
        let shown = format!("{side:?}");
        for byte in [CLIENT, SERVER] {
            assert!(!shown.contains(&*pair(byte).secret().to_text()), "{shown}");
            assert!(!shown.contains(&format!("{:?}", [byte; 32])), "{shown}");
        }
    }
}
