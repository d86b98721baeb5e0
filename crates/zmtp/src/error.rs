//! Why a connection ends.

use thiserror::Error;

use crate::SocketType;

/// Why a connection ends. After one of these it is of no more use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The first bytes are not those of the protocol.
    #[error("the peer does not speak ZMTP")]
    NotZmtp,
    /// The peer speaks a version from before 3.0.
    #[error("the peer speaks ZMTP {major}, and 3 is the oldest that is understood")]
    Version {
        /// The first number of its version.
        major: u8,
    },
    /// The two sides want to tell who they are in different ways.
    #[error("the peer uses the mechanism `{theirs}`, and this side `{ours}`")]
    Mechanism {
        /// What the peer uses, cut and escaped where it is no name.
        theirs: String,
        /// What this side uses.
        ours: &'static str,
    },
    /// Both sides are clients of the mechanism, or both are servers.
    #[error("both sides are {} of the mechanism `{mechanism}`", if *.is_server { "servers" } else { "clients" })]
    SameSide {
        /// The mechanism.
        mechanism: &'static str,
        /// What both are.
        is_server: bool,
    },
    /// Sockets of these types do not talk to one another.
    #[error("a {ours} does not talk to a {theirs}")]
    Incompatible {
        /// The type of this side's socket.
        ours: SocketType,
        /// What the peer says its socket is, cut and escaped where it is no name.
        theirs: String,
    },
    /// The peer broke off the handshake.
    #[error("the peer refused the connection: {reason}")]
    Refused {
        /// What it said, cut and escaped.
        reason: String,
    },
    /// What the peer has encrypted does not open.
    #[error("{0} does not open: it was made with other keys, or changed on the way")]
    Unopened(&'static str),
    /// What the peer has encrypted has a number that was there before.
    #[error("a command came that had come before, or a later one had")]
    Replayed,
    /// There are no random bytes to make keys of.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// The handshake took too long.
    #[error("the handshake was not done in time")]
    HandshakeTimeout,
    /// The peer sent nothing for longer than either side allows.
    #[error("the peer has fallen silent")]
    Silent,
    /// A frame is larger than the limit.
    #[error("a frame of {bytes} bytes, the limit is {limit}")]
    FrameTooLarge {
        /// Its size, as declared.
        bytes: u64,
        /// The limit.
        limit: usize,
    },
    /// A message is larger than the limit.
    #[error("a message of {bytes} bytes or more, the limit is {limit}")]
    MessageTooLarge {
        /// Its size so far, the frame that is declared included.
        bytes: u64,
        /// The limit.
        limit: usize,
    },
    /// A message has more frames than the limit.
    #[error("a message of more than {limit} frames")]
    TooManyFrames {
        /// The limit.
        limit: usize,
    },
    /// A subscriber asks for more at a time than it may.
    #[error("more subscriptions than one peer may have")]
    TooManySubscriptions,
    /// Another peer of the same router is called the same.
    #[error("another peer has this identity")]
    IdentityInUse,
    /// Bytes that no peer may send there.
    #[error("broken: {0}")]
    Malformed(&'static str),
}
