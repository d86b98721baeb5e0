//! The protocol without sockets: a byte for who listens, three for how the rest is cut, and what the peer sends.

use std::time::Instant;

use bytes::{Buf as _, Bytes};
use service_framework_zmtp::{
    Config, Connection, Credentials, Error, Event, KeyPair, Login, Mechanism, SecretKey, SocketType,
};

/// Small, so that short inputs reach them.
const FRAME_BYTES: usize = 1_000;
const MESSAGE_BYTES: usize = 1_500;
const MESSAGE_FRAMES: usize = 8;
const COMMAND_BYTES: usize = 500;
const HANDSHAKE_BYTES: usize = 400;

/// The longest header of a frame, and what a box has more than its text.
const HEADER_BYTES: usize = 9 + 33;

/// The most that comes at once, if it is cut.
const PART_BYTES: usize = 256;

/// What may lie ready to be sent, and how much room is made at once for what is announced.
const ROOM: usize = 64 << 10;

pub(crate) fn run(bytes: &[u8]) {
    let Some((&[who, ref cuts @ ..], sent)) = bytes.split_first_chunk::<4>() else { return };
    let now = Instant::now();
    let mut at_once = Connection::new(config(who), now);
    at_once.receive(sent, now);
    let whole = events(&mut at_once);

    let mut in_parts = Connection::new(config(who), now);
    let (mut happened, mut failed) = (Vec::new(), None);
    let (mut rest, mut cuts) = (sent, cuts.iter().cycle());
    while !rest.is_empty() && failed.is_none() {
        let length = cuts.next().map_or(1, |cut| usize::from(*cut) + 1).min(rest.len());
        let (part, behind) = rest.split_at(length);
        rest = behind;
        in_parts.receive(part, now);
        let (events, error) = events(&mut in_parts);
        happened.extend(events);
        failed = error;
        assert_eq!(in_parts.tick(now), Ok(()), "no time passed, so nobody is late");
        check_held(&mut in_parts, failed.is_some(), sent.len());
    }
    happened.iter().for_each(check_event);
    assert_eq!((happened, failed), whole, "how bytes are cut makes no difference");
    assert_eq!(in_parts.commands_ignored(), at_once.commands_ignored());
    let (answers, others) = (in_parts.take_output(), at_once.take_output());
    match config(who).mechanism {
        // What is encrypted is never the same twice.
        Mechanism::CurveServer { .. } => assert_eq!(answers.len(), others.len()),
        _ => assert_eq!(answers, others),
    }
}

/// Each socket type, with each mechanism.
fn config(who: u8) -> Config {
    let types = SocketType::ALL;
    let mut config = Config::new(types[usize::from(who) % types.len()]);
    let login = || Login { username: Bytes::from_static(b"alice"), password: Bytes::from_static(b"secret") };
    config.mechanism = match usize::from(who) / types.len() % 4 {
        0 => Mechanism::Null,
        1 => Mechanism::PlainServer,
        2 => Mechanism::PlainClient(login()),
        _ => Mechanism::CurveServer { own: KeyPair::from(SecretKey::from([2; 32])) },
    };
    limit(&mut config);
    config
}

/// Makes all limits small.
pub(crate) fn limit(config: &mut Config) {
    config.limits.frame_bytes = FRAME_BYTES;
    config.limits.message_bytes = MESSAGE_BYTES;
    config.limits.message_frames = MESSAGE_FRAMES;
    config.limits.command_bytes = COMMAND_BYTES;
    config.limits.handshake_bytes = HANDSHAKE_BYTES;
}

/// Everything that happens, up to the error that ends it; whoever asks is let in.
pub(crate) fn events(side: &mut Connection) -> (Vec<Event>, Option<Error>) {
    let mut events = Vec::new();
    loop {
        match side.poll() {
            Ok(Some(event)) => {
                if matches!(event, Event::Credentials(_)) {
                    side.admit();
                }
                events.push(event);
            }
            Ok(None) => return (events, None),
            Err(error) => {
                assert_eq!(side.poll().as_ref(), Err(&error), "an error stays");
                return (events, Some(error));
            }
        }
    }
}

/// No more is kept than one frame that is not whole, in no more room than the limits and what came allow.
pub(crate) fn check_held(side: &mut Connection, has_failed: bool, sent: usize) {
    let held = side.input().len();
    let most = if side.is_ready() { FRAME_BYTES.max(COMMAND_BYTES) } else { HANDSHAKE_BYTES };
    assert!(has_failed || held < HEADER_BYTES + most, "{held} bytes are kept");
    let room = side.input().capacity();
    let most =
        if side.is_ready() { 2 * ROOM + 2 * sent } else { 2 * (HEADER_BYTES + HANDSHAKE_BYTES + PART_BYTES) };
    assert!(room <= most, "room for {room} bytes, of which {sent} came");
    let waiting = side.output().remaining();
    assert!(waiting <= ROOM + HEADER_BYTES + COMMAND_BYTES, "{waiting} bytes wait to be sent");
}

/// Nothing is told that the limits forbid.
pub(crate) fn check_event(event: &Event) {
    match event {
        Event::Message(message) => {
            assert!((1..=MESSAGE_FRAMES).contains(&message.len()));
            assert!(message.iter().all(|frame| frame.len() <= FRAME_BYTES));
            assert!(message.bytes() <= MESSAGE_BYTES);
        }
        Event::Subscribe(topic) | Event::Cancel(topic) => assert!(topic.len() <= FRAME_BYTES),
        Event::Ready(peer) => assert!(peer.identity.len() <= HANDSHAKE_BYTES),
        Event::Credentials(Credentials::Login(login)) => {
            assert!(login.username.len() + login.password.len() <= HANDSHAKE_BYTES);
        }
        _ => {}
    }
}
