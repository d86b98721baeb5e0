//! Processes, the network between them, and a clock that goes as fast as it can.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use service_framework_core::wire::Limits;
use service_framework_states::delta::reader::Parts;
use service_framework_states::{SnapshotReply, SnapshotRequest, Update};

use crate::dice::Dice;
use crate::model::change_of;
use crate::owning::Owning;
use crate::reading::{Input, Reading, Wanted};
use crate::rules::{Kind, Rules};
use crate::seen::Seen;

/// What is on its way, or will happen.
enum Happening {
    /// The owner publishes something.
    Act,
    /// An update arrives, if the link is still the same.
    Arrival { reader: usize, link: u32, frame: Rc<Vec<u8>> },
    /// A request arrives at the owner's replyer.
    Request { reader: usize, request: u32, payload: Vec<u8> },
    /// An answer arrives at the reader that has asked, or its patience ends.
    Answer { reader: usize, request: u32, payload: Option<Vec<u8>> },
    /// A reader's parts are put together.
    Join { reader: usize, request: u32, parts: Parts },
    /// A link comes up.
    Up { reader: usize, link: u32 },
}

/// All processes of a schedule. The replyer belongs to the first owner.
pub(crate) struct World {
    dice: Dice,
    rules: Rules,
    start: Instant,
    now: Duration,
    owner: Owning,
    other: Option<Owning>,
    /// An owner that has gone, with the replyer; what its state was stays true.
    gone: Option<Owning>,
    readers: Vec<Reading>,
    happenings: Vec<Option<Happening>>,
    agenda: BinaryHeap<Reverse<(Duration, usize)>>,
    /// Whether the network is bad.
    is_bad: bool,
    seen: Seen,
}

