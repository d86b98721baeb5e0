//! What others make of the bytes of two sides.

use bytes::Buf as _;
use proptest::prelude::*;
use service_framework_zmtp::Message;

use super::*;

/// Who says a command of the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Client,
    Server,
}

/// The commands of the handshake, in their order.
const COMMANDS: [(Says, &str); 4] =
    [(Says::Client, "HELLO"), (Says::Server, "WELCOME"), (Says::Client, "INITIATE"), (Says::Server, "READY")];

/// Two sides, one of which has just said the command of this index. Gives them and the frame of it.
fn before(index: usize) -> (Connection, Connection, Vec<u8>) {
    let (mut client, mut server) = (client(SocketType::Req), server(SocketType::Rep));
    let greetings = (client.take_output(), server.take_output());
    client.receive(&greetings.1, Instant::now());
    server.receive(&greetings.0, Instant::now());
    assert_eq!((events(&mut client), events(&mut server)), ((vec![], None), (vec![], None)));
    for (at, (says, name)) in COMMANDS.iter().enumerate() {
        let (from, to) = match says {
            Says::Client => (&mut client, &mut server),
            Says::Server => (&mut server, &mut client),
        };
        let said = from.take_output().to_vec();
        let start = if said[0] & 0b10 == 0 { 2 } else { 9 };
        assert_eq!(said[start + 1..][..name.len()], *name.as_bytes());
        if at == index {
            return (client, server, said);
        }
        to.receive(&said, Instant::now());
        let (happened, error) = events(to);
        assert_eq!(error, None);
        if let [Event::Credentials(_)] = happened[..] {
            to.admit();
        }
    }
    unreachable!("there are no more commands");
}

/// The side that is told the command of this index is told something else: it must neither be met nor ask for admission.
fn never_admits(index: usize, change: impl FnOnce(&mut Vec<u8>)) -> Option<Error> {
    let (mut client, mut server, mut said) = before(index);
    change(&mut said);
    let to = if COMMANDS[index].0 == Says::Client { &mut server } else { &mut client };
    to.receive(&said, Instant::now());
    let (happened, error) = events(to);
    assert!(happened.is_empty() && !to.is_ready(), "{happened:?}");
    error
}

#[test]
fn no_byte_of_the_handshake_can_be_changed() {
    for (index, (_, name)) in COMMANDS.iter().enumerate() {
        let length = before(index).2.len();
        for at in 0..length {
            let error = never_admits(index, |said| said[at] ^= 1 << (at % 8));
            // Where the length was changed, more bytes may be waited for.
            let is_length = at < if length > 257 { 9 } else { 2 };
            assert!(error.is_some() || is_length, "byte {at} of {name}");
        }
    }
}

#[test]
fn no_command_of_the_handshake_can_be_cut_or_prolonged() {
    for (index, (_, name)) in COMMANDS.iter().enumerate() {
        let frame = before(index).2;
        let start = if frame[0] & 0b10 == 0 { 2 } else { 9 };
        for length in (0..frame.len() - start).chain([frame.len() - start + 1]) {
            let error = never_admits(index, |said| {
                let mut body = said.split_off(start);
                body.resize(length, 0);
                said.clear();
                said.push(0b110);
                said.extend_from_slice(&(length as u64).to_be_bytes());
                said.extend_from_slice(&body);
            });
            assert!(error.is_some(), "{name} with {length} bytes");
        }
    }
}

#[test]
fn what_was_said_on_another_connection_is_worth_nothing() {
    for (index, (_, name)) in COMMANDS.iter().enumerate().skip(1) {
        let other = before(index).2;
        let error = never_admits(index, |said| *said = other);
        assert!(matches!(error, Some(Error::Unopened(_))), "{name}: {error:?}");
    }
    // But for a HELLO, which leads to a WELCOME that nobody else can read.
    assert_eq!(never_admits(0, |said| *said = before(0).2), None);
}

#[test]
fn a_command_comes_when_it_is_due() {
    for (index, (_, name)) in COMMANDS.iter().enumerate() {
        for (other, (_, wrong)) in COMMANDS.iter().enumerate().filter(|(other, _)| *other != index) {
            let error = never_admits(index, |said| *said = before(other).2);
            assert!(error.is_some(), "{wrong} in the place of {name}");
        }
        for wrong in [&b"\x04\x06\x05READY"[..], b"\x04\x06\x05ERROR", b"\x00\x01x", b"\x04\x08\x07MESSAGE"] {
            let error = never_admits(index, |said| *said = wrong.to_vec());
            assert!(
                matches!(error, Some(Error::Malformed(_))),
                "{wrong:?} in the place of {name}: {error:?}"
            );
        }
    }
}

