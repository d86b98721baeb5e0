//! What has come and was not taken, and who was told to wait with more.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use super::{Queue, keep};
use crate::Message;

/// What has come and was not taken.
#[derive(Debug)]
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    /// Bytes in them.
    bytes: usize,
    limit: Queue,
    waker: Option<Waker>,
    /// The peers that wait for room.
    paused: Vec<usize>,
}

impl Inbox {
    pub(super) fn new(limit: Queue) -> Self {
        let limit = Queue { messages: limit.messages.max(1), bytes: limit.bytes.max(1) };
        Self { messages: VecDeque::new(), bytes: 0, limit, waker: None, paused: Vec::new() }
    }

    /// Adds a message, room or not.
    pub(super) fn push(&mut self, message: Message) {
        self.bytes += message.bytes();
        self.messages.push_back(message);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Whether what a peer says may be looked at. One that has to wait is remembered until there is room.
    pub(super) fn has_room_for(&mut self, peer: usize) -> bool {
        let has_room = self.messages.len() < self.limit.messages && self.bytes < self.limit.bytes;
        if !has_room && !self.paused.contains(&peer) {
            self.paused.push(peer);
        }
        has_room
    }

    pub(super) fn take(&mut self, context: &Context<'_>) -> Poll<Message> {
        match self.messages.pop_front() {
            Some(message) => {
                self.bytes -= message.bytes();
                Poll::Ready(message)
            }
            None => {
                keep(&mut self.waker, context);
                Poll::Pending
            }
        }
    }

    /// Gives the peers that may be read again, once half of the room is free.
    pub(super) fn room_again(&mut self) -> Vec<usize> {
        let has_room = self.messages.len() <= self.limit.messages / 2 && self.bytes <= self.limit.bytes / 2;
        if has_room { std::mem::take(&mut self.paused) } else { Vec::new() }
    }
}
