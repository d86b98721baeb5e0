//! Connections that come one after the other, as between two processes that lose each other, and what must hold for each.

use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use service_framework_zmtp::{Config, Connection, Error, Event, Heartbeat, Message, SocketType};

use crate::dice::Dice;
use crate::network::Wire;
use crate::security::Security;

/// What is done to a connection besides carrying its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: all must arrive.
    None,
    /// Bytes stop to arrive, from one side or from both; nobody is told.
    Stall,
    /// The connection is cut, with bytes on their way.
    Cut,
}

/// What happened in a run, or in many.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) messages: usize,
    /// Messages that were sent and did not arrive, all by a connection that was cut or had stalled.
    pub(crate) lost_by_cuts: usize,
    pub(crate) silences: usize,
    pub(crate) handshakes_given_up: usize,
    pub(crate) refused: usize,
    /// Times that a core was told what time it is, and had an answer to that.
    pub(crate) ticks: usize,
    pub(crate) subscriptions: usize,
    /// Bytes that arrived by a connection while a later one was in use already.
    pub(crate) late: usize,
    /// Connections that were encrypted.
    pub(crate) encrypted: usize,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.lost_by_cuts += other.lost_by_cuts;
        self.silences += other.silences;
        self.handshakes_given_up += other.handshakes_given_up;
        self.refused += other.refused;
        self.ticks += other.ticks;
        self.subscriptions += other.subscriptions;
        self.late += other.late;
        self.encrypted += other.encrypted;
    }
}

/// One side of one connection.
struct Side {
    core: Connection,
    is_ready: bool,
    over: Option<Error>,
    sent: Vec<Event>,
    arrived: Vec<Event>,
    has_heartbeat: bool,
    security: Security,
}

impl Side {
    fn new(config: Config, security: Security, now: Instant) -> Self {
        let has_heartbeat = config.heartbeat.is_some();
        let core = Connection::new(config, now);
        let (sent, arrived) = (Vec::new(), Vec::new());
        Self { core, is_ready: false, over: None, sent, arrived, has_heartbeat, security }
    }
}

/// One connection. What side 0 sends goes by wire 0.
struct Link {
    sides: [Side; 2],
    wires: [Wire; 2],
    fault: Fault,
    /// When the fault comes; when it came.
    strikes: Duration,
    struck: Option<Duration>,
    is_cut: bool,
    /// Side 0 subscribes to what side 1 publishes.
    is_published: bool,
    /// Side 1 lets side 0 in.
    is_admitted: bool,
}

/// Two processes and the connections between them. The newest is in use; older ones may still have bytes on their way.
pub(crate) struct World {
    dice: Dice,
    start: Instant,
    now: Duration,
    links: Vec<Link>,
    latency_ms: usize,
    seen: Seen,
}

/// Both heartbeat settings and latencies keep to it: nobody is taken for silent who is not.
const PATIENCE: Duration = Duration::from_millis(2_000);
const EVERY: Duration = Duration::from_millis(1_000);
const HANDSHAKE: Duration = Duration::from_millis(5_000);
const LATENCY_MS: usize = 300;

