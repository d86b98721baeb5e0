//! Who may be at the other end of a connection, and whether others may listen in: CURVE, or nothing.

use std::collections::HashSet;
use std::rc::Rc;

pub use crate::engine::zmtp::{KeyError, KeyPair, PublicKey, SecretKey};

/// Who may be at the other end of a connection, and whether others may listen in.
#[derive(Clone, Debug, Default)]
pub enum Security {
    /// Anybody, and everybody.
    #[default]
    Open,
    /// This side is asked: it proves who it is, and lets in whom it knows. Of a connection that listens.
    Server {
        /// Who this side is.
        own: KeyPair,
        /// Whom it lets in.
        allow: Rc<Allow>,
    },
    /// This side asks: it proves who it is, and talks to this peer alone. Of a connection that connects.
    Client {
        /// Who this side is.
        own: KeyPair,
        /// Who the peer must be.
        server: PublicKey,
    },
}

/// Whom a server lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Anybody who knows its public key.
    Anybody,
    /// Those with these keys.
    These(HashSet<PublicKey>),
}

impl Allow {
    /// Whether it lets this one in.
    pub fn admits(&self, key: &PublicKey) -> bool {
        match self {
            Self::Anybody => true,
            Self::These(keys) => keys.contains(key),
        }
    }
}
