//! Which peer a message goes to, and what becomes of one that came, by the type of the socket.

use std::collections::HashMap;
use std::rc::Rc;

use bytes::{BufMut as _, Bytes, BytesMut};
use foldhash::fast::RandomState;

use super::peer::{Peer, topic};
use super::{Refused, Unsent};
use crate::{Error, Message, SocketType};

/// The peers that were met, and whose turn it is.
pub(super) struct Routing {
    socket_type: SocketType,
    /// In the order in which they were met.
    peers: Vec<Rc<Peer>>,
    by_identity: HashMap<Bytes, Rc<Peer>, RandomState>,
    /// Whose turn it is to be sent the next message.
    turn: usize,
    /// Peers that were given a name by this side.
    named: u32,
    /// What a subscriber asks each publisher for.
    wanted: Vec<Bytes>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    /// Peers that it goes to.
    pub(super) sent: u64,
    /// Peers that had no room.
    pub(super) dropped: u64,
}

impl Routing {
    pub(super) fn new(socket_type: SocketType) -> Self {
        Self {
            socket_type,
            peers: Vec::new(),
            by_identity: HashMap::default(),
            turn: 0,
            named: 0,
            wanted: Vec::new(),
        }
    }

    pub(super) fn peers(&self) -> usize {
        self.peers.len()
    }

    /// Adds a peer, and gives what it is called by: what it asked for, or a name that begins with zero, as no peer may.
    ///
    /// # Errors
    ///
    /// If another peer is called the same. Who was there first stays: otherwise any stranger could put a peer out.
    pub(super) fn meet(&mut self, peer: &Rc<Peer>, wanted: Bytes) -> Result<Bytes, Error> {
        let identity = if wanted.is_empty() { self.name() } else { wanted };
        if self.socket_type == SocketType::Router {
            if self.by_identity.contains_key(&identity) {
                return Err(Error::IdentityInUse);
            }
            self.by_identity.insert(identity.clone(), Rc::clone(peer));
        }
        self.wanted.iter().for_each(|topic| peer.ask(true, topic));
        peer.name(identity.clone());
        self.peers.push(Rc::clone(peer));
        Ok(identity)
    }

    fn name(&mut self) -> Bytes {
        self.named = self.named.wrapping_add(1);
        let mut name = BytesMut::with_capacity(5);
        name.put_u8(0);
        name.put_u32(self.named);
        name.freeze()
    }

    /// Takes a peer out, and gives what it was called by; `None` if it was never met.
    pub(super) fn lose(&mut self, peer: &Rc<Peer>) -> Option<Bytes> {
        let place = self.peers.iter().position(|known| Rc::ptr_eq(known, peer))?;
        self.peers.remove(place);
        if place < self.turn {
            self.turn -= 1;
        }
        let identity = peer.identity()?;
        self.by_identity.remove(identity);
        Some(identity.clone())
    }

    /// What a subscriber asks for, of those who are there and those to come.
    pub(super) fn subscribe(&mut self, is_wanted: bool, topic: Bytes) {
        self.peers.iter().for_each(|peer| peer.ask(is_wanted, &topic));
        match self.wanted.iter().position(|wanted| *wanted == topic) {
            _ if is_wanted => self.wanted.push(topic),
            Some(place) => _ = self.wanted.swap_remove(place),
            None => {}
        }
    }

    /// What becomes of a message that came; `None` if sockets of this type have no use for it.
    pub(super) fn received(&self, peer: &Rc<Peer>, mut message: Message) -> Option<Message> {
        match self.socket_type {
            SocketType::Router => {
                message.push_front(peer.identity()?.clone());
                Some(message)
            }
            SocketType::Push | SocketType::Pub => None,
            _ => Some(message),
        }
    }

    pub(super) fn send(&mut self, message: Message) -> Result<Sent, Unsent> {
        let sent = match self.socket_type {
            SocketType::Router => self.to_named(&message),
            SocketType::Pub | SocketType::XPub => return Ok(self.to_subscribers(&message)),
            SocketType::XSub => return Ok(self.to_all(&message)),
            SocketType::Dealer | SocketType::Push | SocketType::Req | SocketType::Rep => self.to_next(&message),
            SocketType::Sub | SocketType::Pull => Err(Refused::NotNow),
        };
        match sent {
            Ok(()) => Ok(Sent { sent: 1, dropped: 0 }),
            Err(why) => Err(Unsent { why, message }),
        }
    }

    fn to_named(&self, message: &Message) -> Result<(), Refused> {
        let Some((identity, frames)) = message.split_first() else { return Err(Refused::NoPeer) };
        self.by_identity.get(identity).ok_or(Refused::NoPeer)?.send(frames)
    }

    /// Sends to the next peer that has room.
    fn to_next(&mut self, message: &Message) -> Result<(), Refused> {
        let mut refused = Refused::NoPeer;
        for _ in 0..self.peers.len() {
            if self.turn >= self.peers.len() {
                self.turn = 0;
            }
            let sent = self.peers[self.turn].send(message);
            self.turn += 1;
            match sent {
                Err(Refused::Full) => refused = Refused::Full,
                Err(_) => {}
                Ok(()) => return Ok(()),
            }
        }
        Err(refused)
    }

    fn to_subscribers(&self, message: &Message) -> Sent {
        let topic = topic(message);
        let mut sent = Sent::default();
        for peer in self.peers.iter().filter(|peer| peer.wants(topic)) {
            sent.add(peer.send(message));
        }
        sent
    }

    fn to_all(&self, message: &Message) -> Sent {
        let mut sent = Sent::default();
        self.peers.iter().for_each(|peer| sent.add(peer.send(message)));
        sent
    }
}

impl Sent {
    fn add(&mut self, outcome: Result<(), Refused>) {
        match outcome {
            Ok(()) => self.sent += 1,
            Err(_) => self.dropped += 1,
        }
    }
}

/// What a subscriber wants: everything that begins with one of these, each of which it may have asked for several times.
#[derive(Debug, Default)]
pub(super) struct Filters(HashMap<Bytes, usize, RandomState>);

impl Filters {
    /// Notes what is wanted or no longer; says whether that changes anything.
    pub(super) fn change(&mut self, is_wanted: bool, prefix: &Bytes) -> bool {
        if is_wanted {
            let count = self.0.entry(prefix.clone()).or_default();
            *count += 1;
            return *count == 1;
        }
        match self.0.get_mut(prefix) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            Some(_) => self.0.remove(prefix).is_some(),
            None => false,
        }
    }

    pub(super) fn match_(&self, topic: &[u8]) -> bool {
        self.0.keys().any(|prefix| topic.starts_with(prefix))
    }
}
