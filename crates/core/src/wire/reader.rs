//! Reads values one token at a time, the same for both encodings.

mod plain;

use std::borrow::Cow;

use super::{Encoding, Limits, Token, json, msgpack};
use crate::fault::Fault;

/// Walks the items of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Items(Left);

/// Walks the entries of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries(Left);

#[derive(Clone, Debug, PartialEq)]
enum Left {
    /// MessagePack says how many follow.
    Known(usize),
    /// JSON does not; whether the first is still to come.
    Unknown { first: bool },
}

/// Reads a message from front to back. It allocates nothing on the strength of a declared length.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    encoding: Encoding,
    depth: usize,
    max_depth: usize,
    values_left: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `input`.
    pub fn new(input: &'a [u8], encoding: Encoding, limits: &Limits) -> Self {
        // Values are read by recursion. This deep, even a debug build of large structs leaves most of a thread's stack.
        const DEEPEST: usize = 256;
        let Limits { max_depth, max_values, .. } = *limits;
        let max_depth = max_depth.min(DEEPEST);
        // Between two reads the reader stands at a value, not at the blanks before it, so that offsets point at values.
        let at = if encoding == Encoding::Json { json::skip_blanks(input, 0) } else { 0 };
        Self { input, at, encoding, depth: 0, max_depth, values_left: max_values }
    }

    /// How the message is written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// A capacity for `declared` items of a type that the bytes still there could hold, and of 1 KiB at most:
    /// containers that claim much may stand in one another.
    pub fn capacity<T>(&self, declared: usize) -> usize {
        declared.min(self.input.len() - self.at).min(1024 / size_of::<T>().max(1))
    }

    /// Reads the next token.
    ///
    /// # Errors
    ///
    /// If the bytes are no token, or a limit is passed.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, Fault> {
        self.count()?;
        let token = match self.encoding {
            Encoding::MessagePack => msgpack::token(self.input, &mut self.at)?,
            Encoding::Json => json::token(self.input, &mut self.at)?,
        };
        if let Token::List(_) | Token::Map(_) = token {
            self.enter()?;
        }
        Ok(token)
    }

    /// Counts a value against the limit.
    #[inline]
    fn count(&mut self) -> Result<(), Fault> {
        match self.values_left.checked_sub(1) {
            Some(left) => {
                self.values_left = left;
                Ok(())
            }
            None => Err(Fault::malformed("more values than a message may have").at_offset(self.at)),
        }
    }

    #[inline]
    fn enter(&mut self) -> Result<(), Fault> {
        if self.depth == self.max_depth {
            let text = format!("nested deeper than {} levels", self.max_depth);
            return Err(Fault::malformed(text).at_offset(self.at));
        }
        self.depth += 1;
        Ok(())
    }

    /// Whether another element of the innermost open container follows; leaves the container if none does.
    #[inline]
    fn more(&mut self, left: &mut Left, close: u8) -> Result<bool, Fault> {
        let more = match left {
            Left::Known(0) => false,
            Left::Known(count) => {
                *count -= 1;
                true
            }
            Left::Unknown { first } => self.more_json(first, close)?,
        };
        if !more {
            self.depth -= 1;
        }
        Ok(more)
    }

    fn more_json(&mut self, first: &mut bool, close: u8) -> Result<bool, Fault> {
        let was_first = std::mem::replace(first, false);
        let (more, end) = json::more(self.input, self.at, close, was_first)?;
        self.at = end;
        Ok(more)
    }

    /// Whether a null comes next; it is read then, and nothing otherwise.
    ///
    /// # Errors
    ///
    /// If a limit is passed.
    #[inline]
    pub fn null(&mut self) -> Result<bool, Fault> {
        let is_null = self.is_null();
        if is_null {
            self.token()?;
        }
        Ok(is_null)
    }

    /// Whether a null comes next.
    #[inline]
    pub fn is_null(&self) -> bool {
        match self.encoding {
            Encoding::MessagePack => self.input.get(self.at) == Some(&0xc0),
            Encoding::Json => self.input[self.at..].starts_with(b"null"),
        }
    }

    /// The fault of a value that starts at `start` with `token`, which was read last, where `expected` is due.
    #[cold]
    pub fn mismatch(&self, expected: impl Into<String>, token: &Token<'_>, start: usize) -> Fault {
        let found = match token {
            Token::List(_) | Token::Map(_) => self.found(start).unwrap_or_else(|| token.named()),
            _ => token.named(),
        };
        Fault::mismatch(expected, found).at_offset(start)
    }

    /// Names the container at `start`, of which this reader has read no more than direct elements.
    pub(crate) fn found(&self, start: usize) -> Option<String> {
        let mut again = Self { at: start, depth: self.depth - 1, ..self.clone() };
        super::read_value(&mut again).ok().map(|value| value.named())
    }

    /// Reads a value and forgets it.
    ///
    /// # Errors
    ///
    /// If the bytes are no value, or a limit is passed.
    pub fn skip(&mut self) -> Result<(), Fault> {
        if self.encoding == Encoding::MessagePack {
            return self.skip_values(1);
        }
        match self.token()? {
            Token::List(mut items) => {
                while items.next(self)? {
                    self.skip()?;
                }
            }
            Token::Map(mut entries) => {
                while entries.next(self)? {
                    self.skip()?;
                    entries.colon(self)?;
                    self.skip()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads a value and gives the bytes that it is written in, without blanks around it.
    ///
    /// # Errors
    ///
    /// If the bytes are no value, or a limit is passed.
    pub fn slice(&mut self) -> Result<&'a [u8], Fault> {
        self.slice_of(Self::skip).map(|((), slice)| slice)
    }

    /// Reads a value by `read`, and gives the bytes that it is written in beside it.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub fn slice_of<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<(T, &'a [u8]), Fault> {
        if self.encoding == Encoding::Json {
            self.at = json::skip_blanks(self.input, self.at);
        }
        let start = self.at;
        let value = read(self)?;
        Ok((value, &self.input[start..self.at]))
    }

    /// Makes sure that nothing follows.
    ///
    /// # Errors
    ///
    /// If something does.
    pub fn end(&mut self) -> Result<(), Fault> {
        if self.encoding == Encoding::Json {
            self.at = json::skip_blanks(self.input, self.at);
        }
        match self.input.len() - self.at {
            0 => Ok(()),
            rest => {
                Err(Fault::malformed(format!("{rest} bytes too many after the value")).at_offset(self.at))
            }
        }
    }
}

impl Items {
    pub(super) fn of(count: usize) -> Self {
        Self(Left::Known(count))
    }

    pub(super) fn unknown() -> Self {
        Self(Left::Unknown { first: true })
    }

    /// Whether another item follows; it is then the next thing to read.
    ///
    /// # Errors
    ///
    /// If the bytes are broken.
    #[inline]
    pub fn next(&mut self, reader: &mut Reader<'_>) -> Result<bool, Fault> {
        reader.more(&mut self.0, b']')
    }

    /// The number of items that the message claims, if it claims one.
    pub fn declared(&self) -> usize {
        if let Left::Known(count) = self.0 { count } else { 0 }
    }
}

impl Entries {
    pub(super) fn of(count: usize) -> Self {
        Self(Left::Known(count))
    }

    pub(super) fn unknown() -> Self {
        Self(Left::Unknown { first: true })
    }

    /// Whether another entry follows; its key is then the next thing to read, then [`colon`](Self::colon), then the value.
    ///
    /// # Errors
    ///
    /// If the bytes are broken.
    #[inline]
    pub fn next(&mut self, reader: &mut Reader<'_>) -> Result<bool, Fault> {
        reader.more(&mut self.0, b'}')
    }

    /// Reads what stands between key and value: nothing in MessagePack.
    ///
    /// # Errors
    ///
    /// If there is no colon in JSON.
    pub fn colon(&self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if reader.encoding == Encoding::Json {
            reader.at = json::colon(reader.input, reader.at)?;
        }
        Ok(())
    }

    /// The next key, which must be text; `None` at the end of the map. The value is then the next thing to read.
    ///
    /// # Errors
    ///
    /// If the bytes are broken or the key is not text.
    pub fn text_key<'a>(&mut self, reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, Fault> {
        if self.next(reader)? { self.read_text_key(reader).map(Some) } else { Ok(None) }
    }

    /// As [`read_text_key`](Self::read_text_key), but the bytes need not be UTF-8: enough to find a key that one knows.
    #[inline]
    pub(crate) fn read_key_bytes<'a>(&self, reader: &mut Reader<'a>) -> Result<Cow<'a, [u8]>, Fault> {
        if reader.encoding == Encoding::MessagePack
            && let Some(text) = msgpack::short_text(reader.input, reader.at)
        {
            reader.count()?;
            reader.at += 1 + text.len();
            return Ok(Cow::Borrowed(text));
        }
        Ok(match self.read_text_key(reader)? {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        })
    }

    /// Reads the key that [`next`](Self::next) found, which must be text, and the colon after it.
    pub(crate) fn read_text_key<'a>(&self, reader: &mut Reader<'a>) -> Result<Cow<'a, str>, Fault> {
        let start = reader.at;
        match reader.token()? {
            Token::Text(key) => {
                self.colon(reader)?;
                Ok(key)
            }
            other => Err(reader.mismatch("a text as key", &other, start)),
        }
    }

    /// The number of entries that the message claims, if it claims one.
    pub fn declared(&self) -> usize {
        if let Left::Known(count) = self.0 { count } else { 0 }
    }
}
