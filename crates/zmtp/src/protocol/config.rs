//! How a connection behaves.

use std::time::Duration;

use bytes::Bytes;

use super::{Mechanism, SocketType};

/// How a connection behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The type of the socket that the connection belongs to.
    pub socket_type: SocketType,
    /// What a ROUTER peer calls this side by, 255 bytes at most and not beginning with zero; empty to be given one.
    pub identity: Bytes,
    /// How both sides tell who they are.
    pub mechanism: Mechanism,
    /// What a peer may make this side keep.
    pub limits: Limits,
    /// How a silent peer is found out; not at all by default, nor with one that speaks ZMTP 3.0, which has no heartbeats.
    pub heartbeat: Option<Heartbeat>,
}

impl Config {
    /// A connection of this type with safe limits, which takes any peer.
    pub fn new(socket_type: SocketType) -> Self {
        Self {
            socket_type,
            identity: Bytes::new(),
            mechanism: Mechanism::Null,
            limits: Limits::default(),
            heartbeat: None,
        }
    }
}

/// What a peer may make this side keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes in a frame.
    pub frame_bytes: usize,
    /// Bytes in all frames of a message.
    pub message_bytes: usize,
    /// Frames in a message.
    pub message_frames: usize,
    /// Bytes in a command once the handshake is done, and so in a subscription.
    pub command_bytes: usize,
    /// Bytes in a command before that, and so in what a peer says of itself: it is all that a stranger makes this side keep. The longest that
    /// is needed, the INITIATE of CURVE with an identity of 255, has 547; the rest is for properties that are not known.
    pub handshake_bytes: usize,
    /// Time until the handshake is done.
    pub handshake: Duration,
}

impl Default for Limits {
    /// 16 MiB, 1,024 frames, commands of 64 KiB, and of 4 KiB in the handshake, 30 s.
    fn default() -> Self {
        Self {
            frame_bytes: 16 << 20,
            message_bytes: 16 << 20,
            message_frames: 1_024,
            command_bytes: 64 << 10,
            handshake_bytes: 4 << 10,
            handshake: Duration::from_secs(30),
        }
    }
}

/// How a silent peer is found out, by RFC 37.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// A PING leaves this often.
    pub every: Duration,
    /// How long nothing at all may come after a PING.
    pub patience: Duration,
    /// How long the peer may wait for anything from this side, to 0.1 s; zero says nothing about it.
    pub time_to_live: Duration,
}
