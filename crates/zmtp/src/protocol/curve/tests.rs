//! Each side of a handshake, from fixed keys and nonces, against the bytes that libsodium makes of them: `tests/data/curve/make.py`.

use bytes::{Buf as _, Bytes, BytesMut};

use super::session::Opener;
use super::*;
use crate::SocketType;
use crate::protocol::command::split;
use crate::protocol::handshake::Done;
use crate::protocol::incoming::Frame;

macro_rules! recorded {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/data/curve/", $name))
    };
}

/// The key of a byte, repeated.
fn pair(byte: u8) -> KeyPair {
    SecretKey::from([byte; 32]).into()
}

const CLIENT: u8 = 1;
const SERVER: u8 = 2;

fn client() -> client::Greeted {
    client::Greeted::of(pair(3), [8; 16])
}

fn fresh() -> server::Fresh {
    server::Fresh { once: pair(4), cookie_key: [5; 32].into(), cookie_nonce: [7; 16], welcome_nonce: [6; 16] }
}

/// What stands behind the name of a recorded command.
fn body(command: &'static [u8]) -> Bytes {
    split(Bytes::from_static(command)).expect("a command").1
}

/// The one command that was written, without the header of its frame.
#[track_caller]
fn written(mut out: Output) -> Bytes {
    let mut bytes = out.copy_to_bytes(out.remaining());
    let long = bytes[0] & 0b10 != 0;
    bytes.advance(if long { 9 } else { 2 });
    bytes
}

fn welcomed(out: &mut Output) -> server::Welcomed {
    server::welcome(&body(recorded!("hello")), out, &pair(SERVER), fresh()).expect("a HELLO")
}

fn initiated(out: &mut Output) -> client::Initiated {
    let (own, server) = (pair(CLIENT), *pair(SERVER).public());
    let said = metadata::written(&Config::new(SocketType::Req));
    client().welcomed(&body(recorded!("welcome")), out, (&own, &server), &said).expect("a WELCOME")
}

fn asked() -> Asked {
    let welcomed = welcomed(&mut Output::default());
    welcomed.initiated(&body(recorded!("initiate")), &pair(SERVER), SocketType::Rep).expect("an INITIATE")
}

fn session(done: Done) -> Session {
    assert!(done.peer.identity.is_empty());
    done.session.expect("it encrypts")
}

fn of_client() -> Session {
    let initiated = initiated(&mut Output::default());
    session(initiated.ready(&body(recorded!("ready")), SocketType::Req).expect("a READY"))
}

fn of_server() -> Session {
    session(asked().ready(&mut Output::default(), &Config::new(SocketType::Rep)))
}

fn open(opener: &mut Opener, command: &[u8]) -> Result<(u8, Bytes), Error> {
    let Frame { bytes, is_command, has_more } = opener.open(BytesMut::from(command))?;
    Ok((2 * u8::from(is_command) + u8::from(has_more), bytes))
}

#[test]
fn the_client_says_what_is_recorded() {
    let mut out = Output::default();
    client().hello(&mut out, pair(SERVER).public()).expect("a key");
    assert_eq!(written(out), recorded!("hello")[..]);
    let mut out = Output::default();
    initiated(&mut out);
    assert_eq!(written(out), recorded!("initiate")[..]);
    let mut out = Output::default();
    of_client().sealer.message(&mut out, &[Bytes::from_static(b"hello"), Bytes::new()]);
    assert!(written(out).starts_with(recorded!("question")));
}

#[test]
fn the_server_says_what_is_recorded() {
    let mut out = Output::default();
    welcomed(&mut out);
    assert_eq!(written(out), recorded!("welcome")[..]);
    let mut out = Output::default();
    asked().ready(&mut out, &Config::new(SocketType::Rep));
    assert_eq!(written(out), recorded!("ready")[..]);
    let mut out = Output::default();
    of_server().sealer.command(&mut out, "PING", &[&[0, 0]]);
    assert_eq!(written(out), recorded!("ping")[..]);
}

#[test]
fn what_is_recorded_is_read() {
    assert_eq!(asked().client, *pair(CLIENT).public());
    let question = open(&mut of_server().opener, recorded!("question"));
    assert_eq!(question, Ok((1, Bytes::from_static(b"hello"))));
    let ping = open(&mut of_client().opener, recorded!("ping"));
    assert_eq!(ping, Ok((2, Bytes::from_static(b"\x04PING\0\0"))));
}

#[test]
fn a_box_that_comes_again_is_refused() {
    let mut opener = of_server().opener;
    open(&mut opener, recorded!("question")).expect("the first time");
    assert_eq!(open(&mut opener, recorded!("question")), Err(Error::Replayed));
    // The same INITIATE with the number of its HELLO.
    let mut initiate = body(recorded!("initiate")).to_vec();
    initiate[COOKIE + 7] = 1;
    let welcomed = welcomed(&mut Output::default());
    let error = welcomed.initiated(&initiate, &pair(SERVER), SocketType::Rep).expect_err("it is not newer");
    assert_eq!(error, Error::Replayed);
}

