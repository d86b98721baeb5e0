//! How the two sides of a connection tell who they are.

use bytes::Bytes;
use service_framework_zmtp::{Credentials, Login, Mechanism};

use crate::dice::Dice;

/// How the two sides tell who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    None,
    Password,
    /// Which encrypts, too.
    #[cfg(feature = "curve")]
    Keys,
}

impl Security {
    pub(crate) fn any(dice: &mut Dice) -> Self {
        // Encryption that is not optimised takes long.
        #[cfg(feature = "curve")]
        if dice.once_in(20) {
            return Self::Keys;
        }
        if dice.once_in(3) { Self::Password } else { Self::None }
    }

    /// That of side 0, the client, or of side 1.
    pub(crate) fn mechanism(self, side: usize) -> Mechanism {
        match (self, side) {
            (Self::None, _) => Mechanism::Null,
            (Self::Password, 0) => Mechanism::PlainClient(login()),
            (Self::Password, _) => Mechanism::PlainServer,
            #[cfg(feature = "curve")]
            (Self::Keys, 0) => {
                Mechanism::CurveClient { own: keys::CLIENT.clone(), server: *keys::SERVER.public() }
            }
            #[cfg(feature = "curve")]
            (Self::Keys, _) => Mechanism::CurveServer { own: keys::SERVER.clone() },
        }
    }

    /// Whether nobody reads it on the way.
    pub(crate) fn encrypts(self) -> bool {
        !matches!(self, Self::None | Self::Password)
    }

    /// Whether these are the client's.
    pub(crate) fn knows(self, credentials: &Credentials) -> bool {
        match (self, credentials) {
            (Self::Password, Credentials::Login(given)) => *given == login(),
            #[cfg(feature = "curve")]
            (Self::Keys, Credentials::Key(key)) => key == keys::CLIENT.public(),
            _ => false,
        }
    }
}

fn login() -> Login {
    Login { username: Bytes::from_static(b"name"), password: Bytes::from_static(b"password") }
}

#[cfg(feature = "curve")]
mod keys {
    use std::sync::LazyLock;

    use service_framework_zmtp::{KeyPair, SecretKey};

    pub(super) static CLIENT: LazyLock<KeyPair> = LazyLock::new(|| SecretKey::from([1; 32]).into());
    pub(super) static SERVER: LazyLock<KeyPair> = LazyLock::new(|| SecretKey::from([2; 32]).into());
}