#[test]
fn the_answer_to_a_stranger_is_shorter_than_the_question() {
    let lengths: Vec<usize> = (0..2).map(|index| before(index).2.len()).collect();
    assert_eq!(lengths, [2 + 200, 2 + 168]);
}

/// Some messages and commands of a client that was met, frame by frame, and its server.
fn said() -> (Vec<Vec<u8>>, Connection) {
    let (mut client, server) = met(SocketType::Dealer, SocketType::Router);
    let frames = ["a", "b", "c"].map(|text| {
        client.send(&Message::from([text])).expect("it is ready");
        client.take_output().to_vec()
    });
    (frames.into(), server)
}

#[test]
fn a_message_that_was_changed_repeated_or_put_before_another_ends_the_connection() {
    let length = said().0[0].len();
    for at in 0..length {
        let (mut frames, mut server) = said();
        frames[0][at] ^= 1 << (at % 8);
        server.receive(&frames.concat(), Instant::now());
        let (happened, error) = events(&mut server);
        // That it says it is a command is nothing: what it is stands inside.
        if at > 0 {
            assert!(happened.is_empty() && error.is_some(), "byte {at}: {happened:?}");
        }
    }
    for order in [[0, 0], [1, 0], [1, 1]] {
        let (frames, mut server) = said();
        order.iter().for_each(|index| server.receive(&frames[*index], Instant::now()));
        let (happened, error) = events(&mut server);
        assert_eq!((happened.len(), error), (1, Some(Error::Replayed)), "{order:?}");
        server.receive(&frames[2], Instant::now());
        assert_eq!(events(&mut server), (vec![], Some(Error::Replayed)));
    }
}

#[test]
fn nobody_hears_their_own_words_or_those_of_another_connection() {
    let (frames, _) = said();
    for (mut side, frame) in
        [(said().1, &frames[0]), (met(SocketType::Dealer, SocketType::Router).0, &frames[0])]
    {
        side.receive(frame, Instant::now());
        assert_eq!(events(&mut side), (vec![], Some(Error::Unopened("MESSAGE"))));
    }
    let (mut client, _) = met(SocketType::Dealer, SocketType::Router);
    client.send(&Message::from(["a"])).expect("it is ready");
    let own = client.take_output();
    client.receive(&own, Instant::now());
    assert_eq!(events(&mut client), (vec![], Some(Error::Unopened("MESSAGE"))));
}

#[test]
fn what_is_not_encrypted_is_not_heard() {
    for bytes in [
        &b"\x00\x01x"[..],
        b"\x04\x07\x04PING\x00\x00",
        b"\x01\x21\x07MESSAGE",
        b"\x00\x08\x07MESSAGE",
        b"\x00\x00",
    ] {
        let (_, mut server) = said();
        server.receive(bytes, Instant::now());
        let (happened, error) = events(&mut server);
        assert!(matches!(error, Some(Error::Malformed(_))), "{bytes:?}: {happened:?} {error:?}");
    }
}

#[test]
fn a_length_that_is_only_declared_takes_no_memory() {
    let (_, mut server) = said();
    let before = server.input().capacity();
    server.receive(b"\x02\x00\x00\x01\x00\x00\x00\x00\x00\x07MESSAGE", Instant::now());
    let wanted = Error::FrameTooLarge { bytes: (1 << 40) - 33, limit: 16 << 20 };
    assert_eq!(events(&mut server), (vec![], Some(wanted)));
    assert!(server.input().capacity() <= before.max(1 << 10));
    for declared in [b"\x02\xff\xff\xff\xff\xff\xff\xff\xff", b"\x02\x80\x00\x00\x00\x00\x00\x00\x00"] {
        let (_, mut server) = said();
        server.receive(declared, Instant::now());
        assert!(matches!(events(&mut server).1, Some(Error::FrameTooLarge { .. })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes instead of a command, and behind the handshake: no panic, and memory in proportion.
    #[test]
    fn random_bytes_do_no_harm(index in 0..5_usize, bytes in any::<Vec<u8>>()) {
        let mut side = match index {
            4 => said().1,
            _ => {
                let (client, server, _) = before(index);
                if COMMANDS[index].0 == Says::Client { server } else { client }
            }
        };
        side.receive(&bytes, Instant::now());
        let (happened, _) = events(&mut side);
        prop_assert!(happened.is_empty());
        prop_assert!(side.input().capacity() <= 2 * (64 << 10) + bytes.len());
        prop_assert!(side.output().remaining() <= 1 << 10);
    }
}
