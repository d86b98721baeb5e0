//! Reads what is written most in MessagePack without making tokens of it.

use super::{Entries, Items, Left, Reader};
use crate::fault::Fault;
use crate::wire::{Encoding, Token, msgpack, text};

impl<'a> Reader<'a> {
    /// Reads an integer that comes next in MessagePack in one of the forms that are written most, without making a token.
    #[inline]
    pub(crate) fn plain_int(&mut self) -> Option<u64> {
        if self.encoding != Encoding::MessagePack {
            return None;
        }
        let (int, length) = msgpack::plain_int(&self.input[self.at..])?;
        self.values_left = self.values_left.checked_sub(1)?;
        self.at += length;
        Some(int)
    }

    /// Reads a float that comes next in MessagePack in its usual form, without making a token.
    #[inline]
    pub(crate) fn plain_float(&mut self) -> Option<f64> {
        if self.encoding != Encoding::MessagePack {
            return None;
        }
        let float = msgpack::plain_float(&self.input[self.at..])?;
        self.values_left = self.values_left.checked_sub(1)?;
        self.at += 1 + size_of::<f64>();
        Some(float)
    }

    /// Reads a text that comes next in MessagePack and is short, without making a token.
    #[inline]
    pub(crate) fn plain_text(&mut self) -> Option<&'a str> {
        if self.encoding != Encoding::MessagePack {
            return None;
        }
        let text = msgpack::short_text(self.input, self.at).and_then(text::utf8)?;
        self.values_left = self.values_left.checked_sub(1)?;
        self.at += 1 + text.len();
        Some(text)
    }

    /// Reads the bytes of so many values of MessagePack that come next, if they are these; nothing otherwise.
    #[inline]
    pub(crate) fn pass(&mut self, these: &[u8], values: usize) -> bool {
        let left = self.values_left.checked_sub(values);
        match left.filter(|_| self.input[self.at..].starts_with(these)) {
            Some(left) => {
                self.values_left = left;
                self.at += these.len();
                true
            }
            None => false,
        }
    }

    /// The same for bytes that begin with the start of one map.
    #[inline]
    pub(crate) fn pass_into(&mut self, these: &[u8], values: usize) -> bool {
        self.pass(these, values) && self.enter().is_ok()
    }

    /// Reads the bytes of so many values of MessagePack and those behind them, which belong to the last of them, if the former are
    /// these and the latter as they should be; nothing otherwise.
    #[inline]
    pub(crate) fn pass_before<const N: usize>(
        &mut self,
        these: &[u8],
        values: usize,
        is_right: impl FnOnce(&[u8; N]) -> bool,
    ) -> Option<&'a [u8; N]> {
        let left = self.values_left.checked_sub(values)?;
        let rest = self.input[self.at..].strip_prefix(these)?;
        let behind = rest.first_chunk().filter(|behind| is_right(behind))?;
        self.values_left = left;
        self.at += these.len() + N;
        Some(behind)
    }

    /// Reads that many values of MessagePack and forgets them, without making tokens of most.
    pub(super) fn skip_values(&mut self, mut count: usize) -> Result<(), Fault> {
        while count > 0 {
            let (plain, end) = msgpack::plain_values(self.input, self.at, count.min(self.values_left));
            self.at = end;
            self.values_left -= plain;
            count -= plain;
            if count == 0 {
                break;
            }
            count -= 1;
            let inside = match msgpack::container(self.input, self.at) {
                Some((inside, start)) => {
                    self.count()?;
                    self.at = start;
                    self.enter()?;
                    inside
                }
                None => match self.token()? {
                    Token::List(Items(Left::Known(count))) => count,
                    Token::Map(Entries(Left::Known(count))) => count.saturating_mul(2),
                    _ => continue,
                },
            };
            self.skip_values(inside)?;
            self.depth -= 1;
        }
        Ok(())
    }
}