const PAIRS: [[SocketType; 2]; 4] = [
    [SocketType::Dealer, SocketType::Router],
    [SocketType::Dealer, SocketType::Dealer],
    [SocketType::Req, SocketType::Rep],
    [SocketType::XSub, SocketType::XPub],
];

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let latency_ms = dice.pick(&[0, 1, 20, LATENCY_MS]);
        let (start, now) = (Instant::now(), Duration::ZERO);
        Self { dice, start, now, links: Vec::new(), latency_ms, seen: Seen::default() }
    }

    /// Everything that the seed says, to the end.
    pub(crate) fn run(mut self) -> Seen {
        for _ in 0..1 + self.dice.below(3) {
            self.open();
            for _ in 0..self.dice.below(30) {
                self.act();
                let time = self.dice_time();
                self.go_on(self.now + time);
            }
        }
        // The faults have come, or come now; then all must settle, and within ten seconds.
        self.go_on(self.now + Duration::from_secs(2));
        self.links.iter_mut().for_each(|link| link.strikes = Duration::ZERO);
        self.go_on(self.now + Duration::from_secs(10));
        self.judge();
        self.seen
    }

    fn dice_time(&mut self) -> Duration {
        let most = self.dice.pick(&[1, 30, 400]);
        self.dice.ms(0, most)
    }

    fn open(&mut self) {
        let pair = self.dice.pick(&PAIRS);
        let security = Security::any(&mut self.dice);
        self.seen.encrypted += usize::from(security.encrypts());
        let has_heartbeats = [self.dice.once_in(2), self.dice.once_in(2)];
        let config = |side: usize| {
            let mut config = Config::new(pair[side]);
            config.limits.handshake = HANDSHAKE;
            config.heartbeat = has_heartbeats[side].then_some(Heartbeat {
                every: EVERY,
                patience: PATIENCE,
                time_to_live: Duration::ZERO,
            });
            config.mechanism = security.mechanism(side);
            config
        };
        let now = self.start + self.now;
        let sides = [0, 1].map(|side| Side::new(config(side), security, now));
        let strikes = self.now + 5 * self.dice_time();
        self.links.push(Link {
            sides,
            wires: Default::default(),
            fault: self.dice.pick(&[Fault::None, Fault::None, Fault::Stall, Fault::Cut]),
            strikes,
            struck: None,
            is_cut: false,
            is_published: pair[0] == SocketType::XSub,
            is_admitted: security == Security::None || !self.dice.once_in(5),
        });
    }

    /// Sends something, by the newest connection, from a side that can.
    fn act(&mut self) {
        let (dice, Some(link)) = (&mut self.dice, self.links.last_mut()) else { return };
        let subscribes = link.is_published && dice.once_in(2);
        let side = match link.is_published {
            true => usize::from(!subscribes),
            false => dice.below(2),
        };
        let side = &mut link.sides[side];
        if !side.is_ready || side.over.is_some() {
            return;
        }
        if subscribes {
            let (topic, is_wanted) = (dice.pick(&["", "a", "topic"]), !dice.once_in(3));
            let topic = Bytes::from_static(topic.as_bytes());
            side.core.subscribe(is_wanted, &topic).expect("it is ready");
            side.sent.push(if is_wanted { Event::Subscribe(topic) } else { Event::Cancel(topic) });
            self.seen.subscriptions += 1;
        } else {
            let message: Message = (0..1 + dice.below(4)).map(|_| frame(dice)).collect();
            side.core.send(&message).expect("it is ready");
            side.sent.push(Event::Message(message));
            self.seen.messages += 1;
        }
    }

    /// Lets time pass, and carries what there is to carry, until `end`.
    fn go_on(&mut self, end: Duration) {
        loop {
            let newest = self.links.len() - 1;
            for (place, link) in self.links.iter_mut().enumerate() {
                let arrived =
                    link.go_on(self.now, self.start, self.latency_ms, &mut self.dice, &mut self.seen);
                if place < newest {
                    self.seen.late += arrived;
                }
            }
            if self.now >= end {
                return;
            }
            let due = self.links.iter().filter_map(|link| link.next(self.start)).min();
            // Whatever is due already was seen to, so that time never stands still.
            let next = due.map_or(end, |due| due.max(self.now + Duration::from_micros(1)));
            self.now = next.min(end);
        }
    }

    fn judge(&mut self) {
        for link in &self.links {
            self.seen.lost_by_cuts += link.judge();
            for error in link.sides.iter().filter_map(|side| side.over.as_ref()) {
                match error {
                    Error::Silent => self.seen.silences += 1,
                    Error::HandshakeTimeout => self.seen.handshakes_given_up += 1,
                    Error::Refused { .. } => self.seen.refused += 1,
                    other => panic!("no side did anything wrong: {other}"),
                }
            }
        }
    }
}

impl Link {
    /// When something happens next.
    fn next(&self, start: Instant) -> Option<Duration> {
        let deadlines = self.sides.iter().filter(|side| side.over.is_none() && !self.is_cut);
        let deadlines = deadlines.filter_map(|side| side.core.deadline()).map(|at| at.duration_since(start));
        let arrivals = self.wires.iter().filter(|_| !self.is_cut).filter_map(Wire::next);
        let strikes = (self.struck.is_none() && self.fault != Fault::None).then_some(self.strikes);
        deadlines.chain(arrivals).chain(strikes).min()
    }

