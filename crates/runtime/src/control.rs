//! What others hold of a service, from its start to its end: they stop it, read it, and wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use service_framework_core::address::Address;
use service_framework_core::declaration::Hook;
use tokio::sync::watch;

use crate::counters::{Counters, ServiceCounters};
use crate::error::{Ended, Error};
use crate::log::{Level, Recorder};
use crate::watchdog::Watched;

/// How long code of the author's may hold the thread of a service beyond the time that it has to end.
const GRACE: Duration = Duration::from_secs(2);

/// How long the log is given to say that a service was given up.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a service stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It does not.
    No,
    /// Somebody asked.
    Asked,
    /// A signal came.
    Signal(Hook),
}

/// What others hold of a service. It is there before the service is, so that a stop finds it at any time.
#[derive(Debug)]
pub(crate) struct Control {
    stop: watch::Sender<Stop>,
    life: Mutex<Life>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Life {
    /// Since when it is to stop.
    asked: Option<Instant>,
    /// Once its sockets are open.
    up: Option<Arc<Up>>,
    /// Whether `init` is done.
    is_ready: bool,
    /// How it ended, once it has or was given up.
    ended: Option<Result<Ended, Error>>,
    is_given_up: bool,
}

/// A service whose sockets are open, as other threads see it.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) service: String,
    pub(crate) endpoints: BTreeMap<String, Address>,
    pub(crate) drain: Duration,
    pub(crate) counters: Arc<Counters>,
    pub(crate) recorder: Recorder,
    pub(crate) watched: Arc<Watched>,
}

impl Control {
    pub(crate) fn new() -> Self {
        Self { stop: watch::Sender::new(Stop::No), life: Mutex::default(), changed: Condvar::new() }
    }

    /// Stops the service. The first reason counts.
    pub(crate) fn stop(&self) {
        self.stop_for(Stop::Asked);
    }

    pub(crate) fn stop_for(&self, reason: Stop) {
        self.change(|life| _ = life.asked.get_or_insert_with(Instant::now));
        self.stop.send_if_modified(|stop| {
            let is_first = *stop == Stop::No;
            if is_first {
                *stop = reason;
            }
            is_first
        });
    }

    /// Tells those on the service's thread when it is to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<Stop> {
        self.stop.subscribe()
    }

    /// Why it is to stop, if it is.
    pub(crate) fn reason(&self) -> Stop {
        *self.stop.borrow()
    }

    /// Waits until it is to stop.
    pub(crate) async fn asked(&self) {
        // The sender is this one's own, so that it is there.
        _ = self.stopping().wait_for(|stop| *stop != Stop::No).await;
    }

    /// The sockets are open.
    pub(crate) fn opened(&self, up: Up) {
        self.change(|life| life.up = Some(Arc::new(up)));
    }

    /// `init` is done.
    pub(crate) fn ready(&self) {
        self.change(|life| life.is_ready = true);
    }

    /// The thread of the service ends.
    pub(crate) fn end(&self, ended: Result<Ended, Error>) {
        self.change(|life| _ = life.ended.get_or_insert(ended));
    }

    fn change(&self, change: impl FnOnce(&mut Life)) {
        change(&mut self.life.lock());
        self.changed.notify_all();
    }

    /// What there is to know once the sockets are open.
    pub(crate) fn up(&self) -> Option<Arc<Up>> {
        self.life.lock().up.clone()
    }

    pub(crate) fn counters(&self) -> ServiceCounters {
        self.up().map(|up| up.counters()).unwrap_or_default()
    }

    /// Whether `init` was done, though the service may have ended since.
    pub(crate) fn is_ready(&self) -> bool {
        self.life.lock().is_ready
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&self) -> Option<Result<Ended, Error>> {
        self.life.lock().ended.clone()
    }

    /// Whether its thread goes on though nobody waits for it any more.
    pub(crate) fn was_given_up(&self) -> bool {
        self.life.lock().is_given_up
    }

    /// Waits until `init` is done, or the service has ended before.
    pub(crate) fn wait_until_ready(&self) {
        self.wait_until(|life| life.is_ready);
    }

    /// Waits until the service has ended.
    ///
    /// Once it is to stop, that takes no longer than its work is given, unless code of the author's holds the thread. Nobody can end that, so
    /// that the service is then given up: its thread goes on alone, and ends when it can.
    pub(crate) fn wait(&self) -> Result<Ended, Error> {
        self.wait_until(|_| false);
        self.ended().expect("it was waited for")
    }

    fn wait_until(&self, is_enough: impl Fn(&Life) -> bool) {
        let mut life = self.life.lock();
        // What held the thread when its time was over, and when that was seen.
        let mut looked: Option<(Option<u64>, Instant)> = None;
        while life.ended.is_none() && !is_enough(&life) {
            let Some(asked) = life.asked else {
                self.changed.wait(&mut life);
                continue;
            };
            let over = asked + life.up.as_ref().map_or(Duration::ZERO, |up| up.drain);
            let due = looked.map_or(over, |(_, at)| over.max(at + GRACE));
            if !self.changed.wait_until(&mut life, due).timed_out() {
                continue;
            }
            let holds = life.holds();
            if holds.is_some() && looked.is_some_and(|(held, _)| held == holds) {
                return give_up(life);
            }
            looked = Some((holds, Instant::now()));
        }
    }
}

/// Ends the wait for a thread that the author's code does not let go.
fn give_up(mut life: MutexGuard<'_, Life>) {
    let up = life.up.clone();
    let holder = up.as_ref().map_or("start-up".to_owned(), |up| up.watched.name());
    let text = format!("the service is given up: `{holder}` does not let go of its thread");
    life.ended = Some(Ok(Ended { not_drained: vec![holder] }));
    life.is_given_up = true;
    drop(life);
    if let Some(up) = up {
        up.recorder.record(Level::Error, crate::LOG, &text, None);
        // The log belongs to the thread that is stuck.
        _ = up.recorder.flush(LAST_WORDS);
    }
}

impl Life {
    /// What of the author's holds the thread, by a number that is not given twice.
    fn holds(&self) -> Option<u64> {
        // All that comes before the sockets are open is one.
        self.up.as_ref().map_or(Some(0), |up| up.watched.step())
    }
}

impl Up {
    fn counters(&self) -> ServiceCounters {
        let lost = self.recorder.dropped();
        let (connections, states) = self.counters.read();
        ServiceCounters { connections, states, log_lines_lost: (lost.console, lost.file) }
    }
}
