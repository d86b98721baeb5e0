//! How soon a copy notices that it is behind, wrong or alone, in the heartbeats of its owner and without a clock.

use std::time::{Duration, Instant};

use service_framework_core::value::Uuid;
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::{Failure, Value, value};
use service_framework_states::delta::Owner;
use service_framework_states::delta::reader::{Event, Output, Reader, Settings, Status};
use service_framework_states::{Change, SnapshotReply, Update};

const HEARTBEAT: Duration = Duration::from_secs(1);

fn change(value: &Value) -> Change {
    let map = wire::encode(value, Encoding::MessagePack).unwrap();
    Change::read(&map, &Limits::default()).unwrap()
}

fn all(_: &Event<'_>) -> Result<(), Failure> {
    Ok(())
}

/// An owner and its copy, and what time it is for them.
struct Pair {
    owner: Owner,
    reader: Reader,
    start: Instant,
    now: Instant,
}

impl Pair {
    /// A copy that is live, of an owner that has a value.
    fn live() -> Self {
        let start = Instant::now();
        let mut owner = Owner::new(Uuid::from_u128(1), 100, Some(HEARTBEAT), start);
        owner.update(change(&value!({"a": 1})), start).unwrap();
        let reader = Reader::new(Settings::default(), start);
        let mut pair = Self { owner, reader, start, now: start };
        pair.reader.connected(start);
        assert!(pair.is_asked());
        pair.answer();
        assert_eq!(pair.reader.status(), Status::Live);
        pair
    }

    /// Whether the copy has asked for the whole since the last time.
    fn is_asked(&mut self) -> bool {
        let outputs: Vec<_> = std::iter::from_fn(|| self.reader.poll()).collect();
        outputs.iter().any(|output| matches!(output, Output::Ask(_)))
    }

    fn answer(&mut self) {
        let reply = SnapshotReply::read(&self.owner.snapshot().encode_whole(), &Limits::default()).unwrap();
        self.reader.reply(&reply, self.now, &mut all);
    }

    fn arrive(&mut self, update: Update) {
        self.reader.update(update, self.now, &mut all);
    }

    /// Lets time pass until the owner's next heartbeat, which arrives if it is not `lost`.
    fn beat(&mut self, is_lost: impl FnOnce() -> bool) {
        self.now = self.owner.next_wake().expect("it has a heartbeat");
        let beat = self.owner.heartbeat(self.now).expect("it is time");
        self.reader.tick(self.now);
        if !is_lost() {
            self.arrive(beat);
        }
    }

    /// The copy asks now, no later than so many heartbeats after it began, and is right and live when it is answered.
    #[track_caller]
    fn is_mended_within(&mut self, heartbeats: u32) {
        assert!(self.is_asked(), "it does not ask");
        let passed = self.now - self.start;
        assert!(passed <= heartbeats * HEARTBEAT, "only after {passed:?}");
        self.answer();
        let Self { owner, reader, .. } = self;
        assert_eq!((reader.status(), reader.copy()), (Status::Live, Some(owner.copy())));
    }
}

#[test]
fn a_lost_last_message_is_noticed_within_two_heartbeats() {
    let mut pair = Pair::live();
    pair.owner.update(change(&value!({"a": 2})), pair.now).unwrap();
    pair.beat(|| false);
    pair.is_mended_within(2);
}

#[test]
fn it_is_even_if_the_next_heartbeat_is_lost_too() {
    let mut pair = Pair::live();
    pair.owner.update(change(&value!({"a": 2})), pair.now).unwrap();
    pair.beat(|| true);
    pair.beat(|| false);
    pair.is_mended_within(2);
}

/// An owner is restarted behind a proxy, so that no connection tells of it.
#[test]
fn a_restarted_owner_is_noticed_within_two_heartbeats_though_the_link_stays() {
    let mut pair = Pair::live();
    let later = pair.now + HEARTBEAT / 2;
    pair.owner = Owner::new(Uuid::from_u128(2), 1, Some(HEARTBEAT), later);
    pair.beat(|| false);
    pair.is_mended_within(2);
}

#[test]
fn a_copy_that_went_wrong_is_noticed_within_two_heartbeats() {
    let mut pair = Pair::live();
    // The owner has another value at the same number: as if the copy had made something else of the last update.
    let mut other = Owner::new(pair.owner.epoch(), pair.owner.number() - 1, Some(HEARTBEAT), pair.now);
    other.update(change(&value!({"a": "another"})), pair.now).unwrap();
    pair.owner = other;
    pair.beat(|| false);
    assert_eq!(pair.reader.counts().bad_digest, 1);
    pair.is_mended_within(2);
}

#[test]
fn an_owner_that_is_not_heard_for_three_heartbeats_is_stale_and_no_sooner() {
    let mut pair = Pair::live();
    pair.now = pair.start + 3 * HEARTBEAT - Duration::from_millis(1);
    pair.reader.tick(pair.now);
    assert_eq!(pair.reader.status(), Status::Live);
    assert_eq!(pair.reader.next_wake(), Some(pair.start + 3 * HEARTBEAT));
    pair.now = pair.start + 3 * HEARTBEAT;
    pair.reader.tick(pair.now);
    assert_eq!(pair.reader.status(), Status::Stale);
}

/// A partition of a minute, of which the link knows.
#[test]
fn a_copy_is_right_with_the_first_answer_after_a_cut_of_a_minute() {
    let mut pair = Pair::live();
    pair.reader.disconnected(pair.now);
    assert_eq!(pair.reader.status(), Status::Stale);
    for _ in 0..60 {
        pair.beat(|| true);
    }
    while pair.is_asked() {
        // What was asked meanwhile did not arrive.
        pair.reader.ask_failed(pair.now);
    }
    pair.start = pair.now;
    pair.reader.connected(pair.now);
    pair.is_mended_within(0);
}

/// An entry is longer than the copy takes, so that the owner answers each request with an error, and goes on.
#[test]
fn a_copy_whose_requests_are_all_in_vain_asks_every_few_seconds() {
    let mut pair = Pair::live();
    pair.owner.update(change(&value!({"long": "x"})), pair.now).unwrap();
    let (before, mut times) = (pair.reader.counts().asks, Vec::new());
    let end = pair.start + Duration::from_secs(600);
    while pair.now < end {
        let wakes = [pair.reader.next_wake(), pair.owner.next_wake()];
        pair.now = wakes.into_iter().flatten().min().unwrap();
        pair.reader.tick(pair.now);
        // Its heartbeats arrive, none of which the copy can apply.
        if let Some(beat) = pair.owner.heartbeat(pair.now) {
            pair.arrive(beat);
        }
        while pair.is_asked() {
            times.push(pair.now);
            pair.reader.ask_failed(pair.now);
        }
        assert_ne!((pair.reader.status(), pair.now > pair.start + 2 * HEARTBEAT), (Status::Live, true));
    }
    assert_eq!(pair.reader.counts().failed_asks, pair.reader.counts().asks - before);
    let late: Vec<_> = times.windows(2).filter(|pair| pair[0] > end - Duration::from_secs(540)).collect();
    assert!(late.len() >= 100, "it goes on asking: {} times", late.len());
    let pauses = late.into_iter().map(|pair| pair[1] - pair[0]);
    assert!(pauses.min().unwrap() >= Duration::from_millis(2_500), "half of five seconds, by its jitter");
}
