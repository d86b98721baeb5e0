//! The reader's side: the machine, the plugin that it feeds, and what must hold for both at every step.

use std::time::{Duration, Instant};

use service_framework_core::Failure;
use service_framework_states::delta::reader::{
    Counts, Event, Joined, Output, Parts, Reader, Settings, Status,
};
use service_framework_states::{SnapshotReply, SnapshotRequest, Update};

use crate::dice::Dice;
use crate::model::{Model, edit, edit_of, equals, model_of};
use crate::owning::Owning;
use crate::rules::{Kind, Rules};
use crate::seen::Seen;

/// What the plugin has of the state: what it was given, and has not refused.
#[derive(Default)]
pub(crate) struct Plugin {
    model: Model,
    number: Option<i64>,
}

impl Plugin {
    fn take(&mut self, event: &Event<'_>) {
        match *event {
            Event::Replace { copy, number, .. } => (self.model, self.number) = (model_of(copy), Some(number)),
            Event::Apply { change, number, .. } => {
                let before = self.number.expect("a change follows something");
                assert_eq!(number, before + 1, "each change is applied once, and none is left out");
                edit(&mut self.model, &edit_of(change));
                self.number = Some(number);
            }
        }
    }
}

/// A reader and its plugin, and the links to them.
pub(crate) struct Reading {
    pub(crate) reader: Reader,
    plugin: Plugin,
    /// How often it has started.
    pub(crate) life: u32,
    pub(crate) is_up: bool,
    /// How often the link has come up.
    pub(crate) link: u32,
    /// When the last update arrives that is on its way: none overtakes another in a network that keeps the order.
    pub(crate) last_arrival: Duration,
    /// Requests, to tell them apart.
    pub(crate) request: u32,
    /// Things that have happened for each of which it may ask once.
    pub(crate) reasons: u64,
    pub(crate) asks: u64,
    status: Status,
}

/// What a reader wants to be done.
pub(crate) enum Wanted {
    Ask(SnapshotRequest),
    Join(Parts),
}

/// What a reader is told.
pub(crate) enum Input {
    Up,
    Down,
    Update(Update),
    /// What came could not be read.
    Missed,
    Reply(SnapshotReply),
    Joined(Joined),
    AskFailed,
    Tick,
}

impl Reading {
    pub(crate) fn new(rules: &Rules, dice: &mut Dice, now: Instant) -> Self {
        let settings = Settings {
            max_held: rules.max_held,
            max_reply_bytes: rules.max_reply_bytes,
            seed: dice.roll(),
            ..Settings::default()
        };
        Self {
            reader: Reader::new(settings, now),
            plugin: Plugin::default(),
            life: 0,
            is_up: false,
            link: 0,
            last_arrival: Duration::ZERO,
            request: 0,
            reasons: 1,
            asks: 0,
            status: Status::Syncing,
        }
    }

    /// The process ends, and another begins.
    pub(crate) fn restart(&mut self, rules: &Rules, dice: &mut Dice, now: Instant, seen: &mut Seen) {
        self.end(seen);
        let Self { life, link, request, reasons, asks, .. } = *self;
        let request = request + 1;
        *self = Self { life: life + 1, link: link + 1, request, asks, ..Self::new(rules, dice, now) };
        self.reasons += reasons;
    }

    pub(crate) fn end(&mut self, seen: &mut Seen) {
        let counts: Counts = self.reader.counts();
        self.asks += counts.asks;
        seen.count(&counts);
    }

    /// Tells the reader something, and gives what it wants.
    pub(crate) fn tell(
        &mut self,
        input: Input,
        now: Instant,
        mut refuses: impl FnMut() -> bool,
    ) -> Option<Wanted> {
        let Self { reader, plugin, .. } = self;
        let mut accept = |event: &Event<'_>| {
            if refuses() {
                return Err(Failure::msg("not today"));
            }
            plugin.take(event);
            Ok(())
        };
        match input {
            Input::Up => {
                (self.is_up, self.link) = (true, self.link + 1);
                reader.connected(now);
            }
            Input::Down => {
                self.is_up = false;
                reader.disconnected(now);
            }
            Input::Update(update) => reader.update(update, now, &mut accept),
            Input::Missed => {
                reader.missed(now);
                assert_ne!(reader.status(), Status::Live, "it may have been an update");
            }
            Input::Reply(reply) => reader.reply(&reply, now, &mut accept),
            Input::Joined(joined) => reader.joined(joined, now, &mut accept),
            Input::AskFailed => reader.ask_failed(now),
            Input::Tick => reader.tick(now),
        }
        self.outputs()
    }

    /// What the reader wants to be done, if anything.
    pub(crate) fn outputs(&mut self) -> Option<Wanted> {
        let mut wanted = None;
        while let Some(output) = self.reader.poll() {
            let wants = match output {
                Output::Ask(request) => Wanted::Ask(request),
                Output::Join(parts) => Wanted::Join(parts),
                Output::Status { status, number, .. } => {
                    assert_eq!(number, self.reader.number());
                    self.status = status;
                    continue;
                }
            };
            assert!(wanted.replace(wants).is_none(), "one thing at a time");
        }
        assert_eq!(self.status, self.reader.status(), "a new status is told");
        wanted
    }

    /// What must hold at every step.
    pub(crate) fn check(&self, owners: &[&Owning], rules: &Rules, seen: &mut Seen) {
        let (status, number) = (self.reader.status(), self.reader.number());
        seen.stale += u64::from(status == Status::Stale);
        assert_eq!(self.plugin.number, number, "the plugin has the value of that number");
        let (Some(copy), Some(number)) = (self.reader.copy(), number) else {
            assert_eq!(status, Status::Syncing, "there is nothing");
            return;
        };
        assert!(equals(copy, &self.plugin.model), "the plugin has what the host has");
        let is_live = status == Status::Live;
        assert!(self.is_up || !is_live, "nobody is live whose link is down");
        // An owner in Python that has started again has other states at the same numbers: links tell.
        if rules.is_exact() && (is_live || rules.kind != Kind::Python) {
            let epoch = self.reader.epoch();
            let truth = owners.iter().find_map(|owner| owner.at(epoch, number));
            let truth =
                truth.unwrap_or_else(|| panic!("{status:?}: no owner with the replyer ever was at {number}"));
            assert!(
                equals(copy, truth),
                "{status:?} at {number}: {:?}, the owner had {truth:?}",
                model_of(copy)
            );
            seen.checked_live += u64::from(is_live);
        }
    }

    /// What must hold once the network has been good for long enough.
    pub(crate) fn check_converged(&self, owner: &Owning) {
        let copy = self.reader.copy().expect("there is a copy");
        assert_eq!((self.reader.status(), self.reader.number()), (Status::Live, Some(owner.number)));
        assert!(equals(copy, &owner.model), "{:?}, the owner has {:?}", model_of(copy), owner.model);
    }
}
