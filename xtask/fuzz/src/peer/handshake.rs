//! The peer's part of each handshake, of which one text may be whatever the input says.

use std::sync::LazyLock;

use bytes::Bytes;
use service_framework_zmtp::{KeyPair, Login, Mechanism, SecretKey, SocketType};

use super::boxes::{Boxes, Key, nonce};

/// The bytes that all keys are made of: those that last, and those of one connection.
const CLIENT: u8 = 1;
const SERVER: u8 = 2;
const ONCE: u8 = 3;

/// What our side may be: with each of these, the peer is what fits. To make keys takes long.
pub(super) static MECHANISMS: LazyLock<[Mechanism; 5]> = LazyLock::new(|| {
    let pair = |byte| KeyPair::from(SecretKey::from([byte; 32]));
    [
        Mechanism::Null,
        Mechanism::PlainServer,
        Mechanism::PlainClient(Login { username: "alice".into(), password: "secret".into() }),
        Mechanism::CurveServer { own: pair(SERVER) },
        Mechanism::CurveClient { own: pair(CLIENT), server: *pair(SERVER).public() },
    ]
});

/// The public key that belongs to the secret one of a byte.
fn public(byte: u8) -> [u8; 32] {
    static PUBLIC: LazyLock<[[u8; 32]; 3]> =
        LazyLock::new(|| [CLIENT, SERVER, ONCE].map(|byte| *SecretKey::from([byte; 32]).public().as_bytes()));
    PUBLIC[usize::from(byte - CLIENT)]
}

/// A text that is not what it should be, and which of the handshake's that is: 1 the first of the peer's, 2 its metadata, and of a client of
/// CURVE 3 what it vouches for, 4 all that is in the box of its INITIATE.
pub(super) struct Forged<'a> {
    pub(super) which: u8,
    pub(super) text: &'a [u8],
}

impl Forged<'_> {
    /// Which there are. None of them says that nothing is forged.
    pub(super) const IS_THERE: std::ops::RangeInclusive<u8> = 1..=4;

    fn or(&self, which: u8, right: &[u8]) -> Vec<u8> {
        if self.which == which { self.text } else { right }.to_vec()
    }
}

/// How much of its part the peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// What follows is left to the script.
    Greeting,
}

/// Says the peer's part, by what says something and gives the answer; what is said behind it goes into boxes, if there are any.
pub(super) fn meet(
    ours: (&Mechanism, SocketType),
    (part, minor): (Part, u8),
    forged: &Forged<'_>,
    say: &mut impl FnMut(&[u8]) -> Bytes,
) -> Option<Boxes> {
    let (mechanism, socket_type) = ours;
    let theirs = SocketType::ALL.into_iter().find(|theirs| theirs.talks_to(socket_type));
    let metadata = metadata(theirs.expect("each type talks to one at least"));
    let metadata = forged.or(2, &metadata);
    let is_server = matches!(mechanism, Mechanism::PlainClient(_) | Mechanism::CurveClient { .. });
    let answer = say(&greeting(mechanism.name(), is_server, minor));
    match mechanism {
        _ if part == Part::Greeting => None,
        Mechanism::PlainServer => {
            say(&command("HELLO", &[&forged.or(1, b"\x05alice\x06secret")]));
            say(&command("INITIATE", &[&metadata]));
            None
        }
        Mechanism::PlainClient(_) => {
            say(&command("WELCOME", &[&forged.or(1, b"")]));
            say(&command("READY", &[&metadata]));
            None
        }
        Mechanism::CurveServer { .. } => to_server(forged, &metadata, say),
        Mechanism::CurveClient { .. } => to_client(&answer, forged, &metadata, say),
        _ => {
            say(&command("READY", &[&metadata]));
            None
        }
    }
}

fn to_server(forged: &Forged<'_>, metadata: &[u8], say: &mut impl FnMut(&[u8]) -> Bytes) -> Option<Boxes> {
    let key = Key::of(ONCE, &public(SERVER));
    let number = 1_u64.to_be_bytes();
    let signature = key.seal(&nonce(b"CurveZMQHELLO---", &number), &forged.or(1, &[0; 64]));
    let welcome = say(&command("HELLO", &[&[1, 0], &[0; 72], &public(ONCE), &number, &signature]));
    let (random, sealed) = body(&welcome, "WELCOME")?.split_at_checked(16)?;
    let text = key.open(&nonce(b"WELCOME-", random), sealed)?;
    let (server_once, cookie) = text.split_first_chunk()?;

    let key = Key::of(ONCE, server_once);
    let vouched = forged.or(3, &[public(ONCE), public(SERVER)].concat());
    let vouch = Key::of(CLIENT, server_once).seal(&nonce(b"VOUCH---", &[8; 16]), &vouched);
    let text = [&public(CLIENT)[..], &[8; 16], &vouch, metadata].concat();
    let number = 2_u64.to_be_bytes();
    let sealed = key.seal(&nonce(b"CurveZMQINITIATE", &number), &forged.or(4, &text));
    say(&command("INITIATE", &[cookie, &number, &sealed]));
    Some(Boxes::new(key, b"CurveZMQMESSAGEC", 2))
}

fn to_client(
    hello: &[u8],
    forged: &Forged<'_>,
    metadata: &[u8],
    say: &mut impl FnMut(&[u8]) -> Bytes,
) -> Option<Boxes> {
    let client_once = body(hello, "HELLO")?.get(74..)?.first_chunk()?;
    let text = forged.or(1, &[&public(ONCE)[..], &[7; 96]].concat());
    let sealed = Key::of(SERVER, client_once).seal(&nonce(b"WELCOME-", &[6; 16]), &text);
    say(&command("WELCOME", &[&[6; 16], &sealed]));
    let key = Key::of(ONCE, client_once);
    let number = 1_u64.to_be_bytes();
    let sealed = key.seal(&nonce(b"CurveZMQREADY---", &number), metadata);
    say(&command("READY", &[&number, &sealed]));
    Some(Boxes::new(key, b"CurveZMQMESSAGES", 1))
}

fn greeting(mechanism: &str, is_server: bool, minor: u8) -> [u8; 64] {
    let mut greeting = [0; 64];
    (greeting[0], greeting[9], greeting[10], greeting[11]) = (0xff, 0x7f, 3, minor);
    greeting[12..][..mechanism.len()].copy_from_slice(mechanism.as_bytes());
    greeting[32] = is_server.into();
    greeting
}

fn metadata(socket_type: SocketType) -> Vec<u8> {
    let name = socket_type.name();
    [b"\x0bSocket-Type\0\0\0", &[name.len() as u8][..], name.as_bytes()].concat()
}

/// The frame of a command.
fn command(name: &str, parts: &[&[u8]]) -> Vec<u8> {
    let parts = parts.concat();
    let length = (1 + name.len() + parts.len()) as u64;
    [&[0b110][..], &length.to_be_bytes(), &[name.len() as u8], name.as_bytes(), &parts].concat()
}

/// What stands behind the name of a command that is said in a short frame.
fn body<'a>(frame: &'a [u8], name: &str) -> Option<&'a [u8]> {
    frame.get(3..)?.strip_prefix(name.as_bytes())
}