#[test]
fn a_server_counts_on_from_its_ready() {
    let key = boxes::BoxKey::of(pair(3).secret(), pair(4).public()).expect("keys");
    let message = |number: u64| {
        let sealed = key.sealed(&boxes::short_nonce(b"CurveZMQMESSAGES", number), b"\0a");
        [b"\x07MESSAGE", &number.to_be_bytes()[..], &sealed].concat()
    };
    assert_eq!(open(&mut of_client().opener, &message(1)), Err(Error::Replayed));
    let mut opener = of_client().opener;
    // A number may be left out.
    for number in [2, 9, u64::MAX] {
        assert_eq!(open(&mut opener, &message(number)), Ok((0, Bytes::from_static(b"a"))));
    }
    assert_eq!(open(&mut opener, &message(u64::MAX)), Err(Error::Replayed));
}

#[test]
fn a_hello_holds_nothing_but_zeros() {
    let key = boxes::BoxKey::of(pair(3).secret(), pair(SERVER).public()).expect("keys");
    let mut hello = body(recorded!("hello")).to_vec();
    let mut text = [0; 64];
    text[63] = 1;
    let start = hello.len() - 80;
    hello[start..].copy_from_slice(&key.sealed(&boxes::short_nonce(b"CurveZMQHELLO---", 1), &text));
    let error =
        server::welcome(&hello, &mut Output::default(), &pair(SERVER), fresh()).expect_err("not zeros");
    assert!(matches!(error, Error::Malformed(_)), "{error}");
}

#[test]
fn a_cookie_is_of_one_connection() {
    let other = server::Fresh { cookie_key: [9; 32].into(), ..fresh() };
    let welcomed = server::welcome(&body(recorded!("hello")), &mut Output::default(), &pair(SERVER), other);
    let initiated =
        welcomed.expect("a HELLO").initiated(&body(recorded!("initiate")), &pair(SERVER), SocketType::Rep);
    assert_eq!(initiated.expect_err("another key"), Error::Unopened("the cookie of INITIATE"));
}

/// A client that knows all keys, and says something else than it should.
fn forged(client: &KeyPair, vouched: [u8; 64], own: &KeyPair) -> Result<Asked, Error> {
    let once = pair(4);
    let vouch = boxes::BoxKey::of(own.secret(), once.public()).expect("keys");
    let vouch = vouch.sealed(&boxes::long_nonce(b"VOUCH---", &[8; 16]), &vouched);
    let said = metadata::written(&Config::new(SocketType::Req));
    let text = [client.public().as_bytes(), &[8; 16][..], &vouch, &said].concat();
    let key = boxes::BoxKey::of(pair(3).secret(), once.public()).expect("keys");
    let sealed = key.sealed(&boxes::short_nonce(b"CurveZMQINITIATE", 2), &text);
    let cookie = &body(recorded!("initiate"))[..COOKIE];
    let initiate = [cookie, &2_u64.to_be_bytes(), &sealed].concat();
    welcomed(&mut Output::default()).initiated(&initiate, &pair(SERVER), SocketType::Rep)
}

fn keys(first: u8, second: u8) -> [u8; 64] {
    let both = [*pair(first).public().as_bytes(), *pair(second).public().as_bytes()].concat();
    both.try_into().expect("64 bytes")
}

#[test]
fn nobody_passes_for_somebody_else() {
    let client = pair(CLIENT);
    assert!(forged(&client, keys(3, SERVER), &client).is_ok());
    let error = forged(&client, keys(3, SERVER), &pair(9)).expect_err("another's vouch");
    assert_eq!(error, Error::Unopened("the vouch of INITIATE"));
    for (case, vouched) in [("another connection", keys(9, SERVER)), ("another server", keys(3, 9))] {
        let error = forged(&client, vouched, &client).expect_err(case);
        assert!(matches!(error, Error::Malformed(_)), "{case}: {error}");
    }
}

#[test]
fn what_is_in_a_box_is_checked_as_well() {
    let key = boxes::BoxKey::of(pair(3).secret(), pair(4).public()).expect("keys");
    let message = |text: &[u8]| {
        let sealed = key.sealed(&boxes::short_nonce(b"CurveZMQMESSAGEC", 3), text);
        [b"\x07MESSAGE", &3_u64.to_be_bytes()[..], &sealed].concat()
    };
    assert_eq!(open(&mut of_server().opener, &message(b"\0")), Ok((0, Bytes::new())));
    for text in [&b""[..], b"\x03a", b"\x04a", b"\x80a"] {
        let error = open(&mut of_server().opener, &message(text)).expect_err("nothing that there is");
        assert!(matches!(error, Error::Malformed(_)), "{text:?}: {error}");
    }
    for (name, number) in [(b"CurveZMQMESSAGES", 3), (b"CurveZMQMESSAGEC", 4)] {
        let sealed = key.sealed(&boxes::short_nonce(name, number), b"\0a");
        let other = [b"\x07MESSAGE", &3_u64.to_be_bytes()[..], &sealed].concat();
        assert_eq!(open(&mut of_server().opener, &other), Err(Error::Unopened("MESSAGE")));
    }
}

#[test]
fn a_key_that_is_nobodys_makes_no_box() {
    let nobody = PublicKey::from([0; 32]);
    assert!(boxes::BoxKey::of(pair(1).secret(), &nobody).is_err());
    assert!(client().hello(&mut Output::default(), &nobody).is_err());
}
