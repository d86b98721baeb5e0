//! The id that follows one piece of work through every service it touches.

use std::borrow::Cow;
use std::fmt;

use uuid::fmt::Hyphenated;

use crate::fault::Fault;
use crate::model::derive;
use crate::value::Uuid;
use crate::wire::{self, Encoding, Entries, Peer, Reader, Token, Writer};

/// The id of a workflow: a UUID in its first message, text after that.
///
/// A handler called with `W` sends its first message with `W`, its second with `W_1`, its third with `W_2`, as the Python original does.
///
/// ```
/// use service_framework_core::workflow::WorkflowId;
/// let id = WorkflowId::text("order-7");
/// assert_eq!(id.sent(0).as_str(), "order-7");
/// assert_eq!(id.sent(2).as_str(), "order-7_2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkflowId<'a> {
    text: Cow<'a, str>,
    is_uuid: bool,
}

/// Room for the text of a UUID.
#[derive(Clone, Debug)]
pub struct Room([u8; Hyphenated::LENGTH]);

impl Default for Room {
    fn default() -> Self {
        Self([0; Hyphenated::LENGTH])
    }
}

impl<'a> WorkflowId<'a> {
    /// The id of new work.
    pub fn new() -> Self {
        WorkflowId::new_in(&mut Room::default()).into_owned()
    }

    /// The id of new work, for a message that is written at once.
    pub fn new_in(room: &'a mut Room) -> Self {
        // Its own way to text grows the text piece by piece.
        let text: &str = Uuid::new_v4().hyphenated().encode_lower(&mut room.0);
        Self { text: text.into(), is_uuid: true }
    }

    /// An id that is text on the wire.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), is_uuid: false }
    }

    /// An id by its text and by whether it is a UUID on the wire.
    pub fn from_parts(text: impl Into<Cow<'a, str>>, is_uuid: bool) -> Self {
        Self { text: text.into(), is_uuid }
    }

    /// An id as a plugin gives it, with its word on whether it is a UUID on the wire. One that is none is a text there.
    pub(crate) fn claimed(text: &'a str, is_uuid: bool) -> Self {
        Self { text: text.into(), is_uuid: is_uuid && is_any_uuid(text) }
    }

    /// The id as log lines show it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a UUID on the wire.
    pub fn is_uuid(&self) -> bool {
        self.is_uuid
    }

    /// The id of the message that a handler sends after `count` others.
    pub fn sent(&self, count: u32) -> WorkflowId<'_> {
        match count {
            0 => WorkflowId { text: Cow::Borrowed(&self.text), is_uuid: self.is_uuid },
            _ => WorkflowId::text(format!("{}_{count}", self.text)),
        }
    }

    /// Lets go of the message that the id was read from.
    pub fn into_owned(self) -> WorkflowId<'static> {
        WorkflowId { text: Cow::Owned(self.text.into_owned()), is_uuid: self.is_uuid }
    }

    /// Reads an id of at most `max_bytes`; null is no id.
    ///
    /// # Errors
    ///
    /// If it is longer, or no id.
    pub fn read(reader: &mut Reader<'a>, max_bytes: usize) -> Result<Option<Self>, Fault> {
        let start = reader.offset();
        if let Some(text) = read_usual_uuid(reader).filter(|_| max_bytes >= Hyphenated::LENGTH) {
            return Ok(Some(Self { text: text.into(), is_uuid: true }));
        }
        let id = match reader.token()? {
            Token::Null => return Ok(None),
            Token::Text(text) => Self::text(text),
            Token::Map(entries) => Self { text: read_uuid(reader, entries, start)?, is_uuid: true },
            other => return Err(Fault::mismatch("a UUID or a text", other.named()).at_offset(start)),
        };
        if id.text.len() > max_bytes {
            let found = format!("{} bytes", id.text.len());
            return Err(Fault::mismatch(format!("at most {max_bytes} bytes"), found).at_offset(start));
        }
        Ok(Some(id))
    }

    /// Writes the id.
    pub fn write(&self, writer: &mut Writer) {
        if self.is_uuid {
            wire::write_tagged_text(writer, "__uuid__", &self.text);
        } else {
            writer.text(&self.text);
        }
    }
}

impl Default for WorkflowId<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for WorkflowId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads a tagged UUID that is laid out in MessagePack as everybody lays it out; nothing if it is not.
fn read_usual_uuid<'a>(reader: &mut Reader<'a>) -> Option<&'a str> {
    let mut ahead = reader.clone();
    let text = pass_usual_uuid(&mut ahead)?;
    is_usual_uuid(text.as_bytes().try_into().ok()?).then(|| *reader = ahead)?;
    Some(text)
}

