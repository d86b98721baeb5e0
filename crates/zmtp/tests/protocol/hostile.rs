//! What strangers send.

use std::time::Instant;

use bytes::Buf as _;
use proptest::prelude::*;
use service_framework_zmtp::{Config, Connection, Error, Event, SocketType};

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
        assert_eq!(events(&mut side), (vec![], None));
    }
    assert!(side.output().remaining() <= 65 << 10, "{}", side.output().remaining());
    side.take_output();
    side.receive(b"\x04\x07\x04PING\x00\x00", Instant::now());
    assert_eq!(events(&mut side), (vec![], None));
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

#[test]
fn a_message_before_the_handshake_is_no_message() {
    let mut side = plain(SocketType::Router);
    side.receive(&plain(SocketType::Dealer).take_output(), Instant::now());
    side.receive(b"\x00\x01x", Instant::now());
    assert!(matches!(events(&mut side).1, Some(Error::Malformed(_))));
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
