//! What a peer puts into a message.

use anyhow::Context as _;

/// How a peer makes and reads its messages.
pub(crate) trait Body {
    /// The request, or the publication, with this number, of so many bytes.
    fn make(number: u64, bytes: usize, into: &mut Vec<u8>) -> anyhow::Result<()>;

    /// The reply to a request.
    fn answer(request: &[u8], into: &mut Vec<u8>) -> anyhow::Result<()>;

    /// Checks a reply; gives its number.
    fn reply_number(reply: &[u8]) -> anyhow::Result<u64>;

    /// Checks a publication; gives its number.
    fn number(publication: &[u8]) -> anyhow::Result<u64>;
}

/// The size of a message, unless a case asks for another.
pub(crate) const SIZE: usize = 64;

/// Bytes of which the first eight are the number.
#[derive(Debug)]
pub(crate) enum Raw {}

impl Body for Raw {
    fn make(number: u64, bytes: usize, into: &mut Vec<u8>) -> anyhow::Result<()> {
        into.clear();
        into.extend_from_slice(&number.to_le_bytes());
        into.resize(bytes, b'.');
        Ok(())
    }

    fn answer(request: &[u8], into: &mut Vec<u8>) -> anyhow::Result<()> {
        into.clear();
        into.extend_from_slice(request);
        Ok(())
    }

    fn reply_number(reply: &[u8]) -> anyhow::Result<u64> {
        Self::number(reply)
    }

    fn number(publication: &[u8]) -> anyhow::Result<u64> {
        let number = publication.first_chunk().context("a message has no number")?;
        Ok(u64::from_le_bytes(*number))
    }
}
