//! Whose turn it is to speak, for REQ and REP by RFC 28.

use std::rc::Rc;

use bytes::Bytes;

use super::Refused;
use super::peer::Peer;
use crate::Message;

/// Whose turn it is to speak.
#[derive(Debug, Default)]
pub(super) enum Dialogue {
    /// REQ: nobody was asked. REP: nobody has asked.
    #[default]
    Idle,
    /// REQ: this peer owes the answer, to the question of this number if they are numbered.
    Waiting(Rc<Peer>, Option<Bytes>),
    /// REQ: the answer has come and was not taken.
    Answered,
    /// REP: who asked last, by its name and the frames that it wants to have before the answer.
    Asked(Message),
}

impl Dialogue {
    /// What a REQ sends if it may ask now: the question, behind its number, if it has one, and an empty frame.
    pub(super) fn question(&self, number: Option<&Bytes>, message: &Message) -> Result<Message, Refused> {
        match self {
            Self::Idle => {
                Ok(number.into_iter().chain([&Bytes::new()]).chain(message.iter()).cloned().collect())
            }
            _ => Err(Refused::NotNow),
        }
    }

    /// What a REP sends if it was asked: the name of the peer, what it wants before the answer, the answer.
    pub(super) fn answer(&self, message: &Message) -> Result<Message, Refused> {
        match self {
            Self::Asked(envelope) => Ok(envelope.iter().chain(message.iter()).cloned().collect()),
            _ => Err(Refused::NotNow),
        }
    }

    /// What a REQ makes of a message: the answer, if it is one and was waited for.
    pub(super) fn answered(&mut self, peer: &Rc<Peer>, mut message: Message) -> Option<Message> {
        let Self::Waiting(asked, number) = self else { return None };
        let is_due = Rc::ptr_eq(asked, peer);
        if !is_due || number.is_some() && message.pop_front() != *number {
            return None;
        }
        if message.len() < 2 || !message[0].is_empty() {
            return None;
        }
        message.pop_front();
        *self = Self::Answered;
        Some(message)
    }

    /// A REP hands a question out, and answers it or none: who asked before is forgotten.
    pub(super) fn asked(&mut self, message: Message) -> Message {
        let mut frames = message.into_iter();
        let mut envelope: Message = frames.by_ref().take(1).collect();
        for frame in frames.by_ref() {
            let is_delimiter = frame.is_empty();
            envelope.push(frame);
            if is_delimiter {
                break;
            }
        }
        *self = Self::Asked(envelope);
        frames.collect()
    }

    /// A REQ waits no longer for who is gone.
    pub(super) fn lose(&mut self, peer: &Rc<Peer>) {
        if matches!(self, Self::Waiting(asked, _) if Rc::ptr_eq(asked, peer)) {
            *self = Self::Idle;
        }
    }
}

/// Whether a message is a question to a REP: frames up to an empty one, and one or more behind it.
pub(super) fn is_question(message: &Message) -> bool {
    message.iter().position(Bytes::is_empty).is_some_and(|delimiter| delimiter + 1 < message.len())
}