/// After so long an owner that answers is followed by all, whatever was before.
const SETTLING: Duration = Duration::from_secs(10);

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let rules = Rules::new(&mut dice);
        let start = Instant::now();
        let owner = Owning::new(&rules, &mut dice, start);
        let other = (rules.kind == Kind::Two).then(|| Owning::new(&rules, &mut dice, start));
        let readers = (0..rules.readers).map(|_| Reading::new(&rules, &mut dice, start)).collect();
        Self {
            dice,
            rules,
            start,
            now: Duration::ZERO,
            owner,
            other,
            gone: None,
            readers,
            happenings: Vec::new(),
            agenda: BinaryHeap::new(),
            is_bad: true,
            seen: Seen::default(),
        }
    }

    /// Everything that the seed says, to the end.
    pub(crate) fn run(mut self) -> Seen {
        for reader in 0..self.readers.len() {
            let wanted = self.readers[reader].outputs();
            self.see_to(reader, wanted);
            let up = self.dice.ms(0, 40);
            self.plan(up, Happening::Up { reader, link: 0 });
        }
        for _ in 0..self.rules.acts {
            self.mishap();
            let pause = self.dice.ms(0, 60);
            self.plan(pause, Happening::Act);
            self.go_on(pause);
        }
        self.mend();
        self.go_on(SETTLING);
        // The last heartbeat may still be on its way.
        for _ in 0..10 {
            if !self.agenda.is_empty() {
                self.go_on(Duration::from_millis(25));
            }
        }
        self.judge();
        self.seen
    }

    /// Something may go wrong.
    fn mishap(&mut self) {
        for reader in 0..self.readers.len() {
            if self.dice.once_in(self.rules.cut) {
                self.cut(reader);
            }
            if self.dice.once_in(self.rules.readers_restarted) {
                self.seen.readers_restarted += 1;
                let now = self.start + self.now;
                self.readers[reader].restart(&self.rules, &mut self.dice, now, &mut self.seen);
                let wanted = self.readers[reader].outputs();
                self.see_to(reader, wanted);
                self.plan_up(reader);
            }
        }
        if self.dice.once_in(self.rules.owner_restarted) {
            self.seen.owners_restarted += 1;
            let now = self.start + self.now;
            self.owner.restart(&self.rules, &mut self.dice, now);
            for reader in 0..self.readers.len() {
                self.readers[reader].reasons += 1;
                // Without epochs, the links alone tell; behind a proxy, readers of ours need none.
                if self.rules.kind == Kind::Python || self.dice.once_in(2) {
                    self.cut(reader);
                }
                if self.rules.kind == Kind::Python {
                    self.fail_request(reader);
                }
            }
        }
    }

    fn cut(&mut self, reader: usize) {
        if self.readers[reader].is_up {
            self.seen.cuts += 1;
            self.readers[reader].reasons += 1;
            self.tell(reader, Input::Down);
            self.plan_up(reader);
        }
    }

    fn plan_up(&mut self, reader: usize) {
        let link = self.readers[reader].link;
        let up = self.dice.ms(0, 100);
        self.plan(up, Happening::Up { reader, link });
    }

    /// What a reader has asked is never answered.
    fn fail_request(&mut self, reader: usize) {
        self.readers[reader].request += 1;
        self.tell(reader, Input::AskFailed);
    }

    /// From now on nothing goes wrong. One of two owners is gone; it may be the one that everybody follows.
    fn mend(&mut self) {
        self.is_bad = false;
        if let Some(other) = self.other.take() {
            let is_failover = self.rules.heartbeat.is_some() && self.dice.once_in(2);
            self.seen.failovers += u64::from(is_failover);
            if is_failover {
                self.gone = Some(std::mem::replace(&mut self.owner, other));
            }
        }
        // Those that publish seldom are found out late.
        let acts = if self.rules.kind == Kind::Python { 18 } else { 1 };
        for act in 0..acts {
            self.plan(Duration::from_millis(1 + 500 * act), Happening::Act);
        }
    }

    /// Lets time pass for so long.
    fn go_on(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.happen();
            self.wake();
            let wakes = self.readers.iter().filter_map(|reading| reading.reader.next_wake());
            let owners = [Some(&self.owner), self.other.as_ref()].into_iter().flatten();
            let beats = owners.filter_map(|owner| owner.ours.as_ref()?.next_wake());
            let wakes = wakes.chain(beats).map(|at| at.saturating_duration_since(self.start));
            let planned = self.agenda.peek().map(|Reverse((at, _))| *at);
            let next = wakes.chain(planned).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            // Whatever is due was seen to, so that time never stands still.
            self.now = next.max(self.now + Duration::from_micros(1));
        }
        self.now = end;
    }

    fn plan(&mut self, after: Duration, happening: Happening) {
        self.agenda.push(Reverse((self.now + after, self.happenings.len())));
        self.happenings.push(Some(happening));
    }

    fn happen(&mut self) {
        while let Some(Reverse((at, place))) = self.agenda.peek().copied() {
            if at > self.now {
                break;
            }
            self.agenda.pop();
            match self.happenings[place].take().expect("it happens once") {
                Happening::Act => self.act(),
                Happening::Arrival { reader, link, frame } => {
                    if self.readers[reader].is_up && self.readers[reader].link == link {
                        let update = Update::read(&frame, &Limits::default(), 256);
                        if update.is_err() {
                            self.seen.unreadable += 1;
                            self.readers[reader].reasons += 1;
                        }
                        self.tell(reader, update.map_or(Input::Missed, Input::Update));
                    }
                }
                Happening::Request { reader, request, payload } => self.answer(reader, request, &payload),
                Happening::Answer { reader, request, payload } => {
                    if self.readers[reader].request == request {
                        self.readers[reader].request += 1;
                        let reply =
                            payload.map(|payload| SnapshotReply::read(&payload, &Limits::default()).unwrap());
                        self.seen.parts +=
                            u64::from(reply.as_ref().is_some_and(|reply| reply.part.is_some()));
                        self.tell(reader, reply.map_or(Input::AskFailed, Input::Reply));
                    }
                }
                Happening::Join { reader, request, parts } => {
                    if self.readers[reader].request == request {
                        self.readers[reader].request += 1;
                        self.seen.joined += 1;
                        self.tell(reader, Input::Joined(parts.join()));
                    }
                }
                Happening::Up { reader, link } => {
                    if !self.readers[reader].is_up && self.readers[reader].link == link {
                        self.readers[reader].reasons += 1;
                        self.tell(reader, Input::Up);
                    }
                }
            }
        }
    }

    fn wake(&mut self) {
        let now = self.start + self.now;
        for reader in 0..self.readers.len() {
            if self.readers[reader].reader.next_wake().is_some_and(|at| at <= now) {
                self.tell(reader, Input::Tick);
            }
        }
        let beats = [self.owner.heartbeat(now), self.other.as_mut().and_then(|other| other.heartbeat(now))];
        for update in beats.into_iter().flatten() {
            self.publish(&update);
        }
    }

    fn act(&mut self) {
        let now = self.start + self.now;
        let update = self.owner.act(&self.rules, &mut self.dice, now);
        self.publish(&update);
        if let Some(other) = &mut self.other
            && self.dice.once_in(2)
        {
            let update = other.act(&self.rules, &mut self.dice, now);
            self.publish(&update);
        }
    }

    /// Sends an update to all whose link is up, by a network that does to it what it may.
    fn publish(&mut self, update: &Update) {
        self.seen.published += 1;
        let mut frame = Vec::new();
        update.write(&mut frame);
        let frame = Rc::new(frame);
        for reader in (0..self.readers.len()).filter(|reader| self.readers[*reader].is_up).collect::<Vec<_>>()
        {
            if self.is_bad && self.dice.once_in(self.rules.lost) {
                self.seen.lost += 1;
                self.readers[reader].reasons += 1;
                continue;
            }
            let mut frame = Rc::clone(&frame);
            if self.is_bad && self.dice.once_in(self.rules.corrupted) {
                frame = Rc::new(corrupted(update));
                self.seen.corrupted += 1;
            }
            if self.is_bad && self.dice.once_in(self.rules.unreadable) {
                let length = self.dice.below(frame.len());
                frame = Rc::new(frame[..length].to_vec());
            }
            self.carry(reader, Rc::clone(&frame));
            if self.is_bad && self.dice.once_in(self.rules.duplicated) {
                self.seen.duplicated += 1;
                self.carry(reader, frame);
            }
        }
    }

    fn carry(&mut self, reader: usize, frame: Rc<Vec<u8>>) {
        let mut after = self.dice.ms(0, 20);
        let reading = &mut self.readers[reader];
        if !(self.rules.is_reordered && self.is_bad) {
            let at = (self.now + after).max(reading.last_arrival);
            (after, reading.last_arrival) = (at - self.now, at);
        }
        let link = reading.link;
        self.plan(after, Happening::Arrival { reader, link, frame });
    }

    /// Does what a reader wants, sooner or later.
    fn see_to(&mut self, reader: usize, wanted: Option<Wanted>) {
        match wanted {
            Some(Wanted::Ask(request)) => self.ask(reader, &request),
            Some(Wanted::Join(parts)) => {
                let (after, request) = (self.dice.ms(0, 40), self.readers[reader].request);
                self.plan(after, Happening::Join { reader, request, parts });
            }
            None => {}
        }
    }

    fn ask(&mut self, reader: usize, request: &SnapshotRequest) {
        let (payload, request) = (request.write(), self.readers[reader].request);
        if self.is_bad && self.dice.once_in(self.rules.replies_lost) {
            self.seen.replies_lost += 1;
            let patience = self.dice.pick(&[1, 30, 500]);
            self.plan(Duration::from_millis(patience), Happening::Answer { reader, request, payload: None });
            return;
        }
        let after = self.dice.ms(0, 20);
        self.plan(after, Happening::Request { reader, request, payload });
    }

    fn answer(&mut self, reader: usize, request: u32, payload: &[u8]) {
        let mut payload = Some(self.owner.answer(payload, &self.rules));
        // The reply of an owner in Python does not overtake what was published before it.
        let mut after =
            if self.rules.kind == Kind::Python { self.dice.ms(41, 80) } else { self.dice.ms(0, 80) };
        if self.is_bad && self.dice.once_in(self.rules.replies_lost) {
            self.seen.replies_lost += 1;
            payload = None;
            after += self.dice.ms(0, 500);
        }
        self.plan(after, Happening::Answer { reader, request, payload });
    }

    fn tell(&mut self, reader: usize, input: Input) {
        let Self { dice, rules, is_bad, readers, .. } = self;
        let refused = if *is_bad { rules.refused } else { 0 };
        let wanted = readers[reader].tell(input, self.start + self.now, || dice.once_in(refused));
        // Those that the replyer belongs to, or did: a copy is of no other, whatever that publishes.
        let owners: Vec<_> = [Some(&self.owner), self.gone.as_ref()].into_iter().flatten().collect();
        self.readers[reader].check(&owners, &self.rules, &mut self.seen);
        self.see_to(reader, wanted);
    }

    fn judge(&mut self) {
        for reading in &mut self.readers {
            reading.check_converged(&self.owner);
            reading.end(&mut self.seen);
            self.seen.python_synced += u64::from(self.rules.kind == Kind::Python);
            if self.rules.is_gentle() {
                self.seen.gentle += 1;
                let (asks, reasons) = (reading.asks, reading.reasons);
                assert!(asks <= reasons, "{asks} requests for {reasons} reasons");
            }
        }
    }
}

/// The update with an entry that its owner never had, as if the owner's copy had gone wrong.
fn corrupted(update: &Update) -> Vec<u8> {
    let mut frame = Vec::new();
    let mut edit = crate::model::edit_of(&update.state);
    edit.insert(b'z', Some(7));
    Update { state: change_of(&edit), ..update.clone() }.write(&mut frame);
    frame
}
