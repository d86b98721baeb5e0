//! CURVE: each side proves who it is by a key, and all that is said is encrypted; RFC 25 and 26.
//!
//! The names of the RFC are *C* and *S* for the keys that last, and *C'* and *S'* for those of one connection, which here are called `once`.

mod boxes;
mod client;
mod keys;
mod server;
mod session;
#[cfg(test)]
mod tests;
mod z85;

use super::handshake::{Step, Verdict};
use super::{Config, Credentials, Mechanism, Output, metadata};
use crate::Error;

pub use keys::{KeyError, KeyPair, PublicKey, SecretKey};
pub(super) use server::Asked;
pub(super) use session::{OVERHEAD, Opener, Sealer, Session};

/// Bytes of a cookie.
const COOKIE: usize = 96;

/// What is due next from the peer.
#[derive(Debug)]
pub(super) enum Due {
    /// Of the client: somebody is there.
    Hello,
    /// Of the server: it is the one, and this is its cookie.
    Welcome(client::Greeted),
    /// Of the client: who it is.
    Initiate(server::Welcomed),
    /// Of the server: the client is let in.
    Ready(client::Initiated),
}

/// Begins the part of a client.
pub(super) fn hello(out: &mut Output, server: &PublicKey) -> Result<Due, Error> {
    let greeted = client::Greeted::fresh()?;
    greeted.hello(out, server)?;
    Ok(Due::Welcome(greeted))
}

/// Reads the next command of the peer.
pub(super) fn step(
    due: &Due,
    name: &[u8],
    rest: &[u8],
    out: &mut Output,
    config: &Config,
) -> Result<Step, Error> {
    match (due, name, &config.mechanism) {
        (Due::Hello, b"HELLO", Mechanism::CurveServer { own }) => {
            let welcomed = server::welcome(rest, out, own, server::Fresh::new()?)?;
            Ok(Step::curve(Due::Initiate(welcomed)))
        }
        (Due::Welcome(greeted), b"WELCOME", Mechanism::CurveClient { own, server }) => {
            let initiated = greeted.welcomed(rest, out, (own, server), &metadata::written(config))?;
            Ok(Step::curve(Due::Ready(initiated)))
        }
        (Due::Welcome(_), b"HELLO", mechanism) => {
            Err(Error::SameSide { mechanism: mechanism.name(), is_server: false })
        }
        (Due::Initiate(welcomed), b"INITIATE", Mechanism::CurveServer { own }) => {
            let asked = welcomed.initiated(rest, own, config.socket_type)?;
            Ok(Step::Credentials(Credentials::Key(asked.client), Verdict::Curve(Box::new(asked))))
        }
        (Due::Ready(initiated), b"READY", _) => initiated.ready(rest, config.socket_type).map(Step::Done),
        _ => Err(Error::Malformed("another command than was due in the handshake")),
    }
}
