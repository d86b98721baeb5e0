//! One side of one connection.

use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};

use super::command::{self, Command};
use super::frame::{self, HEADER_MAX, Header};
use super::handshake::{self, Handshake, Step};
use super::heartbeat::{Due, Pulse};
use super::{Config, Encoded, Event, Output, Peer, greeting, shown};
use crate::{Error, Message};

/// One side of one connection, without a socket and without a clock.
///
/// It is given bytes by [`receive`](Self::receive), or right where they are read to by [`input`](Self::input) and
/// [`received`](Self::received), and the time by [`tick`](Self::tick). What happened is told by
/// [`poll`](Self::poll); what is to be sent lies in [`output`](Self::output).
#[derive(Debug)]
pub struct Connection {
    config: Config,
    state: State,
    /// When the handshake must be done.
    until: Option<Instant>,
    pulse: Pulse,
    input: BytesMut,
    output: Output,
    /// Messages that were sent before the handshake was done.
    early: Output,
    /// The frames of a message that is not whole.
    message: Message,
    message_bytes: usize,
    commands_ignored: u64,
}

#[derive(Debug)]
enum State {
    Handshake { due: Handshake, minor_version: u8 },
    Ready { peer_is_new: bool },
    Failed(Error),
}

impl Connection {
    /// A connection that has just been opened, by either side.
    pub fn new(config: Config, now: Instant) -> Self {
        let mut output = Output::default();
        handshake::begin(&mut output, &config);
        Self {
            state: State::Handshake { due: Handshake::Greeting, minor_version: 0 },
            until: now.checked_add(config.limits.handshake),
            pulse: Pulse::new(config.heartbeat, now),
            input: BytesMut::new(),
            output,
            early: Output::default(),
            message: Message::new(),
            message_bytes: 0,
            commands_ignored: 0,
            config,
        }
    }

