//! One direction of a connection: bytes arrive late, cut anywhere, in order.

use std::collections::VecDeque;
use std::time::Duration;

use crate::dice::Dice;

/// One direction of a connection.
#[derive(Default)]
pub(crate) struct Wire {
    /// When they arrive, and what.
    on_their_way: VecDeque<(Duration, Vec<u8>)>,
    /// Nothing arrives any more.
    pub(crate) is_stalled: bool,
}

impl Wire {
    /// Sends bytes in pieces, each as late as the dice say but none before the one ahead of it.
    pub(crate) fn send(&mut self, mut bytes: &[u8], now: Duration, latency_ms: usize, dice: &mut Dice) {
        while !bytes.is_empty() {
            let most = if dice.once_in(3) { 9 } else { bytes.len() };
            let (piece, rest) = bytes.split_at(1 + dice.below(most.min(bytes.len())));
            let before = self.on_their_way.back().map_or(now, |(at, _)| *at);
            let at = before.max(now + dice.ms(0, latency_ms));
            self.on_their_way.push_back((at, piece.to_vec()));
            bytes = rest;
        }
    }

    /// The next piece that has arrived by now.
    pub(crate) fn receive(&mut self, now: Duration) -> Option<Vec<u8>> {
        self.on_their_way.front().filter(|(at, _)| *at <= now && !self.is_stalled)?;
        self.on_their_way.pop_front().map(|(_, piece)| piece)
    }

    /// When the next piece arrives.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.on_their_way.front().map(|(at, _)| *at).filter(|_| !self.is_stalled)
    }
}
