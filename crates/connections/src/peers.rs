//! What a socket and each of its peers have carried: told by the thread of the socket when another one asks, so that nobody counts for it before.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

/// What the thread of a socket tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Who is there.
    pub peers: Peers,
    /// What has gone to and fro, and what waits.
    pub traffic: Traffic,
}

/// What has gone over all connections of a socket so far, and what waits in it at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that came, of all that the protocol says, from all peers and strangers that there have been.
    pub bytes_in: u64,
    /// Bytes that were sent, of all that the protocol says.
    pub bytes_out: u64,
    /// Messages that wait to be sent, to whichever peer.
    pub queued_messages: usize,
    /// Bytes that do.
    pub queued_bytes: usize,
    /// Messages that have come, and that nobody has taken yet.
    pub inbox_messages: usize,
    /// Bytes in them.
    pub inbox_bytes: usize,
}

/// The peers of one connection at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peers {
    /// Those who have carried most bytes, most first; no more than [`Peers::SHOWN`].
    pub busiest: Vec<PeerCounts>,
    /// How many more there are.
    pub more: usize,
}

/// What one peer has carried since it was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCounts {
    /// Where it connects from, or is connected to, if that is an address of the network.
    pub address: Option<String>,
    /// The ZeroMQ identity that it asked for, if it did and that can be printed.
    pub identity: Option<String>,
    /// Messages that came from it.
    pub messages_in: u64,
    /// Messages that were given to its queue, without those that were dropped there.
    pub messages_out: u64,
    /// Bytes that came from it, of all that the protocol says.
    pub bytes_in: u64,
    /// Bytes that were sent to it, of all that the protocol says.
    pub bytes_out: u64,
    /// Messages that wait to be sent to it.
    pub queued_messages: usize,
    /// Bytes that do.
    pub queued_bytes: usize,
    /// Messages that its queue had no room for.
    pub dropped: u64,
}

impl Peers {
    /// How many are told apart.
    pub const SHOWN: usize = 16;
}

/// An identity, if it can be printed as it is.
pub(crate) fn printable(identity: &[u8]) -> Option<String> {
    let is_printable = !identity.is_empty() && identity.iter().all(|byte| matches!(byte, b' '..=b'~'));
    is_printable.then(|| String::from_utf8_lossy(identity).into_owned())
}

/// Where one thread asks for what only the socket's own thread knows, and that tells it.
#[derive(Debug, Default)]
pub(crate) struct Inquiry {
    /// How many sockets there are that answer; one, or none while it is not connected.
    sockets: AtomicUsize,
    asked: Notify,
    answers: Mutex<Answers>,
    on_told: Condvar,
}

#[derive(Debug, Default)]
struct Answers {
    /// How often was asked.
    asked: u64,
    /// The last of these that was answered.
    answered: u64,
    /// The last answer, of the socket that there is.
    told: Told,
    /// Bytes that came and that were sent by those before it.
    before: (u64, u64),
}

/// An inquiry that was made, by its number.
#[derive(Clone, Copy, Debug)]
pub struct Asked(u64);

impl Inquiry {
    pub(crate) fn ask(&self) -> Asked {
        let mut answers = self.answers.lock();
        answers.asked += 1;
        self.asked.notify_one();
        Asked(answers.asked)
    }

    /// Waits for the answer, and gives the one before if there is none by then; of no socket there is nothing but what those before it have carried.
    pub(crate) fn wait(&self, asked: Asked, until: Instant) -> Told {
        let mut answers = self.answers.lock();
        while self.sockets.load(Relaxed) > 0 && answers.answered < asked.0 {
            if self.on_told.wait_until(&mut answers, until).timed_out() {
                break;
            }
        }
        let mut told = answers.told.clone();
        told.traffic.bytes_in += answers.before.0;
        told.traffic.bytes_out += answers.before.1;
        told
    }

    /// Waits until somebody asks.
    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Answers all who have asked by now.
    pub(crate) fn tell(&self, told: impl FnOnce() -> Told) {
        let mut answers = self.answers.lock();
        answers.answered = answers.asked;
        answers.told = told();
        self.on_told.notify_all();
    }

    /// A socket is there that answers.
    pub(crate) fn begin(&self) {
        self.sockets.fetch_add(1, Relaxed);
    }

    /// It is no more; this is what it has carried.
    pub(crate) fn end(&self, last: Traffic) {
        // Nobody looks between the last socket and the lock.
        let mut answers = self.answers.lock();
        self.sockets.fetch_sub(1, Relaxed);
        answers.told = Told::default();
        answers.before.0 += last.bytes_in;
        answers.before.1 += last.bytes_out;
        self.on_told.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_that_could_drive_a_terminal_is_not_told() {
        assert_eq!(printable(b"gateway 7"), Some("gateway 7".to_owned()));
        for hidden in [&b""[..], b"\x1b[31m", b"two\nlines", b"\0\0\0\0\x01", "\u{202e}".as_bytes(), b"\x7f"]
        {
            assert_eq!(printable(hidden), None, "{hidden:?}");
        }
    }

    #[test]
    fn who_asks_while_nobody_answers_has_the_last_answer_in_time() {
        let inquiry = Inquiry::default();
        let now = || inquiry.wait(inquiry.ask(), Instant::now());
        assert_eq!(now(), Told::default(), "there is no socket");
        inquiry.begin();
        let traffic = Traffic { bytes_in: 2, bytes_out: 3, queued_bytes: 4, ..Traffic::default() };
        let told = Told { peers: Peers { more: 7, ..Peers::default() }, traffic };
        inquiry.tell(|| told.clone());
        assert_eq!(now(), told, "the thread is held");
        inquiry.end(Traffic { bytes_in: 5, bytes_out: 6, ..traffic });
        let carried = Traffic { bytes_in: 5, bytes_out: 6, ..Traffic::default() };
        assert_eq!(now(), Told { traffic: carried, ..Told::default() }, "the socket is closed");
        inquiry.begin();
        inquiry.tell(|| told.clone());
        assert_eq!(now().traffic, Traffic { bytes_in: 7, bytes_out: 9, ..traffic }, "there is another one");
    }
}