    /// Takes what the peer sent.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.input.extend_from_slice(bytes);
        self.received(now);
    }

    /// Where what the peer sends may be appended to without a copy. Tell by [`received`](Self::received) that it was.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// Bytes were appended to [`input`](Self::input).
    pub fn received(&mut self, now: Instant) {
        self.pulse.hear(now);
    }

    /// What is to be sent. Take from its front what was.
    pub fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Takes all that is to be sent.
    pub fn take_output(&mut self) -> Bytes {
        self.output.copy_to_bytes(self.output.remaining())
    }

    /// Whether the handshake is done.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    /// How many commands of the peer said nothing that is known.
    pub fn commands_ignored(&self) -> u64 {
        self.commands_ignored
    }

    /// Gives what happened next, and `None` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// Why the connection is of no more use. What lies in [`output`](Self::output) may still tell the peer.
    pub fn poll(&mut self) -> Result<Option<Event>, Error> {
        if let State::Failed(error) = &self.state {
            return Err(error.clone());
        }
        self.step().inspect_err(|error| self.state = State::Failed(error.clone()))
    }

    fn step(&mut self) -> Result<Option<Event>, Error> {
        loop {
            let event = match self.state {
                State::Handshake { due: Handshake::Greeting, .. } => match self.greeting()? {
                    true => None,
                    false => return Ok(None),
                },
                State::Handshake { due: Handshake::Verdict, .. } => return Ok(None),
                State::Handshake { due, minor_version } => match self.handshake_frame()? {
                    Some(frame) => self.handshake(due, minor_version, frame)?,
                    None => return Ok(None),
                },
                _ => match self.frame()? {
                    Some(Frame::Command(frame)) => self.command(frame)?,
                    Some(Frame::Part { bytes, has_more }) => self.part(bytes, has_more),
                    None => return Ok(None),
                },
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Reads the greeting of the peer, if it is all there.
    fn greeting(&mut self) -> Result<bool, Error> {
        greeting::check(&self.input)?;
        let Some(bytes) = self.input.first_chunk() else { return Ok(false) };
        let greeting = greeting::read(bytes, self.config.mechanism.name())?;
        self.input.advance(greeting::LENGTH);
        let due = handshake::greet(&mut self.output, &self.config, greeting.is_server)?;
        self.state = State::Handshake { due, minor_version: greeting.minor };
        Ok(true)
    }

    fn handshake_frame(&mut self) -> Result<Option<Bytes>, Error> {
        match self.frame()? {
            Some(Frame::Command(frame)) => Ok(Some(frame)),
            Some(Frame::Part { .. }) => Err(Error::Malformed("a message before the handshake was done")),
            None => Ok(None),
        }
    }

    fn handshake(&mut self, due: Handshake, minor_version: u8, frame: Bytes) -> Result<Option<Event>, Error> {
        match handshake::step(due, frame, &mut self.output, &self.config)? {
            Step::Next(due) => {
                self.state = State::Handshake { due, minor_version };
                Ok(None)
            }
            Step::Credentials(credentials) => {
                self.state = State::Handshake { due: Handshake::Verdict, minor_version };
                Ok(Some(Event::Credentials(credentials)))
            }
            Step::Done(metadata) => {
                self.state = State::Ready { peer_is_new: minor_version > 0 };
                if minor_version == 0 {
                    self.pulse.ask_nothing();
                }
                self.until = None;
                self.output.append(std::mem::take(&mut self.early));
                let (socket_type, identity) = (metadata.socket_type, metadata.identity);
                Ok(Some(Event::Ready(Peer { socket_type, identity, minor_version })))
            }
        }
    }

    /// Lets a client in that gave its [`Event::Credentials`]. Without one it does nothing.
    pub fn admit(&mut self) {
        if let State::Handshake { due: due @ Handshake::Verdict, .. } = &mut self.state {
            *due = handshake::welcome(&mut self.output);
        }
    }

    /// Ends the connection, and tells the peer why.
    pub fn refuse(&mut self, reason: &str) {
        if !matches!(self.state, State::Failed(_)) {
            command::write_error(&mut self.output, reason);
            self.state = State::Failed(Error::Refused { reason: reason.to_owned() });
        }
    }

    /// Takes the next frame from the input, if it is all there.
    #[inline]
    fn frame(&mut self) -> Result<Option<Frame>, Error> {
        let Some(header) = Header::read(&self.input)? else {
            return Ok(None);
        };
        let bytes = self.admitted(header)?;
        let whole = header.length + bytes;
        if self.input.len() < whole {
            // Grown as the bytes come, and not because they are announced.
            self.input.reserve((whole - self.input.len()).min(GROWTH));
            return Ok(None);
        }
        self.input.advance(header.length);
        let bytes = if bytes == 0 { Bytes::new() } else { self.input.split_to(bytes).freeze() };
        Ok(Some(if header.is_command {
            Frame::Command(bytes)
        } else {
            Frame::Part { bytes, has_more: header.has_more }
        }))
    }

    /// Holds a frame against the limits, before a byte of it is kept.
    #[inline]
    fn admitted(&self, header: Header) -> Result<usize, Error> {
        let limits = &self.config.limits;
        let within = |limit: usize| usize::try_from(header.bytes).ok().filter(|bytes| *bytes <= limit);
        let limit = if header.is_command { limits.command_bytes } else { limits.frame_bytes };
        let bytes = within(limit).ok_or(Error::FrameTooLarge { bytes: header.bytes, limit })?;
        if header.is_command {
            return Ok(bytes);
        }
        if self.message.len() >= limits.message_frames {
            return Err(Error::TooManyFrames { limit: limits.message_frames });
        }
        let total = self.message_bytes.saturating_add(bytes);
        if total > limits.message_bytes {
            return Err(Error::MessageTooLarge { bytes: total as u64, limit: limits.message_bytes });
        }
        Ok(bytes)
    }

    /// Adds a frame to its message, which may be whole now.
    #[inline]
    fn part(&mut self, bytes: Bytes, has_more: bool) -> Option<Event> {
        self.message_bytes += bytes.len();
        self.message.push(bytes);
        if has_more {
            return None;
        }
        self.message_bytes = 0;
        let message = std::mem::take(&mut self.message);
        // To those who publish, older peers subscribe by messages.
        if self.config.socket_type.is_published_by()
            && let [frame] = &*message
        {
            match frame.first() {
                Some(1) => return Some(Event::Subscribe(frame.slice(1..))),
                Some(0) => return Some(Event::Cancel(frame.slice(1..))),
                _ => {}
            }
        }
        Some(Event::Message(message))
    }

    fn command(&mut self, frame: Bytes) -> Result<Option<Event>, Error> {
        match command::read(frame)? {
            Command::Ping { time_to_live, context } => {
                self.pulse.promise(time_to_live);
                // What waits to be sent is a sign of life itself; a peer that asks on and takes nothing gets no memory for it.
                if self.output.remaining() < PONG_ROOM {
                    command::write_pong(&mut self.output, &context);
                }
            }
            Command::Pong => {}
            Command::Subscribe(topic) if self.config.socket_type.is_published_by() => {
                return Ok(Some(Event::Subscribe(topic)));
            }
            Command::Cancel(topic) if self.config.socket_type.is_published_by() => {
                return Ok(Some(Event::Cancel(topic)));
            }
            Command::Error(reason) => return Err(Error::Refused { reason: shown(&reason) }),
            Command::Subscribe(_) | Command::Cancel(_) | Command::Unknown => self.commands_ignored += 1,
        }
        Ok(None)
    }

    /// When [`tick`](Self::tick) has something to do next.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Handshake { .. } => self.until,
            State::Ready { .. } => self.pulse.deadline(),
            State::Failed(_) => None,
        }
    }

    /// Tells what time it is.
    ///
    /// # Errors
    ///
    /// If the peer took too long: the connection is of no more use.
    pub fn tick(&mut self, now: Instant) -> Result<(), Error> {
        let failed = match self.state {
            State::Handshake { .. } if self.until.is_some_and(|until| until <= now) => {
                Error::HandshakeTimeout
            }
            State::Ready { .. } => match self.pulse.tick(now) {
                Due::Nothing => return Ok(()),
                Due::Ping => {
                    let time_to_live = self.config.heartbeat.map(|heartbeat| heartbeat.time_to_live);
                    command::write_ping(&mut self.output, time_to_live.unwrap_or_default());
                    return Ok(());
                }
                Due::Silence => Error::Silent,
            },
            _ => return Ok(()),
        };
        self.state = State::Failed(failed.clone());
        Err(failed)
    }

    /// Writes a message to the output; before the handshake is done, it waits for that. One without frames is nothing.
    ///
    /// # Errors
    ///
    /// Why the connection is of no more use.
    #[inline]
    pub fn send(&mut self, message: &[Bytes]) -> Result<(), Error> {
        frame::write_message(self.out()?, message);
        Ok(())
    }

    /// Does the same with a message that was encoded before.
    ///
    /// # Errors
    ///
    /// Why the connection is of no more use.
    pub fn send_encoded(&mut self, message: &Encoded) -> Result<(), Error> {
        message.write(self.out()?);
        Ok(())
    }

    /// Where messages are written to now.
    #[inline]
    fn out(&mut self) -> Result<&mut Output, Error> {
        match &self.state {
            State::Ready { .. } => Ok(&mut self.output),
            State::Handshake { .. } => Ok(&mut self.early),
            State::Failed(error) => Err(error.clone()),
        }
    }

    /// Subscribes to what begins with `topic`, or no longer; to be called once the peer is known.
    ///
    /// # Errors
    ///
    /// Why the connection is of no more use, or that its handshake is not done.
    pub fn subscribe(&mut self, is_wanted: bool, topic: &[u8]) -> Result<(), Error> {
        match &self.state {
            State::Ready { peer_is_new: true } => {
                command::write_subscription(&mut self.output, is_wanted, topic);
            }
            State::Ready { peer_is_new: false } => {
                let mut frame = BytesMut::with_capacity(HEADER_MAX + topic.len());
                frame.extend_from_slice(&[is_wanted.into()]);
                frame.extend_from_slice(topic);
                frame::write_message(&mut self.output, &[frame.freeze()]);
            }
            State::Handshake { .. } => {
                return Err(Error::Malformed("a subscription before the handshake was done"));
            }
            State::Failed(error) => return Err(error.clone()),
        }
        Ok(())
    }
}

/// How much room is made for a frame that is announced, at once.
const GROWTH: usize = 64 << 10;

/// With as many bytes to be sent, a PING goes without its PONG.
const PONG_ROOM: usize = 64 << 10;

enum Frame {
    Command(Bytes),
    Part { bytes: Bytes, has_more: bool },
}
