//! The topic in front of a publication, in the same frame: MessagePack text.

use crate::fault::Fault;
use crate::wire::{self, Encoding, Limits, Reader, Token};

/// The bytes of a topic: the head of its frames, and the filter that lets just them pass.
pub fn encode(topic: &str) -> Vec<u8> {
    wire::encode(&topic.to_owned(), Encoding::MessagePack).expect("a text has nothing that the wire lacks")
}

/// The topic of a frame, if it has one, and the payload behind it.
///
/// A payload is a map and never begins like a text, so the first byte tells.
///
/// # Errors
///
/// If the frame begins like a topic and ends within it, or its text is not UTF-8.
///
/// ```
/// use service_framework_core::topic;
/// let mut frame = topic::encode("prices");
/// frame.extend_from_slice(b"\x80");
/// assert_eq!(topic::split(&frame)?, (Some("prices"), &b"\x80"[..]));
/// # Ok::<(), service_framework_core::Fault>(())
/// ```
pub fn split(frame: &[u8]) -> Result<(Option<&str>, &[u8]), Fault> {
    if !matches!(frame.first(), Some(0xa0..=0xbf | 0xd9..=0xdb)) {
        return Ok((None, frame));
    }
    let mut reader = Reader::new(frame, Encoding::MessagePack, &Limits::default());
    match reader.token().map_err(|fault| fault.within("topic"))? {
        Token::Text(std::borrow::Cow::Borrowed(topic)) => Ok((Some(topic), &frame[reader.offset()..])),
        other => Err(Fault::mismatch("a text", other.named()).within("topic")),
    }
}
