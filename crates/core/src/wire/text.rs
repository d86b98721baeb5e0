//! Tells whether bytes are text, fast for what most texts are.

use bstr::ByteSlice as _;

/// The bytes as text, if they are UTF-8. Short ASCII, as names and ids are, takes a fraction of what it takes the standard library.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Option<&str> {
    bytes.to_str().ok()
}

/// Whether the bytes are ASCII.
#[inline]
pub(super) fn is_ascii(bytes: &[u8]) -> bool {
    match bytes.len() {
        0..16 => bytes.iter().fold(0, |all, byte| all | byte) < 0x80,
        _ => bytes.is_ascii(),
    }
}
