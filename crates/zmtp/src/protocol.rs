//! The protocol without IO: greeting, handshake, frames, commands, time.

mod command;
mod config;
mod connection;
#[cfg(feature = "curve")]
mod curve;
#[cfg(not(feature = "curve"))]
#[path = "protocol/without_curve.rs"]
mod curve;
mod encoded;
mod event;
mod frame;
mod greeting;
mod handshake;
mod heartbeat;
mod incoming;
mod mechanism;
mod metadata;
mod outgoing;
mod output;
mod socket_type;

pub use config::{Config, Heartbeat, Limits};
pub use connection::Connection;
#[cfg(feature = "curve")]
pub use curve::{KeyError, KeyPair, PublicKey, SecretKey};
pub use encoded::Encoded;
pub use event::{Event, Peer};
pub use mechanism::{Credentials, Login, Mechanism};
pub use output::Output;
pub use socket_type::SocketType;

/// A text of the peer's for messages to people: escaped, and no longer than a line.
fn shown(bytes: &[u8]) -> String {
    const MAX: usize = 80;
    let cut = if bytes.len() > MAX { "..." } else { "" };
    format!("{}{cut}", bytes[..bytes.len().min(MAX)].escape_ascii())
}
