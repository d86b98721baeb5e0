//! Finds the bytes of a JSON text at which a path leads to a value.

use crate::fault::{Fault, Step};
use crate::wire::{Encoding, Limits, Reader, Token};

/// Offsets of the last step of a path that could be gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    /// Of the key, or of the value where no key leads there.
    pub(super) key: usize,
    /// Of the value.
    pub(super) value: usize,
}

/// Goes along a path as far as it leads.
///
/// The text is read again from its start: places are asked for when there is an error to tell, and seldom.
pub(super) fn find(text: &str, path: &[Step]) -> Spot {
    let mut reader = Reader::new(text.as_bytes(), Encoding::Json, &Limits::default());
    let mut spot = Spot::default();
    for step in path {
        // Broken JSON ends the search where it is; a file that is no JSON has no paths to be asked for.
        match enter(&mut reader, step) {
            Ok(Some(next)) => spot = next,
            Ok(None) | Err(_) => break,
        }
    }
    spot
}

/// Reads up to the value that one step leads to; the value is then the next thing to read.
fn enter(reader: &mut Reader<'_>, step: &Step) -> Result<Option<Spot>, Fault> {
    match (reader.token()?, step) {
        (Token::Map(mut entries), _) => {
            // The members of a set stand in a list under this key of the map that is its tag.
            let name = if let Step::Field(name) = step { name } else { "value" };
            loop {
                if !entries.next(reader)? {
                    return Ok(None);
                }
                let key_start = reader.offset();
                let key = reader.token()?;
                entries.colon(reader)?;
                if matches!(&key, Token::Text(key) if key == name) {
                    break match step {
                        Step::Field(_) => Ok(Some(Spot { key: key_start, value: reader.offset() })),
                        Step::Index(_) => enter(reader, step),
                    };
                }
                reader.skip()?;
            }
        }
        (Token::List(mut items), Step::Index(index)) => {
            for _ in 0..*index {
                if !items.next(reader)? {
                    return Ok(None);
                }
                reader.skip()?;
            }
            let is_there = items.next(reader)?;
            Ok(is_there.then(|| Spot { key: reader.offset(), value: reader.offset() }))
        }
        _ => Ok(None),
    }
}
