//! What strangers send.

use std::time::Instant;

use bytes::Buf as _;
use proptest::prelude::*;
use service_framework_zmtp::{Config, Connection, Error, Event, Limits, Mechanism, SocketType};

use crate::support::{events, met, plain};

#[test]
fn a_length_that_is_only_declared_takes_no_memory() {
    let (mut side, _) = met(SocketType::Router, SocketType::Dealer);
    let before = side.input().capacity();
    // The 73 bytes that abort other implementations end with these nine.
    side.receive(b"\x02\x00\x00\x01\x00\x00\x00\x00\x00", Instant::now());
    let wanted = Error::FrameTooLarge { bytes: 1 << 40, limit: 16 << 20 };
    assert_eq!(events(&mut side), (vec![], Some(wanted)));
    assert!(side.input().capacity() <= before.max(1 << 10));
}

#[test]
fn room_grows_with_the_bytes_that_came() {
    let (mut side, _) = met(SocketType::Router, SocketType::Dealer);
    side.receive(b"\x02\x00\x00\x00\x00\x00\xff\xff\xff", Instant::now());
    assert_eq!(events(&mut side), (vec![], None));
    assert!(side.input().capacity() <= 257 << 10, "{}", side.input().capacity());
    // It is all there with the last of these.
    for come in (1..256).map(|times| 9 + (times << 16)) {
        side.receive(&[0; 1 << 16], Instant::now());
        assert_eq!(events(&mut side), (vec![], None));
        let most = (4 * come).max(256 << 10) + (1 << 10);
        assert!(side.input().capacity() <= most, "{} of {come}", side.input().capacity());
    }
    side.receive(&[0; 0xffff], Instant::now());
    let (events, error) = events(&mut side);
    assert!(matches!(&*events, [Event::Message(message)] if message.bytes() == 0xff_ffff), "{error:?}");
}

#[test]
fn questions_whose_answers_nobody_takes_get_no_memory() {
    let (mut side, _) = met(SocketType::Router, SocketType::Dealer);
    for _ in 0..10_000 {
        side.receive(b"\x04\x17\x04PING\x00\x00sixteen of bytes", Instant::now());
        assert_eq!(events(&mut side), (vec![Event::Control], None));
    }
    assert!(side.output().remaining() <= 65 << 10, "{}", side.output().remaining());
    side.take_output();
    side.receive(b"\x04\x07\x04PING\x00\x00", Instant::now());
    assert_eq!(events(&mut side), (vec![Event::Control], None));
    assert_eq!(*side.take_output(), *b"\x04\x05\x04PONG");
}

/// A side that has met a dealer and is then sent these bytes.
fn after(change: impl FnOnce(&mut Config), bytes: &[u8]) -> Error {
    let mut config = Config::new(SocketType::Router);
    change(&mut config);
    let now = Instant::now();
    let mut side = Connection::new(config, now);
    let mut peer = plain(SocketType::Dealer);
    peer.receive(&side.take_output(), now);
    peer.poll().expect("a greeting");
    side.receive(&peer.take_output(), now);
    side.receive(bytes, now);
    events(&mut side).1.expect("an error")
}

#[test]
fn each_limit_holds() {
    let error = after(|config| config.limits.message_bytes = 3, b"\x01\x02ab\x00\x02cd");
    assert_eq!(error, Error::MessageTooLarge { bytes: 4, limit: 3 });
    let error = after(|config| config.limits.message_frames = 2, b"\x01\x00\x01\x00\x01\x00");
    assert_eq!(error, Error::TooManyFrames { limit: 2 });
    let error = after(|config| config.limits.command_bytes = 100, b"\x04\x65");
    assert_eq!(error, Error::FrameTooLarge { bytes: 101, limit: 100 });
}

#[test]
fn what_no_peer_may_send() {
    let cases: [&[u8]; 7] = [
        b"\x08\x00",
        b"\x05\x00",
        b"\x04\x00",
        b"\x04\x03\x05PI",
        b"\x04\x05\x04PING",
        b"\x04\x06\x05ERROR",
        b"\x04\x07\x05ERROR\x09",
    ];
    for bytes in cases {
        let error = after(|_| (), bytes);
        assert!(matches!(error, Error::Malformed(_)), "{bytes:x?}: {error}");
    }
}

/// A side that was greeted, and waits for the first command.
fn greeted(mechanism: Mechanism) -> Connection {
    let mut config = Config::new(SocketType::Router);
    config.mechanism = mechanism;
    let mut side = Connection::new(config, Instant::now());
    let mut greeting = side.take_output().to_vec();
    // That of a client.
    greeting[32] = 0;
    side.receive(&greeting, Instant::now());
    assert_eq!(events(&mut side), (vec![], None));
    side.take_output();
    side
}

