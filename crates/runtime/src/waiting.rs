//! What waits for a handler, in order, and how many bytes that is.

use std::collections::VecDeque;

/// What waits for a handler.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    /// Each with its bytes.
    items: VecDeque<(T, usize)>,
    bytes: usize,
}

impl<T> Waiting<T> {
    /// Lets something of so many bytes wait behind the others.
    pub(crate) fn push(&mut self, item: T, bytes: usize) {
        self.bytes += bytes;
        self.items.push_back((item, bytes));
    }

    /// Lets something wait before all others.
    pub(crate) fn put_back(&mut self, item: T, bytes: usize) {
        self.bytes += bytes;
        self.items.push_front((item, bytes));
    }

    /// Takes what has waited longest.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let (item, bytes) = self.items.pop_front()?;
        self.bytes -= bytes;
        Some(item)
    }

    /// Whether no more of them may wait, or no more bytes; the last one may go beyond.
    pub(crate) fn is_full(&self, most: usize, most_bytes: usize) -> bool {
        self.items.len() >= most || self.bytes >= most_bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), bytes: 0 }
    }
}
