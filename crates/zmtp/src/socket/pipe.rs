//! The stream of one connection, with the protocol on it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::time::{Sleep, sleep, sleep_until};

use super::{Ended, Options, PeerCounts, Queue, Refused, Stream, Traffic, WhenFull};
use crate::{Connection, Encoded, Error, Message};

/// The stream of one connection, with the protocol on it.
pub(super) struct Pipe {
    stream: Stream,
    pub(super) connection: Connection,
    queue: Queue,
    when_full: WhenFull,
    /// Messages that may still be dropped, behind those in the output.
    waiting: VecDeque<Message>,
    /// Bytes in them.
    waiting_bytes: usize,
    /// Whether somebody found no room since there was some.
    is_awaited: bool,
    /// Where the messages in the output end, counted from the first byte of the connection.
    ends: VecDeque<u64>,
    /// Bytes that were written.
    written: u64,
    /// Bytes that were read.
    bytes_read: u64,
    sent: u64,
    dropped_full: u64,
    refused_full: u64,
    /// Whether a message without room goes back to whoever sent it, and not away.
    gives_back: bool,
    /// How much is read at once.
    chunk: usize,
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the peer was told that nothing more comes.
    is_shut: bool,
}

/// How much is read at once, at first and at most.
const CHUNK: (usize, usize) = (1 << 10, 64 << 10);

/// How much room a peer keeps that says nothing.
const KEPT: usize = 4 << 10;

/// How much of what may be dropped is written ahead, but for one message.
const AHEAD: usize = 64 << 10;

/// How long the peer may take to close its end.
pub(super) const PARTING: Duration = Duration::from_secs(1);

impl Pipe {
    pub(super) fn new(stream: Stream, options: &Options) -> Self {
        stream.prepare();
        Self {
            stream,
            connection: Connection::new(options.connection.clone(), now()),
            queue: options.queue.of_one_at_least(),
            when_full: options.when_full,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            is_awaited: false,
            ends: VecDeque::new(),
            written: 0,
            bytes_read: 0,
            sent: 0,
            dropped_full: 0,
            refused_full: 0,
            gives_back: !options.connection.socket_type.publishes(),
            chunk: CHUNK.0,
            timer: None,
            is_shut: false,
        }
    }

    /// Whether no more may wait to be sent.
    pub(super) fn is_full(&mut self) -> bool {
        let (messages, bytes) = self.queued();
        let is_full = messages >= self.queue.messages || bytes >= self.queue.bytes;
        self.is_awaited |= is_full;
        is_full
    }

    /// How many messages wait to be sent, and bytes.
    fn queued(&mut self) -> (usize, usize) {
        let messages = self.ends.len() + self.waiting.len();
        (messages, self.connection.output().remaining() + self.waiting_bytes)
    }

    /// Lets a message be written behind the others; gives how many were dropped to make room.
    pub(super) fn send(&mut self, message: &Sending<'_>) -> Result<u64, Refused> {
        let mut dropped = 0;
        while self.is_full() {
            if self.is_full_for_good() || !self.drop_oldest() {
                match self.gives_back {
                    true => self.refused_full += 1,
                    false => self.dropped_full += 1,
                }
                return Err(Refused::Full);
            }
            dropped += 1;
        }
        if self.may_write_ahead() {
            self.encode(message).map_err(|_| Refused::NoPeer)?;
        } else {
            let message = message.to_message();
            self.waiting_bytes += message.bytes();
            self.waiting.push_back(message);
        }
        self.sent += 1;
        Ok(dropped)
    }

    /// Whether there would be no room though all were dropped that may be: by what is on its way, and by what the protocol itself has to say.
    fn is_full_for_good(&mut self) -> bool {
        self.ends.len() >= self.queue.messages || self.connection.output().remaining() >= self.queue.bytes
    }