    /// Does what is due; gives how many pieces arrived.
    fn go_on(
        &mut self,
        now: Duration,
        start: Instant,
        latency_ms: usize,
        dice: &mut Dice,
        seen: &mut Seen,
    ) -> usize {
        let mut arrived = 0;
        if self.struck.is_none() && self.fault != Fault::None && self.strikes <= now {
            self.struck = Some(now);
            match self.fault {
                Fault::Cut => self.is_cut = true,
                _ => {
                    let both = dice.once_in(2);
                    let one = dice.below(2);
                    (0..2).for_each(|wire| self.wires[wire].is_stalled = both || wire == one);
                }
            }
        }
        while !self.is_cut {
            let mut has_worked = false;
            for side in 0..2 {
                if let Some(piece) = self.wires[1 - side].receive(now) {
                    (has_worked, arrived) = (true, arrived + 1);
                    let side = &mut self.sides[side];
                    if side.over.is_none() {
                        side.core.receive(&piece, start + now);
                        side.listen(self.is_admitted);
                    }
                }
                let Side { core, over, .. } = &mut self.sides[side];
                if over.is_none() && core.deadline().is_some_and(|at| at <= start + now) {
                    has_worked = true;
                    *over = core.tick(start + now).err();
                    seen.ticks += usize::from(over.is_none());
                }
                // A write takes what it takes.
                let waiting = core.output().remaining();
                if waiting > 0 {
                    has_worked = true;
                    let bytes = core.output().copy_to_bytes(1 + dice.below(waiting));
                    self.wires[side].send(&bytes, now, latency_ms, dice);
                }
            }
            // Who is over closes, once all that it had to say has left.
            if !has_worked && self.sides.iter().any(|side| side.over.is_some()) {
                let rest = self.wires.iter().filter_map(Wire::next).max();
                self.is_cut = rest.is_none();
            }
            if !has_worked {
                break;
            }
        }
        arrived
    }

    /// Holds what arrived against what was sent; gives how many were lost.
    fn judge(&self) -> usize {
        let [ours, theirs] = &self.sides;
        let mut lost = 0;
        for (from, to) in [(ours, theirs), (theirs, ours)] {
            assert!(to.arrived.len() <= from.sent.len(), "more arrived than was sent");
            assert_eq!(to.arrived, from.sent[..to.arrived.len()], "what arrived is not what was sent");
            lost += from.sent.len() - to.arrived.len();
        }
        let is_over = self.sides.iter().any(|side| side.over.is_some());
        match self.struck {
            None if self.is_admitted => {
                assert!(!is_over, "nothing was done to it: {:?} {:?}", ours.over, theirs.over);
                assert!(ours.is_ready && theirs.is_ready, "the handshake is not done");
                assert_eq!(lost, 0, "nothing was done to it");
            }
            None => assert!(!ours.is_ready && !theirs.is_ready, "nobody is met who was not admitted"),
            Some(_) if self.fault == Fault::Cut => {}
            Some(at) => self.judge_stalled(at),
        }
        lost
    }

    /// Who hears nothing finds out, if it asked for heartbeats or the handshake was not done.
    fn judge_stalled(&self, at: Duration) {
        let deaf = (0..2).filter(|side| self.wires[1 - side].is_stalled).map(|side| &self.sides[side]);
        for side in deaf {
            let finds_out = !side.is_ready || side.has_heartbeat;
            let is_told = self.sides.iter().any(|side| side.over.is_some());
            assert!(!finds_out || is_told, "deaf since {at:?} and nobody has noticed");
        }
    }
}

impl Side {
    /// Sees to everything that has happened.
    fn listen(&mut self, is_admitted: bool) {
        loop {
            match self.core.poll() {
                Ok(None) => return,
                Ok(Some(Event::Ready(_))) => {
                    assert!(!self.is_ready, "they meet once");
                    self.is_ready = true;
                }
                Ok(Some(Event::Credentials(credentials))) => {
                    assert!(self.security.knows(&credentials), "{credentials:?}");
                    if is_admitted {
                        self.core.admit();
                    } else {
                        self.core.refuse("not today");
                        self.over = Some(Error::Refused { reason: "not today".into() });
                        return;
                    }
                }
                // Heartbeats come when they come.
                Ok(Some(Event::Control)) => {}
                Ok(Some(event)) => {
                    assert!(self.is_ready, "nothing comes before they have met");
                    self.arrived.push(event);
                }
                Err(error) => {
                    self.over = Some(error);
                    return;
                }
            }
        }
    }
}

/// None that reads as a subscription.
fn frame(dice: &mut Dice) -> Bytes {
    let most = if dice.once_in(30) { 70_000 } else { dice.pick(&[1, 20, 300]) };
    let (length, byte) = (dice.below(most), dice.below(254) as u8 + 2);
    Bytes::from(vec![byte; length])
}
