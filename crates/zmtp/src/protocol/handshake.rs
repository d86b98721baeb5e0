//! From the greeting to the first message: who the peer is, and whether it is let in.

use bytes::{Buf as _, BufMut as _, Bytes};

use super::frame::write_command;
use super::metadata::{self, Metadata};
use super::{Config, Credentials, Mechanism, Output, command, greeting, shown};
use crate::Error;

/// What is due next from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    Greeting,
    /// NULL: each side says at once what it is. The server's last word of PLAIN.
    Ready,
    /// PLAIN, server: who are you?
    Hello,
    /// PLAIN, server: whoever holds this side decides.
    Verdict,
    /// PLAIN, client: you are let in.
    Welcome,
    /// PLAIN, server: what are you?
    Initiate,
}

/// What a command of the handshake leads to.
pub(super) enum Step {
    Next(Handshake),
    Credentials(Credentials),
    Done(Metadata),
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
        Mechanism::PlainClient(Credentials { username, password }) => {
            let (username, password) = (short(username), short(password));
            write_command(out, "HELLO", 2 + username.len() + password.len(), |out| {
                for text in [username, password] {
                    out.put_u8(text.len() as u8);
                    out.put_slice(text);
                }
            });
            Ok(Handshake::Welcome)
        }
        Mechanism::PlainServer => Ok(Handshake::Hello),
    }
}

/// What fits behind a length of one byte.
fn short(text: &[u8]) -> &[u8] {
    &text[..text.len().min(usize::from(u8::MAX))]
}

fn write_metadata(out: &mut Output, name: &str, config: &Config) {
    write_command(out, name, metadata::length(config), |out| metadata::write(out, config));
}

/// Reads the next command of the peer.
pub(super) fn step(due: Handshake, frame: Bytes, out: &mut Output, config: &Config) -> Result<Step, Error> {
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
        (Handshake::Ready, b"READY") => Ok(Step::Done(metadata::read(rest, config.socket_type)?)),
        (Handshake::Hello, b"HELLO") => Ok(Step::Credentials(read_hello(rest)?)),
        (Handshake::Welcome, b"WELCOME") => {
            write_metadata(out, "INITIATE", config);
            Ok(Step::Next(Handshake::Ready))
        }
        (Handshake::Welcome, b"HELLO") => {
            Err(Error::SameSide { mechanism: config.mechanism.name(), is_server: false })
        }
        (Handshake::Initiate, b"INITIATE") => {
            let peer = metadata::read(rest, config.socket_type)?;
            write_metadata(out, "READY", config);
            Ok(Step::Done(peer))
        }
        _ => Err(Error::Malformed("another command than was due in the handshake")),
    }
}

fn read_hello(mut rest: Bytes) -> Result<Credentials, Error> {
    let mut text = || match rest.first().map(|length| usize::from(*length)) {
        Some(length) if length < rest.len() => {
            rest.advance(1);
            Ok(rest.split_to(length))
        }
        _ => Err(Error::Malformed("a HELLO that ends within a text")),
    };
    Ok(Credentials { username: text()?, password: text()? })
}

/// Lets the client of PLAIN in.
pub(super) fn welcome(out: &mut Output) -> Handshake {
    write_command(out, "WELCOME", 0, |_| ());
    Handshake::Initiate
}
