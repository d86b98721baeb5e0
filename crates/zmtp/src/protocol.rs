//! The protocol without IO: greeting, handshake, frames, commands, time.

mod command;
mod config;
mod connection;
mod encoded;
mod event;
mod frame;
mod greeting;
mod handshake;
mod heartbeat;
mod metadata;
mod output;
mod socket_type;

pub use config::{Config, Credentials, Heartbeat, Limits, Mechanism};
pub use connection::Connection;
pub use encoded::Encoded;
pub use event::{Event, Peer};
pub use output::Output;
pub use socket_type::SocketType;

/// A text of the peer's for messages to people: escaped, and no longer than a line.
fn shown(bytes: &[u8]) -> String {
    const MAX: usize = 80;
    let cut = if bytes.len() > MAX { "..." } else { "" };
    format!("{}{cut}", bytes[..bytes.len().min(MAX)].escape_ascii())
}
