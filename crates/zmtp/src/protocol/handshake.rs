//! From the greeting to the first message: who the peer is, and whether it is let in.

use bytes::{BufMut as _, Bytes};

use super::frame::write_command;
use super::metadata::{self, Metadata};
use super::{Config, Credentials, Login, Mechanism, Output, command, curve, greeting, shown};
use crate::Error;

/// What is due next.
#[derive(Debug)]
pub(super) enum Handshake {
    Greeting,
    /// NULL: each side says at once what it is. The server's last word of PLAIN.
    Ready,
    /// PLAIN, server: who are you?
    Hello,
    /// Whoever holds this side decides about a client.
    Verdict(Verdict),
    /// PLAIN, client: you are let in.
    Welcome,
    /// PLAIN, server: what are you?
    Initiate,
    /// Nothing: a client was let in that had said all before. It is there until it is taken.
    Admitted(Option<Box<Done>>),
    /// CURVE.
    #[cfg_attr(not(feature = "curve"), expect(dead_code, reason = "nobody speaks CURVE"))]
    Curve(Box<curve::Due>),
}

impl Handshake {
    #[cfg(feature = "curve")]
    fn curve(due: curve::Due) -> Self {
        Self::Curve(Box::new(due))
    }
}

/// What is decided about.
#[derive(Debug)]
pub(super) enum Verdict {
    Plain,
    /// A client that has said all there is to say.
    #[cfg_attr(not(feature = "curve"), expect(dead_code, reason = "nobody speaks CURVE"))]
    Curve(Box<curve::Asked>),
}

/// What the handshake has come to.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) peer: Metadata,
    /// What encrypts from now on.
    pub(super) session: Option<curve::Session>,
}

impl Done {
    fn in_the_clear(peer: Metadata) -> Self {
        Self { peer, session: None }
    }
}

/// What a command of the handshake leads to.
pub(super) enum Step {
    Next(Handshake),
    Credentials(Credentials, Verdict),
    Done(Done),
}

impl Step {
    /// The next one of CURVE.
    #[cfg(feature = "curve")]
    pub(super) fn curve(due: curve::Due) -> Self {
        Self::Next(Handshake::curve(due))
    }
}

/// Says what comes first from this side, which the peer needs not be waited for.
pub(super) fn begin(out: &mut Output, config: &Config) {
    let mechanism = &config.mechanism;
    let greeting = greeting::write(mechanism.name(), mechanism.is_server() == Some(true));
    out.write(|out| out.put_slice(&greeting));
}

/// Answers the greeting of the peer.
pub(super) fn greet(out: &mut Output, config: &Config, peer_is_server: bool) -> Result<Handshake, Error> {
    // libzmq never says that it is a server, so that another client is known by its HELLO alone.
    if config.mechanism.is_server() == Some(true) && peer_is_server {
        return Err(Error::SameSide { mechanism: config.mechanism.name(), is_server: true });
    }
    match &config.mechanism {
        Mechanism::Null => {
            write_metadata(out, "READY", config);
            Ok(Handshake::Ready)
        }
        Mechanism::PlainClient(Login { username, password }) => {
            let (username, password) = (short(username), short(password));
            let lengths = [username.len() as u8, password.len() as u8];
            write_command(out, "HELLO", &[&lengths[..1], username, &lengths[1..], password]);
            Ok(Handshake::Welcome)
        }
        Mechanism::PlainServer => Ok(Handshake::Hello),
        #[cfg(feature = "curve")]
        Mechanism::CurveClient { server, .. } => curve::hello(out, server).map(Handshake::curve),
        #[cfg(feature = "curve")]
        Mechanism::CurveServer { .. } => Ok(Handshake::curve(curve::Due::Hello)),
    }
}

/// What fits behind a length of one byte.
fn short(text: &[u8]) -> &[u8] {
    &text[..text.len().min(usize::from(u8::MAX))]
}

fn write_metadata(out: &mut Output, name: &str, config: &Config) {
    write_command(out, name, &[&metadata::written(config)]);
}

/// Reads the next command of the peer.
pub(super) fn step(due: &Handshake, frame: Bytes, out: &mut Output, config: &Config) -> Result<Step, Error> {
    // The PLAIN servers of libzmq up to 4.3.5 say so: in C, "\x5ERROR" is no length and a name, but `^` and the rest.
    let refused = frame.starts_with(b"^RROR").then(|| frame.slice(5..));
    if let Some(rest) = refused {
        return Err(Error::Refused { reason: shown(&command::reason(rest)?) });
    }
    let (name, rest) = command::split(frame)?;
    if &*name == b"ERROR" {
        return Err(Error::Refused { reason: shown(&command::reason(rest)?) });
    }
    match (due, &*name) {
        (Handshake::Ready, b"READY") => {
            Ok(Step::Done(Done::in_the_clear(metadata::read(&rest, config.socket_type)?)))
        }
        (Handshake::Hello, b"HELLO") => {
            Ok(Step::Credentials(Credentials::Login(read_hello(&rest)?), Verdict::Plain))
        }
        (Handshake::Welcome, b"WELCOME") => {
            write_metadata(out, "INITIATE", config);
            Ok(Step::Next(Handshake::Ready))
        }
        (Handshake::Welcome, b"HELLO") => {
            Err(Error::SameSide { mechanism: config.mechanism.name(), is_server: false })
        }
        (Handshake::Initiate, b"INITIATE") => {
            let peer = metadata::read(&rest, config.socket_type)?;
            write_metadata(out, "READY", config);
            Ok(Step::Done(Done::in_the_clear(peer)))
        }
        (Handshake::Curve(due), name) => curve::step(due, name, &rest, out, config),
        _ => Err(Error::Malformed("another command than was due in the handshake")),
    }
}

/// Reads who the client says it is, in copies: whoever keeps them keeps nothing else of what came.
fn read_hello(mut rest: &[u8]) -> Result<Login, Error> {
    let mut text = || {
        let (length, behind) = rest.split_first()?;
        let (text, behind) = behind.split_at_checked(usize::from(*length))?;
        rest = behind;
        Some(Bytes::copy_from_slice(text))
    };
    match (text(), text()) {
        (Some(username), Some(password)) => Ok(Login { username, password }),
        _ => Err(Error::Malformed("a HELLO that ends within a text")),
    }
}

/// Lets a client in.
pub(super) fn admit(verdict: &Verdict, out: &mut Output, config: &Config) -> Handshake {
    match verdict {
        Verdict::Plain => {
            write_command(out, "WELCOME", &[]);
            Handshake::Initiate
        }
        Verdict::Curve(asked) => Handshake::Admitted(Some(Box::new(asked.ready(out, config)))),
    }
}
