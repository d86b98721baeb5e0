//! What has come and was not taken, and who was told to wait with more.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use super::keep;
use crate::Message;

/// What has come and was not taken.
#[derive(Debug)]
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    limit: usize,
    waker: Option<Waker>,
    /// The peers that are not read, since there is no room.
    paused: Vec<usize>,
}

impl Inbox {
    pub(super) fn new(limit: usize) -> Self {
        Self { messages: VecDeque::new(), limit: limit.max(1), waker: None, paused: Vec::new() }
    }

    /// Adds a message, room or not: what was read is kept.
    pub(super) fn push(&mut self, message: Message) {
        self.messages.push_back(message);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Whether a peer may be read. One that may not is remembered until there is room.
    pub(super) fn has_room_for(&mut self, peer: usize) -> bool {
        let has_room = self.messages.len() < self.limit;
        if !has_room && !self.paused.contains(&peer) {
            self.paused.push(peer);
        }
        has_room
    }

    pub(super) fn take(&mut self, context: &Context<'_>) -> Poll<Message> {
        match self.messages.pop_front() {
            Some(message) => Poll::Ready(message),
            None => {
                keep(&mut self.waker, context);
                Poll::Pending
            }
        }
    }

    /// Gives the peers that may be read again, once half of the room is free.
    pub(super) fn room_again(&mut self) -> Vec<usize> {
        match self.messages.len() <= self.limit / 2 {
            true => std::mem::take(&mut self.paused),
            false => Vec::new(),
        }
    }
}
