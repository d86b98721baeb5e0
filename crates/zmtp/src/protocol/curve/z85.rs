//! Z85: bytes as text that can be quoted anywhere, five characters for each four bytes; RFC 32.

use super::KeyError;

const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// Characters of a key.
pub(super) const KEY_CHARACTERS: usize = 40;

/// The text of a key.
pub(super) fn encode(key: &[u8; 32]) -> String {
    let mut text = String::with_capacity(KEY_CHARACTERS);
    for four in key.as_chunks().0 {
        let number = u32::from_be_bytes(*four);
        let digits = [4, 3, 2, 1, 0].map(|place| number / 85_u32.pow(place) % 85);
        text.extend(digits.map(|digit| char::from(ALPHABET[digit as usize])));
    }
    text
}

/// The key of a text.
pub(super) fn decode(text: &str) -> Result<[u8; 32], KeyError> {
    let characters = text.chars().count();
    if characters != KEY_CHARACTERS {
        return Err(KeyError::Length { characters });
    }
    let mut key = [0; 32];
    let mut digits = text.chars().enumerate().map(|(at, character)| {
        let digit = ALPHABET.iter().position(|known| char::from(*known) == character);
        digit.map(|digit| digit as u64).ok_or(KeyError::Character { at })
    });
    for (index, four) in key.as_chunks_mut().0.iter_mut().enumerate() {
        let number = digits.by_ref().take(5).try_fold(0, |number, digit| Ok(number * 85 + digit?))?;
        *four = u32::try_from(number).map_err(|_| KeyError::Group { at: 5 * index })?.to_be_bytes();
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The key that libzmq's manual gives as an example, and what pyzmq makes of it.
    #[test]
    fn the_example_of_the_manual() {
        let text = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
        let key = decode(text).expect("a key");
        let digits = key.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        assert_eq!(digits, "bb88471d65e2659b30c55a5321cebb5aab2b70a398645c26dca2b2fcb43fc518");
        assert_eq!(encode(&key), text);
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        assert_eq!(decode("short"), Err(KeyError::Length { characters: 5 }));
        assert_eq!(decode(&"0ä".repeat(20)), Err(KeyError::Character { at: 1 }));
        assert_eq!(
            decode(&format!("{} {}", "0".repeat(7), "0".repeat(32))),
            Err(KeyError::Character { at: 7 })
        );
        assert_eq!(
            decode(&format!("{}#####{}", "0".repeat(5), "0".repeat(30))),
            Err(KeyError::Group { at: 5 })
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(key in any::<[u8; 32]>()) {
            let text = encode(&key);
            prop_assert_eq!(text.len(), KEY_CHARACTERS);
            prop_assert_eq!(decode(&text), Ok(key));
        }
    }
}
