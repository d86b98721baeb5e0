//! Which peer a message goes to, and what becomes of one that came, by the type of the socket.

use std::collections::HashMap;
use std::rc::Rc;

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::dialogue::{Dialogue, is_question};
use super::peer::{Peer, topic};
use super::redial::random;
use super::subscriptions::{Subscriptions, Wanted};
use super::{Options, Refused, Unsent, WhenFull};
use crate::{Encoded, Error, Message, SocketType};

/// The peers that were met, and whose turn it is.
pub(super) struct Routing {
    socket_type: SocketType,
    when_full: WhenFull,
    heeds_identities: bool,
    /// In the order in which they were met.
    peers: Vec<Rc<Peer>>,
    by_identity: HashMap<Bytes, Rc<Peer>, RandomState>,
    /// Whose turn it is to be sent the next message.
    turn: usize,
    /// Peers that were given a name by this side.
    named: u32,
    /// Whose turn it is to speak, for REQ and REP.
    dialogue: Dialogue,
    /// The number of the last question, if they are numbered.
    number: Option<u64>,
    /// What a subscriber asks each publisher for.
    wanted: Wanted,
    /// What subscribers ask a publisher for.
    pub(super) subscriptions: Subscriptions,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    /// Peers that it goes to.
    pub(super) sent: u64,
    /// Peers that had no room.
    pub(super) dropped: u64,
    /// Older messages that were dropped to make room.
    pub(super) displaced: u64,
}

impl Routing {
    pub(super) fn new(options: &Options) -> Self {
        let socket_type = options.connection.socket_type;
        Self {
            socket_type,
            when_full: options.when_full,
            // Nobody sees the names that a REP uses, and those it makes up are never the same.
            heeds_identities: options.heeds_identities && socket_type != SocketType::Rep,
            peers: Vec::new(),
            by_identity: HashMap::default(),
            turn: 0,
            named: 0,
            dialogue: Dialogue::Idle,
            // Another socket of the same name may have asked before.
            number: options.correlate.then(random),
            wanted: Wanted::default(),
            subscriptions: Subscriptions::default(),
        }
    }

    pub(super) fn each_peer(&self) -> impl Iterator<Item = &Rc<Peer>> {
        self.peers.iter()
    }

    pub(super) fn peers(&self) -> usize {
        self.peers.len()
    }

    /// Adds a peer, and gives what it is called by: what it asked for, if that is heeded, or a name that begins with zero, as no peer may.
    ///
    /// # Errors
    ///
    /// If another peer is called the same. Who was there first stays: otherwise any stranger could put a peer out.
    pub(super) fn meet(&mut self, peer: &Rc<Peer>, who: &crate::Peer) -> Result<Bytes, Error> {
        let wanted = who.identity.clone();
        let is_named = !wanted.is_empty() && self.heeds_identities;
        let identity = if is_named { wanted.clone() } else { self.name() };
        if matches!(self.socket_type, SocketType::Router | SocketType::Rep) {
            if self.by_identity.contains_key(&identity) {
                return Err(Error::IdentityInUse);
            }
            self.by_identity.insert(identity.clone(), Rc::clone(peer));
        }
        self.wanted.prefixes().for_each(|topic| peer.tell(true, &topic));
        peer.name(identity.clone(), who);
        self.peers.push(Rc::clone(peer));
        Ok(identity)
    }

    /// A name that nobody has: after 2^32 of them they begin anew, and who is there since then keeps its own.
    fn name(&mut self) -> Bytes {
        loop {
            self.named = self.named.wrapping_add(1);
            let [first, second, third, fourth] = self.named.to_be_bytes();
            let name = [0, first, second, third, fourth];
            if !self.by_identity.contains_key(&name[..]) {
                return Bytes::copy_from_slice(&name);
            }
        }
    }

    /// Takes a peer out, and gives what it was called by; `None` if it was never met.
    pub(super) fn lose(&mut self, peer: &Rc<Peer>) -> Option<Bytes> {
        let place = self.peers.iter().position(|known| Rc::ptr_eq(known, peer))?;
        self.peers.remove(place);
        self.dialogue.lose(peer);
        if place < self.turn {
            self.turn -= 1;
        }
        let identity = peer.identity()?;
        self.by_identity.remove(identity);
        Some(identity.clone())
    }

    /// What a subscriber asks for, of those who are there and those to come. They are told of the first time and of the last.
    pub(super) fn subscribe(&mut self, is_wanted: bool, topic: &Bytes) {
        if self.wanted.change(is_wanted, topic) {
            self.peers.iter().for_each(|peer| peer.ask(is_wanted, topic));
        }
    }

    /// What becomes of a message that came; `None` if sockets of this type have no use for it.
    pub(super) fn received(&mut self, peer: &Rc<Peer>, mut message: Message) -> Option<Message> {
        match self.socket_type {
            SocketType::Req => self.dialogue.answered(peer, message),
            SocketType::Rep if !is_question(&message) => None,
            SocketType::Router | SocketType::Rep => {
                message.push_front(peer.identity()?.clone());
                Some(message)
            }
            SocketType::Push | SocketType::Pub => None,
            // What was cancelled may still be on its way.
            SocketType::Sub if !self.wanted.has(topic(&message)) => None,
            _ => Some(message),
        }
    }

