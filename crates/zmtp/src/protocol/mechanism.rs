//! How both sides of a connection tell who they are.

use bytes::Bytes;

#[cfg(feature = "curve")]
use super::{KeyPair, PublicKey};

/// How both sides tell who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mechanism {
    /// They do not: RFC 37.
    #[default]
    Null,
    /// The client gives a name and a password, both readable on the way: RFC 24.
    PlainClient(Login),
    /// The server is asked about each client by [`Event::Credentials`](super::Event::Credentials).
    PlainServer,
    /// The client knows the server by its public key, and proves who it is by its own keys; all is encrypted: RFC 25.
    #[cfg(feature = "curve")]
    CurveClient {
        /// Who this side is.
        own: KeyPair,
        /// Who the other side has to be.
        server: PublicKey,
    },
    /// The server is asked about each client, as with PLAIN, once that has proven who it is; all is encrypted: RFC 25.
    #[cfg(feature = "curve")]
    CurveServer {
        /// Who this side is.
        own: KeyPair,
    },
}

impl Mechanism {
    /// Its name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::PlainClient(_) | Self::PlainServer => "PLAIN",
            #[cfg(feature = "curve")]
            Self::CurveClient { .. } | Self::CurveServer { .. } => "CURVE",
        }
    }

    /// Whether this side is the one that is asked for admission; `None` if the mechanism knows no sides.
    pub(super) const fn is_server(&self) -> Option<bool> {
        match self {
            Self::Null => None,
            Self::PlainClient(_) => Some(false),
            Self::PlainServer => Some(true),
            #[cfg(feature = "curve")]
            Self::CurveClient { .. } => Some(false),
            #[cfg(feature = "curve")]
            Self::CurveServer { .. } => Some(true),
        }
    }
}

/// Who a client says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// A client of PLAIN says so.
    Login(Login),
    /// A client of CURVE has proven that it has the secret key that belongs to this one.
    #[cfg(feature = "curve")]
    Key(PublicKey),
}

/// The name and the password of a client of PLAIN. What is printed of it has no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Its name, 255 bytes at most.
    pub username: Bytes,
    /// Its password, 255 bytes at most.
    pub password: Bytes,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}
