//! One side of one connection.

use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};

use super::command::{self, Command};
use super::handshake::{self, Done, Handshake, Step};
use super::heartbeat::{Due, Pulse};
use super::incoming::{Frame, Incoming};
use super::metadata::Metadata;
use super::outgoing::Outgoing;
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
    incoming: Incoming,
    outgoing: Outgoing,
    /// Messages that were sent before the handshake was done.
    early: Vec<Message>,
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
            incoming: Incoming::default(),
            outgoing: Outgoing { output, sealer: None },
            early: Vec::new(),
            commands_ignored: 0,
            config,
        }
    }

    /// Takes what the peer sent.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.incoming.input.extend_from_slice(bytes);
        self.received(now);
    }

    /// Where what the peer sends may be appended to without a copy. Tell by [`received`](Self::received) that it was.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.incoming.input
    }

    /// Whether a large frame is on its way, and [`input`](Self::input) has room for much of it already. To be read into that room alone.
    pub fn has_made_room(&self) -> bool {
        self.incoming.has_made_room
    }

    /// Bytes were appended to [`input`](Self::input).
    pub fn received(&mut self, now: Instant) {
        self.incoming.has_made_room = false;
        self.pulse.hear(now);
    }

    /// Bytes were appended to [`input`](Self::input). The time is asked for if it matters: reading the clock may take as long as the rest.
    pub fn received_by(&mut self, clock: impl FnOnce() -> Instant) {
        self.incoming.has_made_room = false;
        match self.pulse.is_timed() {
            true => self.pulse.hear(clock()),
            false => self.pulse.hear_something(),
        }
    }

    /// What is to be sent. Take from its front what was.
    pub fn output(&mut self) -> &mut Output {
        &mut self.outgoing.output
    }

    /// Takes all that is to be sent.
    pub fn take_output(&mut self) -> Bytes {
        let output = &mut self.outgoing.output;
        output.copy_to_bytes(output.remaining())
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
            let event = match &mut self.state {
                State::Ready { .. } => match self.incoming.frame(&self.config.limits)? {
                    Some(Frame { bytes, is_command: true, .. }) => Some(self.command(bytes)?),
                    Some(Frame { bytes, has_more, .. }) => self.part(bytes, has_more),
                    None => return Ok(None),
                },
                State::Handshake { due: Handshake::Greeting, .. } => match self.greeting()? {
                    true => None,
                    false => return Ok(None),
                },
                State::Handshake { due: Handshake::Verdict(_), .. } | State::Failed(_) => return Ok(None),
                State::Handshake { due: Handshake::Admitted(done), .. } => match done.take() {
                    Some(done) => Some(self.meet(*done)),
                    None => return Ok(None),
                },
                State::Handshake { .. } => match self.incoming.handshake_frame(&self.config.limits)? {
                    Some(frame) => self.handshake(frame)?,
                    None => return Ok(None),
                },
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Reads the greeting of the peer, if it is all there.
    #[cold]
    fn greeting(&mut self) -> Result<bool, Error> {
        greeting::check(&self.incoming.input)?;
        let Some(bytes) = self.incoming.input.first_chunk() else { return Ok(false) };
        let greeting = greeting::read(bytes, self.config.mechanism.name())?;
        self.incoming.input.advance(greeting::LENGTH);
        let due = handshake::greet(&mut self.outgoing.output, &self.config, greeting.is_server)?;
        self.state = State::Handshake { due, minor_version: greeting.minor };
        Ok(true)
    }

    #[cold]
    fn handshake(&mut self, frame: Bytes) -> Result<Option<Event>, Error> {
        let State::Handshake { due, .. } = &mut self.state else { return Ok(None) };
        match handshake::step(due, frame, &mut self.outgoing.output, &self.config)? {
            Step::Next(next) => {
                *due = next;
                Ok(None)
            }
            Step::Credentials(credentials, verdict) => {
                *due = Handshake::Verdict(verdict);
                Ok(Some(Event::Credentials(credentials)))
            }
            Step::Done(done) => Ok(Some(self.meet(done))),
        }
    }

    /// Goes over to messages.
    #[cold]
    fn meet(&mut self, Done { peer: Metadata { socket_type, identity }, session }: Done) -> Event {
        let minor_version = match self.state {
            State::Handshake { minor_version, .. } => minor_version,
            _ => 0,
        };
        self.state = State::Ready { peer_is_new: minor_version > 0 };
        if minor_version == 0 {
            self.pulse.ask_nothing();
        }
        self.until = None;
        if let Some(session) = session {
            self.outgoing.sealer = Some(session.sealer);
            self.incoming.opener = Some(session.opener);
        }
        std::mem::take(&mut self.early).iter().for_each(|message| self.outgoing.message(message));
        Event::Ready(Peer { socket_type, identity, minor_version })
    }

    /// Lets a client in that gave its [`Event::Credentials`]. Without one it does nothing.
    pub fn admit(&mut self) {
        if let State::Handshake { due, .. } = &mut self.state
            && let Handshake::Verdict(verdict) = due
        {
            *due = handshake::admit(verdict, &mut self.outgoing.output, &self.config);
        }
    }

    /// Ends the connection, and tells the peer why.
    pub fn refuse(&mut self, reason: &str) {
        if !matches!(self.state, State::Failed(_)) {
            command::write_error(&mut self.outgoing, reason);
            self.state = State::Failed(Error::Refused { reason: reason.to_owned() });
        }
    }

    /// Whether [`poll`](Self::poll) may have something to say before more bytes come.
    pub fn has_news(&self) -> bool {
        !self.incoming.input.is_empty()
            || matches!(self.state, State::Handshake { due: Handshake::Admitted(_), .. })
    }

    /// A frame of a message, which may be whole now.
    #[inline]
    fn part(&mut self, bytes: Bytes, has_more: bool) -> Option<Event> {
        self.incoming.part(bytes);
        if has_more {
            return None;
        }
        let message = self.incoming.message();
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

    #[cold]
    fn command(&mut self, frame: Bytes) -> Result<Event, Error> {
        match command::read(frame)? {
            Command::Ping { time_to_live, context } => {
                self.pulse.promise(time_to_live);
                // What waits to be sent is a sign of life itself; a peer that asks on and takes nothing gets no memory for it.
                if self.outgoing.output.remaining() < PONG_ROOM {
                    command::write_pong(&mut self.outgoing, &context);
                }
            }
            Command::Pong => {}
            Command::Subscribe(topic) if self.config.socket_type.is_published_by() => {
                return Ok(Event::Subscribe(topic));
            }
            Command::Cancel(topic) if self.config.socket_type.is_published_by() => {
                return Ok(Event::Cancel(topic));
            }
            Command::Error(reason) => return Err(Error::Refused { reason: shown(&reason) }),
            Command::Subscribe(_) | Command::Cancel(_) | Command::Unknown => self.commands_ignored += 1,
        }
        Ok(Event::Control)
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
                    command::write_ping(&mut self.outgoing, time_to_live.unwrap_or_default());
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
        match &self.state {
            State::Ready { .. } => self.outgoing.message(message),
            State::Handshake { .. } => self.early.push(message.iter().cloned().collect()),
            State::Failed(error) => return Err(error.clone()),
        }
        Ok(())
    }

    /// Does the same with a message that many connections send.
    ///
    /// # Errors
    ///
    /// Why the connection is of no more use.
    pub fn send_encoded(&mut self, message: &Encoded) -> Result<(), Error> {
        match &self.state {
            State::Ready { .. } => self.outgoing.encoded(message),
            State::Handshake { .. } => self.early.push(message.message().clone()),
            State::Failed(error) => return Err(error.clone()),
        }
        Ok(())
    }

    /// Subscribes to what begins with `topic`, or no longer; to be called once the peer is known.
    ///
    /// # Errors
    ///
    /// Why the connection is of no more use, or that its handshake is not done.
    pub fn subscribe(&mut self, is_wanted: bool, topic: &[u8]) -> Result<(), Error> {
        match &self.state {
            State::Ready { peer_is_new: true } => {
                command::write_subscription(&mut self.outgoing, is_wanted, topic);
            }
            State::Ready { peer_is_new: false } => {
                let mut frame = BytesMut::with_capacity(1 + topic.len());
                frame.extend_from_slice(&[is_wanted.into()]);
                frame.extend_from_slice(topic);
                self.outgoing.message(&[frame.freeze()]);
            }
            State::Handshake { .. } => {
                return Err(Error::Malformed("a subscription before the handshake was done"));
            }
            State::Failed(error) => return Err(error.clone()),
        }
        Ok(())
    }
}

/// With as many bytes to be sent, a PING goes without its PONG.
const PONG_ROOM: usize = 64 << 10;
