//! When a reader asks for a snapshot: one request at a time, the first at once, those after it with growing pauses.

use std::time::{Duration, Instant};

use service_framework_core::value::Uuid;

/// What was known when a request was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Which life of the subscription's link it was sent in, if in one.
    pub(super) link: Option<u64>,
    /// The owner that the copy was of, if there was one.
    pub(super) owner: Option<Option<Uuid>>,
    /// The highest number that this owner was known to have reached.
    pub(super) seen: Option<i64>,
    /// How many other owners there was doubt about.
    pub(super) doubts: usize,
    /// The number of the last update of an owner in Python that was held.
    pub(super) base: Option<i64>,
}

/// The pace of requests.
#[derive(Debug)]
pub(super) struct Asking {
    in_flight: Option<Asked>,
    /// Requests since the pause last was none.
    attempts: u32,
    not_before: Instant,
    /// Whether there was a reason to ask when that was last looked at.
    is_wanted: bool,
    ended: Instant,
    first_pause: Duration,
    max_pause: Duration,
    dice: u64,
}

/// A reason to ask that comes so long after the last request has nothing to do with that one.
const CALM: Duration = Duration::from_secs(1);

/// What is answered before the link is up has to be asked for once more, so that the link is given this time to come up first.
const LINK_PATIENCE: Duration = Duration::from_millis(200);

impl Asking {
    pub(super) fn new(first_pause: Duration, max_pause: Duration, seed: u64, now: Instant) -> Self {
        Self {
            in_flight: None,
            attempts: 0,
            not_before: now + LINK_PATIENCE,
            is_wanted: false,
            ended: now,
            first_pause,
            max_pause,
            dice: seed,
        }
    }

    /// Takes note of whether there is a reason to ask; says whether to do it now.
    pub(super) fn is_due(&mut self, is_wanted: bool, now: Instant) -> bool {
        let was_wanted = std::mem::replace(&mut self.is_wanted, is_wanted);
        let is_new = is_wanted && !was_wanted;
        if is_new && self.in_flight.is_none() && now.saturating_duration_since(self.ended) >= CALM {
            self.at_once(now);
        }
        is_wanted && self.in_flight.is_none() && now >= self.not_before
    }

    /// When it is due, if there is a reason to ask.
    pub(super) fn next(&self) -> Option<Instant> {
        if self.in_flight.is_none() { Some(self.not_before) } else { None }
    }

    /// The next request waits for nothing.
    pub(super) fn at_once(&mut self, now: Instant) {
        self.attempts = 0;
        self.not_before = now;
    }

    pub(super) fn begin(&mut self, asked: Asked) {
        self.attempts = self.attempts.saturating_add(1);
        self.in_flight = Some(asked);
    }

    /// Goes on with a request that is answered in parts.
    pub(super) fn go_on(&mut self, asked: Asked) {
        self.in_flight = Some(asked);
    }

    /// The request is over. The pause begins now.
    pub(super) fn end(&mut self, now: Instant) -> Option<Asked> {
        let asked = self.in_flight.take()?;
        self.ended = now;
        self.pause(now);
        Some(asked)
    }

    /// The reply was all that was needed.
    pub(super) fn succeeded(&mut self, now: Instant) {
        self.attempts = self.attempts.min(1);
        self.pause(now);
    }

    /// What was held of an owner in Python has gone, so that the reply has nothing to stand on.
    pub(super) fn forget_base(&mut self) {
        if let Some(asked) = &mut self.in_flight {
            asked.base = None;
        }
    }

    /// The reply to what is in flight may lack what was published before.
    pub(super) fn distrust(&mut self) {
        if let Some(asked) = &mut self.in_flight {
            asked.link = None;
        }
    }

    fn pause(&mut self, now: Instant) {
        let pause = match self.attempts {
            0 => Duration::ZERO,
            attempts => {
                let doublings = 1_u32.checked_shl(attempts - 1).unwrap_or(u32::MAX);
                self.first_pause.saturating_mul(doublings).min(self.max_pause)
            }
        };
        // Between a half and the whole of it, so that those who lost the same owner do not ask all at once.
        let jitter = pause.mul_f64(0.5 + 0.5 * self.roll());
        self.not_before = now.checked_add(jitter).unwrap_or(now);
    }

    /// A number from 0 to 1 (SplitMix64, by Steele, Lea and Flood).
    fn roll(&mut self) -> f64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from((mixed >> 32) as u32) / f64::from(u32::MAX)
    }
}
