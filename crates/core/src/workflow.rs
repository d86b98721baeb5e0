//! The id that follows one piece of work through every service it touches.

use std::borrow::Cow;
use std::fmt;

use uuid::fmt::Hyphenated;

use crate::fault::Fault;
use crate::model::derive;
use crate::value::Uuid;
use crate::wire::text::utf8;
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
pub struct WorkflowId<'a>(Form<'a>);

/// What an id is on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form<'a> {
    /// A UUID in its usual text, which most ids are: in place, and known to be ASCII.
    Uuid([u8; Hyphenated::LENGTH]),
    /// A UUID that is written otherwise.
    UnusualUuid(Cow<'a, str>),
    Text(Cow<'a, str>),
}

impl<'a> WorkflowId<'a> {
    /// The id of new work.
    pub fn new() -> Self {
        let mut text = [0; Hyphenated::LENGTH];
        Uuid::new_v4().hyphenated().encode_lower(&mut text);
        Self(Form::Uuid(text))
    }

    /// An id that is text on the wire.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self(Form::Text(text.into()))
    }

    /// An id that is a UUID on the wire, by its text.
    pub fn uuid(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        match text.as_bytes().try_into() {
            Ok(usual) if is_usual_uuid(&usual) => Self(Form::Uuid(usual)),
            _ => Self(Form::UnusualUuid(text)),
        }
    }

    /// An id as it crosses the plugin boundary, with the word of the other side on whether it is a UUID on the wire. One that is none is
    /// a text there; what is no text is no id.
    pub(crate) fn claimed(bytes: &'a [u8], is_uuid: bool) -> Option<Self> {
        if is_uuid
            && let Ok(usual) = bytes.try_into()
            && is_usual_uuid(&usual)
        {
            return Some(Self(Form::Uuid(usual)));
        }
        let text = utf8(bytes)?;
        Some(if is_uuid && Uuid::try_parse(text).is_ok() { Self::uuid(text) } else { Self::text(text) })
    }

    /// The id as log lines show it.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Uuid(text) => std::str::from_utf8(text).expect("hexadecimal digits and dashes are text"),
            Form::UnusualUuid(text) | Form::Text(text) => text,
        }
    }

    /// The bytes of [`as_str`](Self::as_str), which are to be had for less.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Uuid(text) => text,
            Form::UnusualUuid(text) | Form::Text(text) => text.as_bytes(),
        }
    }

    /// Whether it is a UUID on the wire.
    pub fn is_uuid(&self) -> bool {
        !matches!(self.0, Form::Text(_))
    }

    /// The id of the message that a handler sends after `count` others.
    pub fn sent(&self, count: u32) -> WorkflowId<'_> {
        match count {
            0 => self.lend(),
            _ => WorkflowId::text(format!("{self}_{count}")),
        }
    }

    /// The same id for as long as this one is there.
    pub fn lend(&self) -> WorkflowId<'_> {
        WorkflowId(match &self.0 {
            Form::Uuid(text) => Form::Uuid(*text),
            Form::UnusualUuid(text) => Form::UnusualUuid(Cow::Borrowed(text)),
            Form::Text(text) => Form::Text(Cow::Borrowed(text)),
        })
    }

    /// Lets go of the message that the id was read from.
    pub fn into_owned(self) -> WorkflowId<'static> {
        WorkflowId(match self.0 {
            Form::Uuid(text) => Form::Uuid(text),
            Form::UnusualUuid(text) => Form::UnusualUuid(Cow::Owned(text.into_owned())),
            Form::Text(text) => Form::Text(Cow::Owned(text.into_owned())),
        })
    }

    /// Reads an id of at most `max_bytes`; null is no id.
    ///
    /// # Errors
    ///
    /// If it is longer, or no id.
    pub fn read(reader: &mut Reader<'a>, max_bytes: usize) -> Result<Option<Self>, Fault> {
        let start = reader.offset();
        if max_bytes >= Hyphenated::LENGTH
            && let Some(text) = pass_usual_uuid(reader)
        {
            return Ok(Some(Self(Form::Uuid(*text))));
        }
        let id = match reader.token()? {
            Token::Null => return Ok(None),
            Token::Text(text) => Self::text(text),
            Token::Map(entries) => Self::uuid(read_uuid(reader, entries, start)?),
            other => return Err(Fault::mismatch("a UUID or a text", other.named()).at_offset(start)),
        };
        if id.as_bytes().len() > max_bytes {
            let found = format!("{} bytes", id.as_bytes().len());
            return Err(Fault::mismatch(format!("at most {max_bytes} bytes"), found).at_offset(start));
        }
        Ok(Some(id))
    }

    /// Writes the id.
    pub fn write(&self, writer: &mut Writer) {
        match self.is_uuid() {
            true => wire::write_tagged_text(writer, "__uuid__", self.as_str()),
            false => writer.text(self.as_str()),
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
        f.write_str(self.as_str())
    }
}

/// Reads a tagged UUID that is laid out in MessagePack as everybody lays it out; nothing if it is not.
pub(crate) fn pass_usual_uuid<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8; Hyphenated::LENGTH]> {
    if reader.encoding() != Encoding::MessagePack {
        return None;
    }
    // A map, two keys, a boolean and a text.
    reader.pass_before(TAGGED_UUID, 5, is_usual_uuid)
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
        Some(WorkflowId(Form::Uuid(text))) => {
            out.extend_from_slice(TAGGED_UUID);
            out.extend_from_slice(text);
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

    fn claimed(text: &str, is_uuid: bool) -> WorkflowId<'_> {
        WorkflowId::claimed(text.as_bytes(), is_uuid).expect("it is text")
    }

    #[test]
    fn what_is_said_to_be_a_uuid_and_is_none_is_a_text() {
        for uuid in ["67e55044-10b1-426f-9247-bb680e5fe0c8", "67E5504410B1426F9247BB680E5FE0C8"] {
            let [claimed, plain] = [true, false].map(|is_uuid| claimed(uuid, is_uuid));
            assert!(claimed.is_uuid(), "{uuid}");
            assert!(!plain.is_uuid(), "{uuid}");
            assert_eq!((claimed.as_str(), plain.as_str()), (uuid, uuid));
        }
        for text in
            ["", "w", "67e55044-10b1-426f-9247-bb680e5fe0c8_1", "67e55044-10b1-426f-9247-bb680e5fe0cg"]
        {
            assert!(!claimed(text, true).is_uuid(), "{text}");
        }
        assert_eq!(WorkflowId::claimed(&[0xff; Hyphenated::LENGTH], true), None);
    }
}
