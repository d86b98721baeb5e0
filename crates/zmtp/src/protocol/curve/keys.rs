//! Keys that last: who a side is.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use super::z85;
use crate::Error;

/// What others know a side by. Its text is Z85, 40 characters, as libzmq writes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for PublicKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = Self(z85::decode(text)?);
        // What anybody has in common with it is nothing.
        let is_somebodys = StaticSecret::from([1; 32]).diffie_hellman(&key.0.into()).was_contributory();
        if is_somebodys { Ok(key) } else { Err(KeyError::Nobodys) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&z85::encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// What a side proves by that it is who it is. It is never printed, and its place in memory is overwritten when it is dropped; copies that the
/// compiler leaves on the stack are out of reach.
#[derive(Clone)]
pub struct SecretKey(StaticSecret);

impl SecretKey {
    /// A new one, of random bytes of the system.
    ///
    /// # Errors
    ///
    /// [`Error::NoRandomness`] if the system has none.
    pub fn generate() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(|_| Error::NoRandomness)?;
        Ok(Self::from(*bytes))
    }

    /// Its text, to be kept where nobody else reads it: Z85, 40 characters, as libzmq writes it.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(z85::encode(self.0.as_bytes()))
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey(x25519_dalek::PublicKey::from(&self.0).to_bytes())
    }

    pub(super) fn secret(&self) -> &StaticSecret {
        &self.0
    }
}

impl From<[u8; 32]> for SecretKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes.into())
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        z85::decode(text).map(Zeroizing::new).map(|bytes| Self::from(*bytes))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").finish_non_exhaustive()
    }
}

/// A secret key and the public one that belongs to it. What is printed of it is the public one alone.
#[derive(Clone)]
pub struct KeyPair {
    public: PublicKey,
    secret: SecretKey,
}

impl KeyPair {
    /// A new one, of random bytes of the system.
    ///
    /// # Errors
    ///
    /// [`Error::NoRandomness`] if the system has none.
    pub fn generate() -> Result<Self, Error> {
        SecretKey::generate().map(Self::from)
    }

    /// What others know this side by.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// What nobody else may know.
    pub const fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

impl From<SecretKey> for KeyPair {
    fn from(secret: SecretKey) -> Self {
        Self { public: secret.public(), secret }
    }
}

impl PartialEq for KeyPair {
    /// There is one secret key to a public one.
    fn eq(&self, other: &Self) -> bool {
        self.public == other.public
    }
}

impl Eq for KeyPair {}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Why a text is no key. Nothing of the text is repeated, as it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is too short or too long.
    #[error("a key has 40 characters, and this one {characters}")]
    Length {
        /// Its characters.
        characters: usize,
    },
    /// Z85 does not use a character.
    #[error("a key is written in Z85, which does not use character {} of this one", .at + 1)]
    Character {
        /// Its place, the first being 0.
        at: usize,
    },
    /// Five characters say a number that four bytes cannot.
    #[error("a key is written in Z85, and characters {} to {} of this one say no four bytes", .at + 1, .at + 5)]
    Group {
        /// The place of the first of them, the first of all being 0.
        at: usize,
    },
    /// All secret keys fit this public key, so that it proves nothing.
    #[error("a public key that is nobody's, such as one of nothing but zeros")]
    Nobodys,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by libzmq's `curve_keypair`.
    const PUBLIC: &str = ".)1/NDdv2fNmTI{j)20Wxxn:Zr&2uQvF^{z=<nSo";
    const SECRET: &str = "g*0OU8SKMLoz+Exn.K6%]ia)&Xa(EM:2z<EY.i/9";

    #[test]
    fn the_public_key_follows_from_the_secret_one() {
        let secret: SecretKey = SECRET.parse().expect("a key");
        assert_eq!(secret.public().to_string(), PUBLIC);
        assert_eq!(Ok(secret.public()), PUBLIC.parse());
        assert_eq!(*secret.to_text(), SECRET);
    }

    #[test]
    fn nothing_secret_is_printed() {
        let pair = KeyPair::from(SECRET.parse::<SecretKey>().expect("a key"));
        assert_eq!(format!("{:?}", pair.secret()), "SecretKey { .. }");
        assert_eq!(format!("{pair:?}"), format!("KeyPair {{ public: PublicKey({PUBLIC}), .. }}"));
    }

    #[test]
    fn no_two_are_the_same() {
        let pair = || KeyPair::generate().expect("random bytes");
        assert_ne!(pair(), pair());
    }

    /// The points whose order is small, as they stand at <https://cr.yp.to/ecdh.html>: p-1, p and p+1 among them.
    #[test]
    fn what_is_nobodys_is_no_key() {
        let mut nobodys = vec![[0; 32], [0; 32]];
        nobodys[1][0] = 1;
        for last in [0xec, 0xed, 0xee] {
            let mut point = [0xff; 32];
            (point[0], point[31]) = (last, 0x7f);
            nobodys.push(point);
        }
        for point in nobodys {
            assert_eq!(z85::encode(&point).parse::<PublicKey>(), Err(KeyError::Nobodys), "{point:?}");
        }
    }
}
