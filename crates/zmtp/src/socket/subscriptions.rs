//! Who wants which publications.

use std::collections::HashSet;
use std::rc::Rc;

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::peer::Peer;
use super::trie::Trie;
use crate::Error;

/// What subscribers want of a publisher. To ask twice is to ask once, as with libzmq, whose subscribers may ask twice and cancel once.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    subscribers: Trie<Vec<Rc<Peer>>>,
    /// How many peers want anything.
    peers: usize,
    /// Counts publications, so that a peer that several prefixes lead to is found once.
    round: u64,
}

/// What one subscriber has asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The numbers of the prefixes.
    prefixes: HashSet<usize, RandomState>,
    /// The bytes of all of them.
    bytes: usize,
}

/// How much one subscriber may ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) prefixes: usize,
    pub(super) bytes: usize,
}

/// What was new of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// Nobody had asked for it.
    First,
    /// Others had.
    Another,
    /// The same peer had.
    Again,
}

/// What a cancellation took away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    /// Nobody else has asked for it.
    Last,
    /// Others have.
    Another,
    /// The peer had not asked for it.
    Nothing,
}

impl Subscriptions {
    /// A peer wants what begins with `prefix`.
    pub(super) fn add(&mut self, peer: &Rc<Peer>, prefix: &[u8], limit: Limit) -> Result<Added, Error> {
        let node = self.subscribers.insert(prefix);
        let subscribers = self.subscribers.value(node);
        let Err(place) = subscribers.binary_search_by_key(&peer.key(), |known| known.key()) else {
            return Ok(Added::Again);
        };
        let mut asked = peer.asked().borrow_mut();
        if asked.prefixes.len() >= limit.prefixes || asked.bytes.saturating_add(prefix.len()) > limit.bytes {
            self.subscribers.prune(node);
            return Err(Error::TooManySubscriptions);
        }
        self.peers += usize::from(asked.prefixes.is_empty());
        asked.prefixes.insert(node);
        asked.bytes += prefix.len();
        subscribers.insert(place, Rc::clone(peer));
        Ok(if subscribers.len() == 1 { Added::First } else { Added::Another })
    }

    /// It does no longer.
    pub(super) fn cancel(&mut self, peer: &Peer, prefix: &[u8]) -> Removed {
        let Some(node) = self.subscribers.find(prefix) else { return Removed::Nothing };
        let mut asked = peer.asked().borrow_mut();
        if !asked.prefixes.remove(&node) {
            return Removed::Nothing;
        }
        asked.bytes -= prefix.len();
        self.peers -= usize::from(asked.prefixes.is_empty());
        let is_last = self.remove(peer, node);
        self.subscribers.prune(node);
        if is_last { Removed::Last } else { Removed::Another }
    }

    /// It wants nothing any more; gives what nobody wants now.
    pub(super) fn lose(&mut self, peer: &Peer) -> Vec<Bytes> {
        let mut unwanted = Vec::new();
        let prefixes = peer.asked().take().prefixes;
        self.peers -= usize::from(!prefixes.is_empty());
        for node in prefixes {
            if self.remove(peer, node) {
                unwanted.push(self.subscribers.prefix(node).into());
            }
            self.subscribers.prune(node);
        }
        unwanted
    }

    /// What begins with `prefix` and is wanted, once for each peer that wants it.
    pub(super) fn under(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Rc<Peer>)> {
        let mut under = Vec::new();
        for (topic, peers) in self.subscribers.kept().filter(|(topic, _)| topic.starts_with(prefix)) {
            under.extend(peers.iter().map(|peer| (topic.clone(), Rc::clone(peer))));
        }
        under
    }

    /// How many peers want anything.
    pub(super) fn peers(&self) -> usize {
        self.peers
    }

    /// Takes a peer from those who want a prefix; says whether nobody is left.
    fn remove(&mut self, peer: &Peer, node: usize) -> bool {
        let subscribers = self.subscribers.value(node);
        if let Ok(place) = subscribers.binary_search_by_key(&peer.key(), |known| known.key()) {
            subscribers.remove(place);
        }
        subscribers.is_empty()
    }

    /// Shows `see` each peer that wants what begins like this, once.
    pub(super) fn each(&mut self, topic: &[u8], mut see: impl FnMut(&Peer)) {
        self.round += 1;
        let round = self.round;
        self.subscribers.each(topic, |peers| {
            peers.iter().filter(|peer| peer.is_new_in(round)).for_each(|peer| see(peer));
        });
    }
}

/// What this side wants of all publishers, and how often it was asked to.
#[derive(Debug, Default)]
pub(super) struct Wanted(Trie<usize>);

impl Wanted {
    /// Notes what is wanted or no longer; says whether that was the first time, or the last.
    pub(super) fn change(&mut self, is_wanted: bool, prefix: &[u8]) -> bool {
        if is_wanted {
            let node = self.0.insert(prefix);
            let count = self.0.value(node);
            *count += 1;
            return *count == 1;
        }
        let Some(node) = self.0.find(prefix) else { return false };
        let count = self.0.value(node);
        let is_last = *count == 1;
        *count = count.saturating_sub(1);
        self.0.prune(node);
        is_last
    }

    /// Whether something that begins like this is wanted.
    pub(super) fn has(&self, topic: &[u8]) -> bool {
        let mut is_wanted = false;
        self.0.each(topic, |count| is_wanted |= *count > 0);
        is_wanted
    }

    /// All that is wanted: the empty prefix first, the others in the order in which they were asked for, as long as nothing was cancelled.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = Vec<u8>> {
        self.0.kept().map(|(prefix, _)| prefix)
    }
}
