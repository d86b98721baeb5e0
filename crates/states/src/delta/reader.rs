//! A reader of a delta state: it holds a copy, notices what it has missed, and asks for that.

mod asking;
mod held;
mod parts;
mod replies;
mod types;
mod updates;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use service_framework_core::value::Uuid;

pub use parts::{Joined, Parts};
pub use types::{Accept, Counts, Event, Output, Settings, Status};

use self::asking::{Asked, Asking};
use self::held::Held;
use crate::copy::Copy;
use crate::message::{Since, SnapshotRequest, Update, WantedPart};

/// A reader of a delta state, without a socket and without a clock.
///
/// It is told what arrives and what time it is, and tells by [`poll`](Self::poll) what it wants. Each new value goes
/// through a closure that may refuse it. **A copy that is [`Live`](Status::Live) equals the owner's state at the number that it says.**
///
/// An owner in Python does not say which number its snapshot has. If its reply comes before updates that were published earlier, then the
/// copy has entries of these already, until they have come, too.
#[derive(Debug)]
pub struct Reader {
    settings: Settings,
    holding: Option<Holding>,
    held: Held<Update>,
    parts: Option<Parts>,
    asking: Asking,
    link: Link,
    /// Whether updates may have been missed: while the link was down, or as they could not be read.
    is_unsure: bool,
    /// Whether something came that could not be read, so that the next reply is no reason to ask sooner.
    has_unread: bool,
    /// Whether an update was thrown away since the last request was sent, so that its reply may lack it.
    has_missed: bool,
    /// Whether the owner has said nothing for longer than it ever should.
    is_silent: bool,
    /// When the owner was last heard.
    heard: Instant,
    /// How often the owner has said that it publishes at least.
    heartbeat: Option<Duration>,
    /// Owners that updates came of while the copy was of another, and that no reply has judged yet.
    doubts: Vec<Option<Uuid>>,
    /// Owners that are not the one that the replyer belongs to.
    strangers: VecDeque<Option<Uuid>>,
    /// Whether the owner is in Python, and asking is of no use before it has published something.
    awaits_update: bool,
    /// The number of the last update of an owner in Python that the copy had in it already, if none has followed since.
    old_number: Option<i64>,
    status: Status,
    since: Instant,
    outputs: VecDeque<Output>,
    counts: Counts,
}

/// What there is of the state.
#[derive(Debug)]
struct Holding {
    copy: Copy,
    number: i64,
    /// The start of the owner that it is of; none if that is in Python.
    owner: Option<Uuid>,
    /// The highest number that the owner is known to have reached.
    seen: i64,
    /// Whether nothing that comes can be known to follow, so that only a snapshot helps.
    is_lost: bool,
}

/// The link that updates come by.
#[derive(Debug, Default)]
struct Link {
    is_up: bool,
    /// How often it has come up.
    lives: u64,
}

impl Link {
    fn life(&self) -> Option<u64> {
        if self.is_up { Some(self.lives) } else { None }
    }
}

/// How many of its heartbeats an owner may miss before it counts as silent.
const PATIENCE_HEARTBEATS: u32 = 3;

/// Owners that are remembered at most, of those that are doubted and of those that are none.
const MAX_OWNERS: usize = 8;

impl Reader {
    /// A reader that holds nothing, whose link is down. It asks when the link is up, or soon.
    pub fn new(settings: Settings, now: Instant) -> Self {
        let Settings { max_held, max_held_bytes, first_pause, max_pause, seed, .. } = settings;
        let mut reader = Self {
            settings,
            holding: None,
            held: Held::new(max_held, max_held_bytes),
            parts: None,
            asking: Asking::new(first_pause, max_pause, seed, now),
            link: Link::default(),
            is_unsure: true,
            has_unread: false,
            has_missed: false,
            is_silent: false,
            heard: now,
            heartbeat: None,
            doubts: Vec::new(),
            strangers: VecDeque::new(),
            awaits_update: false,
            old_number: None,
            status: Status::Syncing,
            since: now,
            outputs: VecDeque::new(),
            counts: Counts::default(),
        };
        reader.settle(now);
        reader
    }

    /// The link that updates come by is up: none is lost from now on until it is down.
    pub fn connected(&mut self, now: Instant) {
        self.link = Link { is_up: true, lives: self.link.lives + 1 };
        self.is_unsure = true;
        self.is_silent = false;
        self.heard = now;
        self.awaits_update = false;
        // What an owner in Python has published in an earlier life may be of an earlier start of it.
        self.forget_python();
        self.asking.at_once(now);
        self.settle(now);
    }

    /// The link that updates come by is down.
    pub fn disconnected(&mut self, now: Instant) {
        self.link.is_up = false;
        self.is_unsure = true;
        self.parts = None;
        self.settle(now);
    }

