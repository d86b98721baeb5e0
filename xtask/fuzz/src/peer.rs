//! The protocol without sockets, met by a peer that holds the right keys: six bytes for who meets whom and how, then what the peer does, one thing
//! after the other, and how time passes.

mod boxes;
mod handshake;

use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use service_framework_zmtp::{Config, Connection, Error, Event, Heartbeat, SocketType};

use self::boxes::Boxes;
use self::handshake::{Forged, MECHANISMS, Part, meet};
use crate::zmtp::{check_event, check_held, events, limit};

/// How long the handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// The shortest time that a peer may say it is silent for at most.
const LEAST_PROMISE: Duration = Duration::from_millis(100);

/// How much comes at once at most.
const MOST: usize = 256;

pub(crate) fn run(bytes: &[u8]) {
    let Some((head, script)) = bytes.split_first_chunk() else { return };
    let whole = Talk::of(head, &[], script);
    let in_parts = Talk::of(head, &head[3..], script);
    whole.happened.iter().for_each(check_event);
    assert_eq!(in_parts.happened, whole.happened, "how bytes are cut makes no difference");
    assert_eq!(in_parts.error, whole.error, "how bytes are cut makes no difference");
    assert_eq!(in_parts.core.commands_ignored(), whole.core.commands_ignored());
}

/// Our side of a connection, what was said to it, and what came of that.
struct Talk<'a> {
    core: Connection,
    heartbeat: Option<Heartbeat>,
    /// How long the pieces are in which bytes come, over and over; all are as long as can be if there are none.
    cuts: &'a [u8],
    cut: usize,
    began: Instant,
    now: Instant,
    /// When anything came last.
    heard: Instant,
    /// Bytes that came.
    bytes: usize,
    happened: Vec<Event>,
    error: Option<Error>,
}

impl<'a> Talk<'a> {
    /// A connection from its beginning to its end.
    fn of([who, pulse, handshake, ..]: &[u8; 6], cuts: &'a [u8], script: &[u8]) -> Self {
        let types = SocketType::ALL;
        let mut config = Config::new(types[usize::from(*who) % types.len()]);
        config.mechanism = MECHANISMS[usize::from(*who) / types.len() % MECHANISMS.len()].clone();
        limit(&mut config);
        config.limits.handshake = HANDSHAKE;
        let tenths = |number: u8| Duration::from_millis(100 * u64::from(number));
        config.heartbeat = (pulse % 8 > 0).then(|| Heartbeat {
            every: tenths(pulse % 8),
            patience: tenths(1 + pulse / 8 % 8),
            time_to_live: tenths(pulse / 64),
        });
        let (heartbeat, ours) = (config.heartbeat, (config.mechanism.clone(), config.socket_type));
        let now = Instant::now();
        let core = Connection::new(config, now);
        let (happened, error) = (Vec::new(), None);
        let mut talk =
            Self { core, heartbeat, cuts, cut: 0, began: now, now, heard: now, bytes: 0, happened, error };
        talk.core.take_output();

        let mut script = Script(script);
        let forged = match handshake % 8 {
            which if Forged::IS_THERE.contains(&which) => Forged { which, text: script.text() },
            which => Forged { which, text: &[] },
        };
        let minor = u8::from(handshake & 8 == 0);
        let part = if handshake & 16 == 0 { Part::All } else { Part::Greeting };
        let boxes = meet((&ours.0, ours.1), (part, minor), &forged, &mut |bytes| talk.hear(bytes));
        talk.go_on(ours.1, boxes, script);
        talk.end(minor);
        talk
    }

    /// Does what the script says, until it is over or the connection is.
    fn go_on(&mut self, ours: SocketType, mut boxes: Option<Boxes>, mut script: Script<'_>) {
        while self.error.is_none()
            && let Some(what) = script.byte()
        {
            match what % 8 {
                // A frame, in a box if there are any.
                0 => {
                    let (flags, text) = (script.byte().unwrap_or(0), script.text());
                    self.hear_frame(&mut boxes, flags, text);
                }
                // One that may be too long.
                1 => {
                    let flags = script.byte().unwrap_or(0);
                    let length = 5 * usize::from(script.byte().unwrap_or(0));
                    self.hear_frame(&mut boxes, flags, &vec![flags; length]);
                }
                // Bytes that are in no frame, and in no box.
                2 => {
                    self.hear(script.text());
                }
                // A box with any text, also without flags.
                3 => {
                    let text = script.text();
                    boxes.iter_mut().for_each(|boxes| self.hear_box(boxes, text));
                }
                4 => {
                    let numbers = script.byte().unwrap_or(0) as i8;
                    boxes.iter_mut().for_each(|boxes| boxes.skip(numbers));
                }
                5 => {
                    let tens = script.byte().unwrap_or(0);
                    self.pass(Duration::from_millis(10 * u64::from(tens)));
                }
                // Until something is due.
                6 => {
                    if let Some(due) = self.core.deadline() {
                        self.pass(due.saturating_duration_since(self.now));
                    }
                }
                _ => self.say(ours, script.text()),
            }
        }
    }