    /// What is handed out of a message that came.
    pub(super) fn taken(&mut self, message: Message) -> Message {
        match (self.socket_type, &self.dialogue) {
            (SocketType::Rep, _) => self.dialogue.asked(message),
            (SocketType::Req, Dialogue::Answered) => {
                self.dialogue = Dialogue::Idle;
                message
            }
            _ => message,
        }
    }

    pub(super) fn send(&mut self, message: Message) -> Result<Sent, Unsent> {
        let sent = match self.socket_type {
            SocketType::Router => self.send_to_named(&message),
            SocketType::Pub | SocketType::XPub => match self.is_held_up(&message) {
                true => Err(Refused::Full),
                false => return Ok(self.publish(message)),
            },
            SocketType::XSub => return Ok(self.send_to_publishers(&message)),
            SocketType::Dealer | SocketType::Push => {
                self.send_to_next(&message).map(|(_, displaced)| displaced)
            }
            SocketType::Req => self.ask(&message),
            SocketType::Rep => self.answer(&message),
            SocketType::Sub | SocketType::Pull => Err(Refused::NotNow),
        };
        match sent {
            Ok(displaced) => Ok(Sent { sent: 1, displaced, ..Sent::default() }),
            Err(why) => Err(Unsent { why, message }),
        }
    }

    fn send_to_named(&self, message: &Message) -> Result<u64, Refused> {
        let Some((identity, frames)) = message.split_first() else { return Err(Refused::NoPeer) };
        self.by_identity.get(identity).ok_or(Refused::NoPeer)?.send(frames)
    }

    fn ask(&mut self, message: &Message) -> Result<u64, Refused> {
        let next = self.number.map(|number| number.wrapping_add(1));
        let number = next.map(|number| Bytes::copy_from_slice(&number.to_be_bytes()));
        let question = self.dialogue.question(number.as_ref(), message)?;
        let (peer, displaced) = self.send_to_next(&question)?;
        self.dialogue = Dialogue::Waiting(peer, number);
        self.number = next;
        Ok(displaced)
    }

    fn answer(&mut self, message: &Message) -> Result<u64, Refused> {
        let answered = self.send_to_named(&self.dialogue.answer(message)?);
        if answered != Err(Refused::Full) {
            self.dialogue = Dialogue::Idle;
        }
        answered
    }

    /// Sends to the next peer that has room, or by making room; says which that was, and how many messages made room.
    fn send_to_next(&mut self, message: &Message) -> Result<(Rc<Peer>, u64), Refused> {
        let mut refused = Refused::NoPeer;
        for _ in 0..self.peers.len() {
            let peer = self.next();
            if !peer.has_room() {
                refused = Refused::Full;
            } else if let Ok(displaced) = peer.send(message) {
                return Ok((Rc::clone(peer), displaced));
            }
        }
        if refused == Refused::Full && matches!(self.when_full, WhenFull::DropOldest | WhenFull::Disconnect) {
            for _ in 0..self.peers.len() {
                let peer = Rc::clone(self.next());
                match peer.send(message) {
                    // One that is being parted from leaves its turn to the next.
                    Err(Refused::NoPeer) => {}
                    sent => return sent.map(|displaced| (peer, displaced)),
                }
            }
        }
        Err(refused)
    }

    /// Whose turn it is; there is a peer.
    fn next(&mut self) -> &Rc<Peer> {
        if self.turn >= self.peers.len() {
            self.turn = 0;
        }
        self.turn += 1;
        &self.peers[self.turn - 1]
    }

    /// Whether a subscriber has no room for a publication, and all others wait for it.
    fn is_held_up(&mut self, message: &Message) -> bool {
        let mut has_room = true;
        if self.when_full == WhenFull::Wait {
            self.subscriptions.each(topic(message), |peer| has_room &= peer.has_room());
        }
        !has_room
    }

    fn publish(&mut self, message: Message) -> Sent {
        let (mut sent, mut is_first, encoded) = (Sent::default(), true, Encoded::new(message));
        self.subscriptions.each(topic(encoded.message()), |peer| {
            // For one alone, to encode it apart would be one copy more.
            sent.add(match std::mem::take(&mut is_first) {
                true => peer.send(encoded.message()),
                false => peer.send_encoded(&encoded),
            });
        });
        sent
    }

    /// Sends to all, or subscribes: a message of one frame that begins with 1 does, one that begins with 0 cancels.
    fn send_to_publishers(&mut self, message: &Message) -> Sent {
        let mut sent = Sent::default();
        if let [frame] = &**message
            && let Some(is_wanted @ (0 | 1)) = frame.first()
        {
            self.subscribe(*is_wanted == 1, &frame.slice(1..));
            return sent;
        }
        self.peers.iter().for_each(|peer| sent.add(peer.send(message)));
        sent
    }
}

impl Sent {
    fn add(&mut self, outcome: Result<u64, Refused>) {
        match outcome {
            Ok(displaced) => {
                self.sent += 1;
                self.displaced += displaced;
            }
            Err(_) => self.dropped += 1,
        }
    }
}

#[cfg(test)]
mod tests;
