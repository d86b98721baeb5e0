//! ZMTP 3.1, the protocol of ZeroMQ: a state machine that is fed with bytes and time, and sockets on tokio.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod message;
mod protocol;
#[cfg(feature = "tokio")]
pub mod socket;

pub use error::Error;
pub use message::Message;
pub use protocol::{
    Config, Connection, Credentials, Encoded, Event, Heartbeat, Limits, Login, Mechanism, Output, Peer,
    SocketType,
};
#[cfg(feature = "curve")]
pub use protocol::{KeyError, KeyPair, PublicKey, SecretKey};