    /// Something has come by the link that cannot be read, and may be an update: what follows it tells, or a reply to what is asked from now on.
    ///
    /// Where such things go on coming, the pauses between requests grow, whatever the replies are.
    pub fn missed(&mut self, now: Instant) {
        self.is_unsure = true;
        self.has_unread = true;
        self.asking.distrust();
        // Nor can it be known of an owner in Python whether a reply has it in it.
        self.forget_python();
        self.settle(now);
    }

    /// A request has failed, or what came in answer is no snapshot, or its parts could not be put together.
    pub fn ask_failed(&mut self, now: Instant) {
        if self.asking.end(now).is_some() {
            self.counts.failed_asks += 1;
        }
        self.parts = None;
        self.settle(now);
    }

    /// Does what it is time for: to be called when [`next_wake`](Self::next_wake) says.
    pub fn tick(&mut self, now: Instant) {
        self.is_silent |= self.silence_begins().is_some_and(|at| at <= now);
        self.settle(now);
    }

    /// When [`tick`](Self::tick) is to be called next, if nothing happens before.
    pub fn next_wake(&self) -> Option<Instant> {
        let asks = if self.wants_snapshot() && self.can_ask() { self.asking.next() } else { None };
        [self.silence_begins(), asks].into_iter().flatten().min()
    }

    /// What it wants next; to be asked until there is nothing more, after each of the other calls.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How the copy stands to the owner's state.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Since when it does.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The copy, if there is one.
    pub fn copy(&self) -> Option<&Copy> {
        self.holding.as_ref().map(|holding| &holding.copy)
    }

    /// The number of the copy, if there is one.
    pub fn number(&self) -> Option<i64> {
        self.holding.as_ref().map(|holding| holding.number)
    }

    /// The start of the owner that the copy is of; none if there is no copy, or its owner is in Python.
    pub fn epoch(&self) -> Option<Uuid> {
        self.holding.as_ref()?.owner
    }

    /// By how many updates the owner is known to be ahead.
    pub fn lag(&self) -> u64 {
        self.holding.as_ref().map_or(0, |holding| holding.seen.abs_diff(holding.number))
    }

    /// What has happened since the start.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// When the owner counts as silent, if it does not yet and ever may.
    fn silence_begins(&self) -> Option<Instant> {
        if self.holding.is_none() || !self.link.is_up || self.is_silent {
            return None;
        }
        let told = self.heartbeat.filter(|_| self.epoch().is_some());
        let told = told.map(|heartbeat| heartbeat.saturating_mul(PATIENCE_HEARTBEATS));
        self.heard.checked_add([told, self.settings.patience].into_iter().flatten().min()?)
    }

    /// Whether a snapshot would help.
    fn wants_snapshot(&self) -> bool {
        let Some(holding) = &self.holding else { return true };
        let is_doubtful = self.is_unsure || self.is_silent;
        holding.is_behind() || !self.doubts.is_empty() || self.link.is_up && is_doubtful
    }

    /// Whether an answer would be of use.
    fn can_ask(&self) -> bool {
        !self.awaits_update || !self.doubts.is_empty() || self.held.first(None).is_some()
    }

    /// Ends every step: asks if that is due, and tells a new status.
    fn settle(&mut self, now: Instant) {
        let wants = self.wants_snapshot() && self.can_ask();
        if self.asking.is_due(wants, now) {
            let asked = Asked {
                link: self.link.life(),
                owner: self.holding.as_ref().map(|holding| holding.owner),
                seen: self.holding.as_ref().map(|holding| holding.seen),
                doubts: self.doubts.len(),
                base: self.held.last(None),
            };
            self.parts = None;
            self.has_missed = false;
            self.asking.begin(asked);
            self.counts.asks += 1;
            self.ask(None);
        }
        let status = self.assess();
        if status != self.status {
            (self.status, self.since) = (status, now);
            self.outputs.push_back(Output::Status { status, since: now, number: self.number() });
        }
    }

    fn assess(&self) -> Status {
        match &self.holding {
            None => Status::Syncing,
            Some(holding) if holding.is_behind() => Status::Syncing,
            Some(_) if !self.link.is_up || self.is_unsure || self.is_silent => Status::Stale,
            Some(_) => Status::Live,
        }
    }

    fn ask(&mut self, part: Option<WantedPart>) {
        let max_bytes = self.settings.max_reply_bytes as u64;
        let since = Since { epoch: self.epoch(), number: self.number(), max_bytes };
        let encoding = Default::default();
        self.outputs.push_back(Output::Ask(SnapshotRequest { encoding, since: Some(since), part }));
    }

    /// Forgets what is held of an owner in Python, so that a request that relied on it is of no use.
    fn forget_python(&mut self) {
        self.held.forget(None);
        self.asking.forget_base();
    }
}

impl Holding {
    fn is_behind(&self) -> bool {
        self.is_lost || self.seen > self.number
    }
}