/// All that wait for what strangers say.
fn mechanisms() -> Vec<Mechanism> {
    vec![
        Mechanism::Null,
        Mechanism::PlainServer,
        #[cfg(feature = "curve")]
        Mechanism::CurveServer { own: service_framework_zmtp::SecretKey::from([2; 32]).into() },
    ]
}

#[test]
fn a_message_before_the_handshake_is_refused_when_it_is_announced() {
    for announced in [&b"\x00\x01"[..], b"\x01\x01", b"\x02\x00\x00\x00\x00\x01\x00\x00\x00"] {
        for mechanism in mechanisms() {
            let mut side = greeted(mechanism);
            side.receive(announced, Instant::now());
            let wanted = Error::Malformed("a message before the handshake was done");
            assert_eq!(events(&mut side), (vec![], Some(wanted)), "{announced:?}");
        }
    }
}

/// The READY of a dealer with an identity as long as may be, and an unknown property of that length.
fn ready(unknown: usize) -> Vec<u8> {
    let mut said = b"\x05READY".to_vec();
    let properties =
        [("Socket-Type", b"DEALER".to_vec()), ("Identity", vec![b'a'; 255]), ("X-Some", vec![7; unknown])];
    for (name, value) in properties {
        said.push(name.len() as u8);
        said.extend_from_slice(name.as_bytes());
        said.extend_from_slice(&(value.len() as u32).to_be_bytes());
        said.extend_from_slice(&value);
    }
    said
}

/// The frame of a command.
fn framed(command: &[u8]) -> Vec<u8> {
    [&b"\x06"[..], &(command.len() as u64).to_be_bytes(), command].concat()
}

#[test]
fn who_says_a_lot_of_itself_is_met_and_who_says_too_much_is_not() {
    let limit = Limits::default().handshake_bytes;
    let room = limit - ready(0).len();
    assert!(room > 3_000, "{room} bytes are left for what others may say of themselves");
    let mut side = greeted(Mechanism::Null);
    side.receive(&framed(&ready(room)), Instant::now());
    let (happened, error) = events(&mut side);
    let [Event::Ready(peer)] = &happened[..] else { panic!("{error:?}") };
    assert_eq!(peer.identity.len(), 255);

    let mut side = greeted(Mechanism::Null);
    // The header is enough.
    side.receive(&framed(&ready(room + 1))[..9], Instant::now());
    let wanted = Error::FrameTooLarge { bytes: limit as u64 + 1, limit };
    assert_eq!(events(&mut side), (vec![], Some(wanted)));
}

#[test]
fn what_a_peer_calls_itself_is_shown_as_text() {
    let mut greeting = plain(SocketType::Dealer).take_output().to_vec();
    greeting[12..16].copy_from_slice(b"\x1b[2J");
    let mut side = plain(SocketType::Router);
    side.receive(&greeting, Instant::now());
    assert_eq!(
        side.poll().expect_err("another mechanism").to_string(),
        "the peer uses the mechanism `\\x1b[2J`, and this side `NULL`"
    );
}

proptest! {
    /// Whatever a stranger announces, it is not made room for, and no more of it is kept than one command.
    #[test]
    fn a_stranger_makes_no_more_kept_than_a_command_of_the_handshake(
        index in any::<prop::sample::Index>(),
        flags in prop_oneof![Just(0b000_u8), Just(0b010), Just(0b100), Just(0b110), any::<u8>()],
        announced in prop_oneof![0..300_u64, 3_000..70_000_u64, any::<u64>()],
        step in prop_oneof![1..100_usize, 1_000..70_000_usize],
    ) {
        let limit = Limits::default().handshake_bytes;
        let mut side = greeted(index.get(&mechanisms()).clone());
        side.receive(&[&[flags][..], &announced.to_be_bytes()].concat(), Instant::now());
        for _ in 0..(100 << 10) / step {
            if events(&mut side).1.is_some() {
                break;
            }
            prop_assert!(!side.is_ready());
            prop_assert!(side.input().len() < 9 + limit, "{} bytes are kept", side.input().len());
            side.receive(&vec![7; step], Instant::now());
        }
        prop_assert!(side.input().capacity() <= 2 * (9 + limit + step), "room for {}", side.input().capacity());
    }

    /// Whatever comes, before the handshake and after it: no panic, and memory in proportion.
    #[test]
    fn random_bytes_do_no_harm(first in any::<bool>(), bytes in any::<Vec<u8>>(), cut in 0..64_usize) {
        let mut side = match first {
            true => plain(SocketType::XPub),
            false => met(SocketType::XPub, SocketType::Sub).0,
        };
        let greeting = plain(SocketType::Sub).take_output();
        side.receive(&greeting[..cut], Instant::now());
        side.receive(&bytes, Instant::now());
        events(&mut side);
        prop_assert!(side.input().capacity() <= 2 * (64 << 10) + bytes.len());
    }
}
