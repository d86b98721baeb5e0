//! CURVE as a peer writes it who puts into its boxes whatever it likes.

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::cipher::consts::U10;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use salsa20::{XSalsa20, hsalsa};
use x25519_dalek::StaticSecret;

/// Bytes of the proof before the text of a box.
const TAG: usize = 16;

/// The key that two sides have.
pub(super) struct Key([u8; 32]);

impl Key {
    /// Of the secret key of a byte and the public one of the other side.
    pub(super) fn of(ours: u8, theirs: &[u8; 32]) -> Self {
        let shared = StaticSecret::from([ours; 32]).diffie_hellman(&(*theirs).into());
        Self(hsalsa::<U10>(shared.as_bytes().into(), &[0; 16].into()).into())
    }

    /// The box of a text.
    pub(super) fn seal(&self, nonce: &[u8; 24], text: &[u8]) -> Vec<u8> {
        let mut cipher = XSalsa20::new((&self.0).into(), nonce.into());
        let mut once = [0; 32];
        cipher.apply_keystream(&mut once);
        let mut sealed = text.to_vec();
        cipher.apply_keystream(&mut sealed);
        let tag: [u8; TAG] = Poly1305::new((&once).into()).compute_unpadded(&sealed).into();
        [&tag[..], &sealed].concat()
    }

    /// The text of a box, which was made rightly.
    pub(super) fn open(&self, nonce: &[u8; 24], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut cipher = XSalsa20::new((&self.0).into(), nonce.into());
        cipher.apply_keystream(&mut [0; 32]);
        let mut text = sealed.get(TAG..)?.to_vec();
        cipher.apply_keystream(&mut text);
        Some(text)
    }
}

/// A nonce that begins with these bytes and ends with those.
pub(super) fn nonce(name: &[u8], rest: &[u8]) -> [u8; 24] {
    [name, rest].concat().try_into().expect("the names of RFC 26 are as long as that")
}

/// What seals all that is said behind the handshake.
pub(super) struct Boxes {
    key: Key,
    name: &'static [u8; 16],
    /// The number of the last box.
    number: u64,
    /// The highest of all.
    highest: u64,
    /// Whether the last had a number that no box may have any more.
    is_repeated: bool,
}

impl Boxes {
    /// Behind a handshake whose last command of this side had that number.
    pub(super) fn new(key: Key, name: &'static [u8; 16], number: u64) -> Self {
        Self { key, name, number, highest: number, is_repeated: false }
    }

    /// The next box, as what stands in a frame.
    pub(super) fn next(&mut self, text: &[u8]) -> Vec<u8> {
        self.number = self.number.wrapping_add(1);
        self.is_repeated = self.number <= self.highest;
        self.highest = self.highest.max(self.number);
        let number = self.number.to_be_bytes();
        [&b"\x07MESSAGE"[..], &number, &self.key.seal(&nonce(self.name, &number), text)].concat()
    }

    /// Leaves out so many numbers, or goes back by as many.
    pub(super) fn skip(&mut self, numbers: i8) {
        self.number = self.number.wrapping_add_signed(numbers.into());
    }

    /// Whether the last box had a number that no box may have any more.
    pub(super) fn is_repeated(&self) -> bool {
        self.is_repeated
    }
}
