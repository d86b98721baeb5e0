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
    // What is read twice where the two halves overlap takes less than what is read byte by byte.
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) if bytes.len() <= 16 => {
            (u64::from_ne_bytes(*first) | u64::from_ne_bytes(*last)) & 0x8080_8080_8080_8080 == 0
        }
        (None, _) => bytes.iter().fold(0, |all, byte| all | byte) < 0x80,
        _ => bytes.is_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_the_standard_library_says(
            mut bytes in vec(0..0x80_u8, 0..40),
            other in any::<Option<(prop::sample::Index, u8)>>(),
        ) {
            if let Some((place, byte)) = other && !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            prop_assert_eq!(is_ascii(&bytes), bytes.is_ascii());
            prop_assert_eq!(utf8(&bytes), std::str::from_utf8(&bytes).ok());
        }
    }
}
