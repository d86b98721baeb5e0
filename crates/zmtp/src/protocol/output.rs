//! What is to be sent: small things one behind the other, large ones shared.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// From this size on, a frame is shared instead of copied.
const SHARED: usize = 16 << 10;

/// From this size on, what was encoded for many is shared, too: each of them would have to copy it.
pub(super) const SHARED_BY_MANY: usize = 1 << 10;

/// What is to be sent, to be read as any [`Buf`]: many small messages lie in one chunk, large frames are chunks of their own.
#[derive(Debug, Default)]
pub struct Output {
    before: VecDeque<Bytes>,
    /// What comes behind all of them.
    last: BytesMut,
    remaining: usize,
    copied: u64,
}

impl Output {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.remaining == 0
    }

    /// Lets small bytes be written behind what is there.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let before = self.last.len();
        write(&mut self.last);
        let written = self.last.len() - before;
        self.remaining += written;
        self.copied += written as u64;
    }

    /// Lets so many bytes at most be written behind what is there; if they are many, apart, so that their room goes with them.
    #[cfg(feature = "curve")]
    pub(super) fn write_sized(&mut self, most: usize, write: impl FnOnce(&mut BytesMut)) {
        if most < SHARED {
            return self.write(write);
        }
        let mut apart = BytesMut::with_capacity(most);
        write(&mut apart);
        self.copied += apart.len() as u64;
        self.remaining += apart.len();
        let last = self.last.split().freeze();
        self.before.extend([last, apart.freeze()].into_iter().filter(|bytes| !bytes.is_empty()));
    }

    /// How many bytes were ever copied into it, and not shared.
    pub fn copied(&self) -> u64 {
        self.copied
    }

    /// Adds a frame behind what is there, and what `head` writes before it.
    #[inline]
    pub(super) fn push(&mut self, head: impl FnOnce(&mut BytesMut), frame: &Bytes) {
        let is_copied = frame.len() < SHARED;
        self.write(|out| {
            head(out);
            if is_copied {
                out.extend_from_slice(frame);
            }
        });
        if !is_copied {
            self.share(frame);
        }
    }

    /// Adds what many send behind what is there.
    pub(super) fn push_encoded(&mut self, chunk: &Bytes) {
        match chunk.len() < SHARED_BY_MANY {
            true => self.write(|out| out.extend_from_slice(chunk)),
            false => self.share(chunk),
        }
    }

    fn share(&mut self, chunk: &Bytes) {
        let last = self.last.split().freeze();
        self.before.extend([last, chunk.clone()].into_iter().filter(|bytes| !bytes.is_empty()));
        self.remaining += chunk.len();
    }

    /// All that is there, piece by piece.
    pub(super) fn into_chunks(self) -> impl Iterator<Item = Bytes> {
        let last = Some(self.last.freeze()).filter(|last| !last.is_empty());
        self.before.into_iter().chain(last)
    }
}

impl Buf for Output {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.before.front().map_or(&*self.last, |first| first)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let last = Some(&*self.last).filter(|last| !last.is_empty());
        let chunks = self.before.iter().map(|chunk| &**chunk).chain(last);
        slices.iter_mut().zip(chunks).map(|(slice, chunk)| *slice = IoSlice::new(chunk)).count()
    }

    fn advance(&mut self, mut count: usize) {
        self.remaining = self.remaining.checked_sub(count).expect("no more is taken than is there");
        while let Some(first) = self.before.front_mut() {
            if count < first.len() {
                return first.advance(count);
            }
            count -= first.len();
            self.before.pop_front();
        }
        if count == self.last.len() {
            // Its room is used again, which only moving along would not do.
            self.last.clear();
        } else {
            self.last.advance(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            frames in vec((prop_oneof![0..9_usize, SHARED - 2..SHARED + 2], any::<u8>()), 0..9),
            steps in vec(1..2 * SHARED, 1..9),
        ) {
            let (mut output, mut wanted) = (Output::default(), Vec::new());
            for (length, byte) in frames {
                let frame = Bytes::from(vec![byte; length]);
                output.push(|_| {}, &frame);
                wanted.extend_from_slice(&frame);
            }
            prop_assert_eq!(output.remaining(), wanted.len());

            let (mut got, mut steps) = (Vec::new(), steps.into_iter().cycle());
            while !output.is_empty() {
                let mut slices = [IoSlice::new(&[]); 4];
                let used = output.chunks_vectored(&mut slices);
                let ready: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.to_vec()).collect();
                prop_assert!(!ready.is_empty() && ready.starts_with(output.chunk()));
                let step = steps.next().unwrap_or(1).min(ready.len());
                got.extend_from_slice(&ready[..step]);
                output.advance(step);
            }
            prop_assert_eq!(got, wanted);
        }
    }
}