    /// The peer says a frame, in the next box if there are any: what it is stands inside then.
    fn hear_frame(&mut self, boxes: &mut Option<Boxes>, flags: u8, text: &[u8]) {
        match boxes {
            Some(boxes) => self.hear_box(boxes, &[&[flags], text].concat()),
            None => _ = self.hear(&frame(flags, text)),
        }
    }

    fn hear_box(&mut self, boxes: &mut Boxes, text: &[u8]) {
        let sealed = boxes.next(text);
        let before = self.happened.len();
        self.hear(&frame(0, &sealed));
        if boxes.is_repeated() {
            assert!(self.error.is_some() && self.happened.len() == before, "no number is used again");
        }
    }

    /// The peer says something, and hears all that our side has to say.
    fn hear(&mut self, mut bytes: &[u8]) -> Bytes {
        while !bytes.is_empty() && self.error.is_none() {
            let cut = match self.cuts.len() {
                0 => MOST,
                cuts => usize::from(self.cuts[self.cut % cuts]) + 1,
            };
            self.cut += 1;
            let (piece, rest) = bytes.split_at(cut.min(bytes.len()));
            bytes = rest;
            self.core.receive(piece, self.now);
            self.bytes += piece.len();
            self.heard = self.now;
            let (events, error) = events(&mut self.core);
            self.happened.extend(events);
            self.error = error;
            check_held(&mut self.core, self.error.is_some(), self.bytes);
            // As who holds a connection does.
            self.pass(Duration::ZERO);
        }
        self.core.take_output()
    }

    /// Our side says something, if it may.
    fn say(&mut self, ours: SocketType, text: &[u8]) {
        if self.core.is_ready() {
            match ours {
                SocketType::Sub | SocketType::XSub => self.core.subscribe(text.len().is_multiple_of(2), text),
                _ => self.core.send(&[Bytes::copy_from_slice(text), Bytes::new()]),
            }
            .expect("it is ready");
            let said = self.core.take_output();
            assert!(said.remaining() >= text.len(), "all of it is said");
        }
    }

    /// Time passes, and our side is told.
    fn pass(&mut self, time: Duration) {
        if self.error.is_some() {
            return;
        }
        self.now += time;
        let is_due = self.core.deadline().is_some_and(|due| due <= self.now);
        let waiting = self.core.output().remaining();
        match self.core.tick(self.now) {
            Ok(()) => {
                assert!(is_due || self.core.output().remaining() == waiting, "nothing was due");
                let next = self.core.deadline();
                assert!(next.is_none_or(|due| due > self.now), "what was due is done");
            }
            Err(error) => {
                assert!(is_due, "{error} before its time");
                match error {
                    Error::HandshakeTimeout => assert!(self.now >= self.began + HANDSHAKE),
                    _ => assert_eq!(error, Error::Silent),
                }
                if error == Error::Silent {
                    let patience = self.heartbeat.map(|heartbeat| heartbeat.patience);
                    let least = patience.unwrap_or(LEAST_PROMISE).min(LEAST_PROMISE);
                    assert!(self.now - self.heard >= least, "it was heard just now");
                }
                assert_eq!(self.core.poll().as_ref(), Err(&error), "an error stays");
                self.error = Some(error);
            }
        }
    }

    /// Nothing more comes: who has not done its handshake is left, and who was asked for signs of life counts as silent.
    fn end(&mut self, minor: u8) {
        if self.error.is_some() {
            return;
        }
        let (is_ready, latest) = match self.heartbeat {
            _ if !self.core.is_ready() => (false, self.began + HANDSHAKE),
            Some(Heartbeat { every, patience, .. }) if minor > 0 => (true, self.now + every + patience),
            _ => return,
        };
        // A PING, and what was already due.
        for _ in 0..3 {
            if let (None, Some(due)) = (&self.error, self.core.deadline()) {
                self.pass(due.saturating_duration_since(self.now));
            }
        }
        let wanted = if is_ready { Error::Silent } else { Error::HandshakeTimeout };
        assert_eq!(self.error, Some(wanted));
        assert!(self.now <= latest, "it is found out in time");
    }
}

/// What is left of a script.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        self.0.split_off_first().copied()
    }

    /// As many bytes as the first says, or as there are.
    fn text(&mut self) -> &'a [u8] {
        let length = self.byte().map_or(0, usize::from).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        text
    }
}

/// A frame with these flags, and with a length that fits.
fn frame(flags: u8, bytes: &[u8]) -> Vec<u8> {
    const LONG: u8 = 0b10;
    match u8::try_from(bytes.len()) {
        Ok(length) => [&[flags & !LONG, length], bytes].concat(),
        Err(_) => [&[flags | LONG], &(bytes.len() as u64).to_be_bytes()[..], bytes].concat(),
    }
}

#[cfg(test)]
mod tests;