/// Reads past what is laid out like one, whether the text is a UUID or not; if nothing is given, the reader is of no more use.
pub(crate) fn pass_usual_uuid<'a>(reader: &mut Reader<'a>) -> Option<&'a str> {
    // A map, two keys, a boolean and a text.
    let is_usual = reader.encoding() == Encoding::MessagePack && reader.pass(TAGGED_UUID, 5);
    reader.pass_text(Hyphenated::LENGTH).filter(|_| is_usual)
}

/// Whether it is the text of a UUID, in any form.
fn is_any_uuid(text: &str) -> bool {
    match text.as_bytes().try_into() {
        Ok(text) => is_usual_uuid(text),
        Err(_) => Uuid::try_parse(text).is_ok(),
    }
}

/// Whether it is the usual text of a UUID, which takes a third of the time that parsing it does.
fn is_usual_uuid(text: &[u8; Hyphenated::LENGTH]) -> bool {
    const DASHES: [bool; Hyphenated::LENGTH] = {
        let mut dashes = [false; Hyphenated::LENGTH];
        (dashes[8], dashes[13], dashes[18], dashes[23]) = (true, true, true, true);
        dashes
    };
    // Without an early end, so that the compiler looks at many bytes at once.
    text.iter().zip(DASHES).fold(true, |is_one, (byte, is_dash)| {
        let is_hex = byte.is_ascii_digit() | ((byte | 0x20).wrapping_sub(b'a') < 6);
        is_one & if is_dash { *byte == b'-' } else { is_hex }
    })
}

/// What stands before the text of a UUID in MessagePack.
const TAGGED_UUID: &[u8] = b"\x82\xa8__uuid__\xc3\xa6as_str\xd9\x24";

/// Reads the text of a tagged UUID without a copy, which every first message of a workflow has.
fn read_uuid<'a>(reader: &mut Reader<'a>, mut entries: Entries, start: usize) -> Result<Cow<'a, str>, Fault> {
    let not_a_uuid = |found: String| Fault::mismatch("a UUID or a text", found).at_offset(start);
    let (mut is_tagged, mut text) = (false, None);
    while let Some((_, key)) = derive::key(&mut entries, reader)? {
        match (&*key, reader.token()?) {
            (b"__uuid__", Token::Bool(true)) if !is_tagged => is_tagged = true,
            (b"as_str", Token::Text(as_str)) if text.is_none() => text = Some(as_str),
            _ => return Err(not_a_uuid("another map".into())),
        }
    }
    match text {
        Some(text) if is_tagged && Uuid::parse_str(&text).is_ok() => Ok(text),
        Some(text) if is_tagged => Err(not_a_uuid(format!("the text {}", crate::fault::quoted(&text)))),
        _ => Err(not_a_uuid("another map".into())),
    }
}

/// Writes an id, or null for none.
pub(crate) fn write(id: Option<&WorkflowId<'_>>, writer: &mut Writer) {
    match id {
        Some(id) => id.write(writer),
        None => writer.null(),
    }
}

/// Writes an id, or null for none, in MessagePack.
pub(crate) fn append_message_pack(out: &mut Vec<u8>, id: Option<&WorkflowId<'_>>) {
    match id {
        None => out.extend_from_slice(null(Encoding::MessagePack)),
        Some(id) if id.is_uuid && id.text.len() == Hyphenated::LENGTH => {
            out.extend_from_slice(TAGGED_UUID);
            out.extend_from_slice(id.text.as_bytes());
        }
        Some(id) => {
            let mut writer = Writer::append(std::mem::take(out), Encoding::MessagePack, Peer::Any);
            id.write(&mut writer);
            *out = writer.finish().expect("a text or a tagged text has no mistake in it");
        }
    }
}

/// The bytes of a null id.
pub fn null(encoding: Encoding) -> &'static [u8] {
    match encoding {
        Encoding::MessagePack => &[0xc0],
        Encoding::Json => b"null",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_makes_a_uuid_or_none() {
        let uuid = *b"67e55044-10b1-426f-9247-bb680e5fe0c8";
        for place in 0..uuid.len() {
            for byte in 0..=255 {
                let mut text = uuid;
                text[place] = byte;
                let expected = Uuid::try_parse_ascii(&text).is_ok();
                assert_eq!(is_usual_uuid(&text), expected, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn what_is_said_to_be_a_uuid_and_is_none_is_a_text() {
        for uuid in ["67e55044-10b1-426f-9247-bb680e5fe0c8", "67E5504410B1426F9247BB680E5FE0C8"] {
            assert!(WorkflowId::claimed(uuid, true).is_uuid(), "{uuid}");
            assert!(!WorkflowId::claimed(uuid, false).is_uuid(), "{uuid}");
        }
        for text in
            ["", "w", "67e55044-10b1-426f-9247-bb680e5fe0c8_1", "67e55044-10b1-426f-9247-bb680e5fe0cg"]
        {
            assert!(!WorkflowId::claimed(text, true).is_uuid(), "{text}");
        }
    }
}
