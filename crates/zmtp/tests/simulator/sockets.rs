//! Two sockets or more and the connections between them, of which old ones are still in use at one end when there are new ones.

mod asking;
mod link;
mod naming;
mod publishing;

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use service_framework_zmtp::socket::{Options, Socket};
use service_framework_zmtp::{Message, SocketType};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, yield_now};

use self::link::Link;
use crate::dice::Dice;

/// What happened in a run, or in many.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: u64,
    /// Connections that one end had lost while the other was still told what was said by it.
    pub(crate) outlived: u64,
    pub(crate) answers: u64,
    /// Answers that the pattern had no use for any more.
    pub(crate) late_answers: u64,
    /// Answers for which there was nobody any more.
    pub(crate) answers_to_nobody: u64,
    pub(crate) named: u64,
    /// Newcomers who wanted a name that somebody had.
    pub(crate) names_in_use: u64,
    pub(crate) publications: u64,
    /// Subscriptions that a later connection was told of.
    pub(crate) restored: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        self.connections += other.connections;
        self.outlived += other.outlived;
        self.answers += other.answers;
        self.late_answers += other.late_answers;
        self.answers_to_nobody += other.answers_to_nobody;
        self.named += other.named;
        self.names_in_use += other.names_in_use;
        self.publications += other.publications;
        self.restored += other.restored;
    }

    /// How often each happened.
    pub(crate) fn counts(&self) -> [u64; 9] {
        [
            self.connections,
            self.outlived,
            self.answers,
            self.late_answers,
            self.answers_to_nobody,
            self.named,
            self.names_in_use,
            self.publications,
            self.restored,
        ]
    }
}

/// Everything that the seed says, to the end. There is one thread, no clock and no socket of the system, so that it is the same each time.
pub(crate) fn run(seed: u64) -> Seen {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let mut network = Network { dice: Dice::new(seed), links: Vec::new(), seen: Seen::default() };
        match network.dice.below(3) {
            0 => asking::run(&mut network).await,
            1 => naming::run(&mut network).await,
            _ => publishing::run(&mut network).await,
        }
        network.seen
    })
}

/// The connections between sockets, and chance.
pub(crate) struct Network {
    dice: Dice,
    links: Vec<Link>,
    seen: Seen,
}

impl Network {
    /// Connects a client to a server.
    fn open(&mut self, client: &Socket, server: &Socket) {
        self.links.push(Link::open(client, server));
        self.seen.connections += 1;
    }

    /// Something happens to the connections: bytes arrive at an end of one, or an end loses one.
    async fn go_on(&mut self) {
        for _ in 0..1 + self.dice.below(4) {
            if let Some(at) = self.links.len().checked_sub(1).map(|last| self.dice.below(last + 1)) {
                let (link, end) = (&mut self.links[at], self.dice.below(2));
                match self.dice.below(40) {
                    0 => self.seen.outlived += u64::from(link.lose(end)),
                    1..12 => _ = link.carry(end, 1 + self.dice.below(90)),
                    _ => _ = link.carry(end, usize::MAX),
                }
            }
            self.settle().await;
        }
    }

    /// Lets each task have its turn.
    async fn settle(&mut self) {
        for _ in 0..4 {
            yield_now().await;
        }
        self.links.retain(|link| !link.is_over());
    }

    /// The clients lose all connections; the server has yet to hear of it.
    fn lose_all(&mut self) {
        for link in &mut self.links {
            self.seen.outlived += u64::from(link.lose(link::CLIENT));
        }
    }

    /// Carries all that there is to carry, until nobody has anything to say.
    async fn calm(&mut self) {
        let mut quiet = 0;
        while quiet < 3 {
            let mut carried = false;
            for link in &mut self.links {
                carried |= link.carry(0, usize::MAX);
                carried |= link.carry(1, usize::MAX);
            }
            quiet = if carried { 0 } else { quiet + 1 };
            self.settle().await;
        }
    }
}

fn socket(socket_type: SocketType, change: impl FnOnce(&mut Options)) -> Socket {
    let mut options = Options::new(socket_type);
    change(&mut options);
    Socket::new(options)
}

/// A message that has come already, if any.
fn taken(socket: &Socket) -> Option<Message> {
    match socket.poll_recv(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(message) => Some(message),
        Poll::Pending => None,
    }
}

fn text(number: u64) -> Bytes {
    Bytes::from(number.to_string())
}

fn number(frame: &Bytes) -> u64 {
    str::from_utf8(frame).ok().and_then(|text| text.parse().ok()).expect("a number")
}