    /// Drops what has waited longest, if that is what is done and there is any; it was never sent then.
    fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.waiting.pop_front() else { return false };
        self.waiting_bytes -= oldest.bytes();
        self.sent -= 1;
        self.dropped_full += 1;
        true
    }

    /// Whether the next message is written behind the others at once: all are, unless they may be dropped again.
    fn may_write_ahead(&mut self) -> bool {
        self.when_full != WhenFull::DropOldest || self.waiting.is_empty() && !self.is_ahead()
    }

    /// Whether enough is written ahead of what may be dropped.
    fn is_ahead(&mut self) -> bool {
        let Queue { messages, bytes } = self.queue;
        self.ends.len() >= (messages / 2).max(1)
            || self.connection.output().remaining() > (bytes / 2).min(AHEAD)
    }

    fn encode(&mut self, message: &Sending<'_>) -> Result<(), Error> {
        match message {
            Sending::Own(message) => self.connection.send(message)?,
            Sending::Shared(message) => self.connection.send_encoded(message)?,
        }
        let end = self.written + self.connection.output().remaining() as u64;
        self.ends.push_back(end);
        Ok(())
    }

    /// Whether there is room again that somebody did not find before: half of the queue, so that it is not for one message each time.
    pub(super) fn has_made_room(&mut self) -> bool {
        let (messages, bytes) = self.queued();
        let has_room = messages <= self.queue.messages / 2 && bytes <= self.queue.bytes / 2;
        has_room && std::mem::take(&mut self.is_awaited)
    }

    /// How many bytes it has carried.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes_read.saturating_add(self.written)
    }

    /// What has gone over it, and what waits to be sent.
    pub(super) fn traffic(&mut self) -> Traffic {
        let (queued_messages, queued_bytes) = self.queued();
        Traffic {
            bytes_read: self.bytes_read,
            bytes_written: self.written,
            queued_messages,
            queued_bytes,
            ..Traffic::default()
        }
    }

    /// What it has carried, but for what only its peer knows.
    pub(super) fn counts(&mut self) -> PeerCounts {
        let Traffic { bytes_read, bytes_written, queued_messages, queued_bytes, .. } = self.traffic();
        PeerCounts {
            address: self.stream.peer_address(),
            sent: self.sent,
            dropped_full: self.dropped_full,
            refused_full: self.refused_full,
            bytes_read,
            bytes_written,
            queued_messages,
            queued_bytes,
            ..PeerCounts::default()
        }
    }

    /// Appends what there is to read to the input; 0 at the end.
    pub(super) fn read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let read = self.read_some(context);
        if read.is_pending() {
            self.rest();
        }
        read
    }

    fn read_some(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let has_made_room = self.connection.has_made_room();
        let input = self.connection.input();
        let least = if has_made_room { 1 } else { self.chunk / 2 };
        if input.capacity() - input.len() < least {
            // No room is made for what has not come.
            ready!(self.stream.poll_read_ready(context))?;
            input.reserve(self.chunk);
        }
        let room = input.capacity() - input.len();
        let bytes = ready!(self.stream.poll_read(context, input))?;
        self.bytes_read += bytes as u64;
        if has_made_room {
            // Another one may follow, whose beginning is all that has to be moved.
            self.chunk = KEPT;
        } else if bytes == room {
            self.chunk = (2 * self.chunk).min(CHUNK.1);
        } else if bytes < self.chunk / 8 {
            self.chunk = (self.chunk / 2).max(CHUNK.0);
        }
        self.connection.received_by(now);
        Poll::Ready(Ok(bytes))
    }

    /// Gives large room back, which a peer that was busy once would hold for as long as it is there.
    fn rest(&mut self) {
        let is_large = self.chunk > KEPT || self.connection.input().capacity() > KEPT;
        if is_large && self.connection.input().is_empty() {
            *self.connection.input() = BytesMut::new();
        }
    }

    /// Writes what the stream takes of what is to be sent.
    #[inline]
    pub(super) fn write(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        // Mostly there is nothing.
        if self.has_output() { self.write_output(context) } else { Ok(()) }
    }

    fn write_output(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let before = self.written;
        while self.has_output() {
            match self.stream.poll_write(context, self.connection.output()) {
                Poll::Pending => {
                    // Who takes a backlog is alive, and answers a question behind it when it has come to that.
                    if self.written > before {
                        self.connection.received_by(now);
                    }
                    break;
                }
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(bytes)) => self.written += bytes as u64,
                Poll::Ready(Err(error)) => return Err(error),
            }
            self.forget_written();
        }
        Ok(())
    }

    fn forget_written(&mut self) {
        match self.connection.output().is_empty() {
            true => self.ends.clear(),
            false => {
                while self.ends.front().is_some_and(|end| *end <= self.written) {
                    self.ends.pop_front();
                }
            }
        }
    }

    /// Whether there is something to write now.
    #[inline]
    fn has_output(&mut self) -> bool {
        if !self.waiting.is_empty() {
            self.write_ahead();
        }
        !self.connection.output().is_empty()
    }

    /// Moves what waits behind what is written, as far as it is not to be dropped any more.
    fn write_ahead(&mut self) {
        while !self.is_ahead()
            && let Some(message) = self.waiting.pop_front()
        {
            self.waiting_bytes -= message.bytes();
            // A connection that has failed writes nothing more, and is about to end.
            _ = self.encode(&Sending::Own(&message));
        }
    }

    /// Sees to what time brings.
    pub(super) fn pass_time(&mut self, context: &mut Context<'_>, reading: Reading) -> Result<(), Ended> {
        loop {
            let Some(due) = self.connection.deadline() else {
                self.timer = None;
                return Ok(());
            };
            // A timer that is too early costs one look; setting it after each message would cost more.
            let timer = match &mut self.timer {
                // It was polled when it was set, and wakes by itself.
                Some(timer) if timer.deadline().into_std() <= due && !timer.is_elapsed() => return Ok(()),
                Some(timer) if timer.deadline().into_std() <= due => timer,
                place => place.insert(Box::pin(sleep_until(due.into()))),
            };
            if timer.as_mut().poll(context).is_pending() {
                return Ok(());
            }
            self.timer = None;
            let now = now();
            if reading == Reading::Paused {
                // What the peer says lies unread: that it is silent cannot be known.
                self.connection.received(now);
            }
            self.connection.tick(now)?;
            self.write(context)?;
        }
    }

    /// Goes over to [`part`](Self::part), which takes no longer than that even if the peer takes nothing; without a limit the peer has as
    /// long as it needs to take what was sent.
    pub(super) fn part_within(&mut self, limit: Option<Duration>) {
        self.timer = limit.map(|limit| Box::pin(sleep(limit)));
    }

    /// Lets the output leave, then says that this was all, and waits a while for the peer to close its end. What comes is passed
    /// over but read: the system takes back what is still on its way if a stream is closed that has something to be read.
    pub(super) fn part(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.read(context) {
                Poll::Pending => break,
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => self.connection.input().clear(),
            }
        }
        if self.write(context).is_err() {
            return Poll::Ready(());
        }
        if self.connection.output().is_empty() && !self.is_shut {
            match self.stream.poll_shutdown(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => self.is_shut = true,
            }
            self.timer.get_or_insert_with(|| Box::pin(sleep(PARTING)));
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

/// What time it is by the clock that timers go by, which a test may set.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A message that is to be sent.
pub(super) enum Sending<'a> {
    /// By this connection alone.
    Own(&'a [Bytes]),
    /// By others, too.
    Shared(&'a Encoded),
}

impl Sending<'_> {
    fn to_message(&self) -> Message {
        match self {
            Self::Own(message) => message.iter().cloned().collect(),
            Self::Shared(message) => message.message().clone(),
        }
    }
}

/// Whether what the peer says is read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Active,
    /// The inbox has no room.
    Paused,
}

#[cfg(all(test, unix))]
mod tests;
