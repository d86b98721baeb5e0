//! What has come and was not taken, and who was told to wait with more.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use super::{Queue, Traffic, keep};
use crate::Message;

/// What has come and was not taken.
#[derive(Debug)]
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    /// Bytes in them.
    bytes: usize,
    limit: Queue,
    waker: Option<Waker>,
    /// The peers that wait for room; who has waited longest is first. While there are any, nobody is read but in turn:
    /// otherwise who sends most would leave no room to others.
    paused: VecDeque<usize>,
    /// Whose turn it is.
    turn: Option<usize>,
}

impl Inbox {
    pub(super) fn new(limit: Queue) -> Self {
        let limit = limit.of_one_at_least();
        Self { messages: VecDeque::new(), bytes: 0, limit, waker: None, paused: VecDeque::new(), turn: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// What waits in it.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic { inbox_messages: self.messages.len(), inbox_bytes: self.bytes, ..Traffic::default() }
    }

    /// Adds a message, room or not.
    pub(super) fn push(&mut self, message: Message) {
        self.bytes += message.bytes();
        self.messages.push_back(message);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Whether what a peer says may be looked at. One that has to wait is remembered until it has its turn.
    pub(super) fn has_room_for(&mut self, peer: usize) -> bool {
        let has_room = self.messages.len() < self.limit.messages && self.bytes < self.limit.bytes;
        if has_room && (self.turn == Some(peer) || self.paused.is_empty()) {
            return true;
        }
        self.turn.take_if(|turn| *turn == peer);
        if !self.paused.contains(&peer) {
            self.paused.push_back(peer);
        }
        false
    }

    /// A peer has had its turn, if it had one.
    pub(super) fn pass(&mut self, peer: usize) {
        self.turn.take_if(|turn| *turn == peer);
    }

    /// A peer is no more.
    pub(super) fn forget(&mut self, peer: usize) {
        self.pass(peer);
        self.paused.retain(|paused| *paused != peer);
    }

    /// Gives the turn to who has waited longest, once half of the room is free and nobody has it.
    pub(super) fn next_turn(&mut self) -> Option<usize> {
        let has_room = self.messages.len() <= self.limit.messages / 2 && self.bytes <= self.limit.bytes / 2;
        if self.turn.is_some() || !has_room {
            return None;
        }
        self.turn = self.paused.pop_front();
        self.turn
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
}
