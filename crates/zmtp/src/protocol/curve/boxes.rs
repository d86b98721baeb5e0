//! Boxes, which only two sides can make and open: what NaCl calls `crypto_box` and `crypto_secretbox`.

use std::fmt;

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::cipher::consts::U10;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use salsa20::{XSalsa20, hsalsa};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{PublicKey, SecretKey};
use crate::Error;

/// Bytes that a box has more than its text: the proof that it is as it was made.
pub(super) const TAG: usize = 16;

/// A number that no two boxes of the same key share.
pub(super) type Nonce = [u8; 24];

/// A nonce of a key that lasts: its second part is random.
pub(super) fn long_nonce(name: &[u8; 8], random: &[u8; 16]) -> Nonce {
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(name);
    nonce[8..].copy_from_slice(random);
    nonce
}

/// A nonce of a key that one connection has: its second part is counted up.
pub(super) fn short_nonce(name: &[u8; 16], number: u64) -> Nonce {
    let mut nonce = [0; 24];
    nonce[..16].copy_from_slice(name);
    nonce[16..].copy_from_slice(&number.to_be_bytes());
    nonce
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandomness)?;
    Ok(bytes)
}

/// What makes and opens boxes.
#[derive(Clone)]
pub(super) struct BoxKey(Zeroizing<[u8; 32]>);

impl BoxKey {
    /// The key that two sides have, each by its own secret key and the public one of the other.
    pub(super) fn of(ours: &SecretKey, theirs: &PublicKey) -> Result<Self, Error> {
        let shared = ours.secret().diffie_hellman(&(*theirs.as_bytes()).into());
        // Otherwise everybody has it.
        if !shared.was_contributory() {
            return Err(Error::Malformed("a key that is nobody's"));
        }
        let key = Zeroizing::new(<[u8; 32]>::from(hsalsa::<U10>(shared.as_bytes().into(), &[0; 16].into())));
        Ok(Self(key))
    }

    /// The cipher of a box, behind those bytes of it that the proof is made with.
    fn begin(&self, nonce: &Nonce) -> (XSalsa20, Poly1305) {
        let mut cipher = XSalsa20::new((&*self.0).into(), nonce.into());
        let mut once = Zeroizing::new([0; 32]);
        cipher.apply_keystream(&mut *once);
        (cipher, Poly1305::new((&*once).into()))
    }

    /// Makes a box of a text, in its place, and gives what goes before it.
    pub(super) fn seal(&self, nonce: &Nonce, text: &mut [u8]) -> [u8; TAG] {
        let (mut cipher, proof) = self.begin(nonce);
        cipher.apply_keystream(text);
        proof.compute_unpadded(text).into()
    }

    /// Opens a box, in its place; `None`, and nothing is changed, if it was made with another key or nonce, or is not as it was made.
    pub(super) fn open(&self, nonce: &Nonce, tag: &[u8; TAG], text: &mut [u8]) -> Option<()> {
        let (mut cipher, proof) = self.begin(nonce);
        let wanted: [u8; TAG] = proof.compute_unpadded(text).into();
        if !bool::from(wanted.ct_eq(tag)) {
            return None;
        }
        cipher.apply_keystream(text);
        Some(())
    }

    /// The box of a text.
    pub(super) fn sealed(&self, nonce: &Nonce, text: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; TAG + text.len()];
        sealed[TAG..].copy_from_slice(text);
        let tag = self.seal(nonce, &mut sealed[TAG..]);
        sealed[..TAG].copy_from_slice(&tag);
        sealed
    }

    /// The text of a box.
    pub(super) fn opened(&self, nonce: &Nonce, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (tag, text) = sealed.split_first_chunk()?;
        let mut text = Zeroizing::new(text.to_vec());
        self.open(nonce, tag, &mut text).map(|()| text)
    }
}

impl From<[u8; 32]> for BoxKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxKey").finish_non_exhaustive()
    }
}
