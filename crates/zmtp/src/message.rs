//! A message: a few frames.

use bytes::Bytes;
use smallvec::{IntoIter, SmallVec};

/// How many frames most messages of more than one have at most: an address, an empty frame and a body, and one more.
const USUAL: usize = 4;

/// A message: one or more frames. Cloning shares their bytes.
// Room in place for one frame, which is all of most publications, saves them an allocation. Room for more would cost the others more than
// that: a message changes hands a dozen times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Message(SmallVec<[Bytes; 1]>);

impl Message {
    /// A message without frames, to be filled.
    pub fn new() -> Self {
        Self(SmallVec::new())
    }

    /// Adds a frame behind the others.
    #[inline]
    pub fn push(&mut self, frame: impl Into<Bytes>) {
        if self.0.len() == 1 && !self.0.spilled() {
            self.0.grow(USUAL);
        }
        self.0.push(frame.into());
    }

    /// Adds a frame before the others.
    pub fn push_front(&mut self, frame: impl Into<Bytes>) {
        self.0.insert(0, frame.into());
    }

    /// Takes the last frame.
    pub fn pop(&mut self) -> Option<Bytes> {
        self.0.pop()
    }

    /// Takes the first frame.
    pub fn pop_front(&mut self) -> Option<Bytes> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }

    /// The bytes in all frames together.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }
}

impl std::ops::Deref for Message {
    type Target = [Bytes];

    fn deref(&self) -> &[Bytes] {
        &self.0
    }
}

impl<B: Into<Bytes>, const N: usize> From<[B; N]> for Message {
    #[inline]
    fn from(frames: [B; N]) -> Self {
        let mut message = Self::new();
        frames.into_iter().for_each(|frame| message.push(frame));
        message
    }
}

impl<B: Into<Bytes>> FromIterator<B> for Message {
    fn from_iter<I: IntoIterator<Item = B>>(frames: I) -> Self {
        Self(frames.into_iter().map(Into::into).collect())
    }
}

impl IntoIterator for Message {
    type Item = Bytes;
    type IntoIter = IntoIter<[Bytes; 1]>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn frames_come_and_go_at_both_ends() {
        let mut message = Message::from(["b", "c"]);
        message.push_front("a");
        message.push("d");
        message.push("e");
        assert_eq!((message.len(), message.bytes()), (5, 5));
        assert_eq!(message.pop_front().as_deref(), Some(b"a".as_slice()));
        assert_eq!(message.pop().as_deref(), Some(b"e".as_slice()));
        assert_eq!(message, Message::from(["b", "c", "d"]));
        assert_eq!(Message::new().pop_front(), None);
    }
}
