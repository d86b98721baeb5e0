//! ZMTP 3.1, the protocol of ZeroMQ, as a state machine that is fed with bytes and time.
//!
//! [`Connection`] is one side of one connection: it is given what the peer sent and what time it is, and gives
//! what is to be sent and what happened. It opens no socket, reads no clock, and allocates nothing on the
//! strength of a length that it has not held against its [`Limits`].
//!
//! ```
//! use std::time::Instant;
//!
//! use service_framework_zmtp::{Config, Connection, Event, Message, SocketType};
//!
//! let now = Instant::now();
//! let mut client = Connection::new(Config::new(SocketType::Req), now);
//! let mut server = Connection::new(Config::new(SocketType::Rep), now);
//! client.send(&Message::from([b"hello".as_slice()]))?;
//!
//! // What a network would do: carry bytes both ways.
//! let mut said = Vec::new();
//! for _ in 0..4 {
//!     server.receive(&client.take_output(), now);
//!     client.receive(&server.take_output(), now);
//!     while let Some(event) = server.poll()? {
//!         said.push(event);
//!     }
//!     while client.poll()?.is_some() {}
//! }
//! assert!(matches!(&said[0], Event::Ready(peer) if peer.socket_type == SocketType::Req));
//! assert_eq!(said[1], Event::Message(Message::from([b"hello".as_slice()])));
//! # Ok::<(), service_framework_zmtp::Error>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod message;
mod protocol;
#[cfg(feature = "tokio")]
pub mod socket;

pub use error::Error;
pub use message::Message;
pub use protocol::{
    Config, Connection, Credentials, Encoded, Event, Heartbeat, Limits, Mechanism, Output, Peer, SocketType,
};
