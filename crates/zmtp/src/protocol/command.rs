//! Commands: what the two sides say to one another beside messages.

use std::time::Duration;

use bytes::{Buf as _, Bytes};

use super::outgoing::Outgoing;
use crate::Error;

/// The most bytes that a PONG repeats of its PING.
const CONTEXT_MAX: usize = 16;

/// The unit of a PING's time to live.
const TENTH: Duration = Duration::from_millis(100);

/// A command of a connection whose handshake is done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ping { time_to_live: Duration, context: Bytes },
    Pong,
    Subscribe(Bytes),
    Cancel(Bytes),
    Error(Bytes),
    Unknown,
}

/// Splits a command into its name and the rest.
pub(super) fn split(mut frame: Bytes) -> Result<(Bytes, Bytes), Error> {
    let length = frame.first().map_or(0, |length| usize::from(*length));
    if length == 0 || frame.len() <= length {
        return Err(Error::Malformed("a command without a name"));
    }
    frame.advance(1);
    let name = frame.split_to(length);
    Ok((name, frame))
}

/// Reads a command of a connection whose handshake is done.
pub(super) fn read(frame: Bytes) -> Result<Command, Error> {
    let (name, mut rest) = split(frame)?;
    Ok(match &*name {
        b"PING" => {
            if rest.len() < 2 {
                return Err(Error::Malformed("a PING without a time to live"));
            }
            let time_to_live = TENTH * rest.get_u16().into();
            rest.truncate(CONTEXT_MAX);
            Command::Ping { time_to_live, context: rest }
        }
        b"PONG" => Command::Pong,
        b"SUBSCRIBE" => Command::Subscribe(rest),
        b"CANCEL" => Command::Cancel(rest),
        b"ERROR" => Command::Error(reason(rest)?),
        _ => Command::Unknown,
    })
}

/// The reason in an ERROR.
pub(super) fn reason(mut rest: Bytes) -> Result<Bytes, Error> {
    match rest.first().map(|length| usize::from(*length)) {
        Some(length) if length < rest.len() => {
            rest.advance(1);
            Ok(rest.split_to(length))
        }
        _ => Err(Error::Malformed("an ERROR without a reason")),
    }
}

/// Asks for a sign of life.
pub(super) fn write_ping(out: &mut Outgoing, time_to_live: Duration) {
    let tenths = u16::try_from(time_to_live.as_millis() / TENTH.as_millis()).unwrap_or(u16::MAX);
    out.command("PING", &[&tenths.to_be_bytes()]);
}

/// Gives a sign of life.
pub(super) fn write_pong(out: &mut Outgoing, context: &[u8]) {
    out.command("PONG", &[context]);
}

/// Says why this side ends the connection; `reason` is cut at 255 bytes.
pub(super) fn write_error(out: &mut Outgoing, reason: &str) {
    let reason = &reason.as_bytes()[..reason.len().min(255)];
    out.command("ERROR", &[&[reason.len() as u8], reason]);
}

/// Subscribes to a topic, or no longer.
pub(super) fn write_subscription(out: &mut Outgoing, is_wanted: bool, topic: &[u8]) {
    let name = if is_wanted { "SUBSCRIBE" } else { "CANCEL" };
    out.command(name, &[topic]);
}
