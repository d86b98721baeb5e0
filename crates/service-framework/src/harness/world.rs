//! The host that a service under test sees: what it asks for is put down here, from any thread, until the driver gets to it.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::thread::ThreadId;
use std::time::Duration;

use service_framework_core::declaration::ConnectionKind;
use service_framework_core::failure::code;
use service_framework_core::plugin::host::Spawned;
use service_framework_core::plugin::{Level, Outgoing};
use service_framework_core::wire::{self, Encoding, Limits};
use service_framework_core::workflow::WorkflowId;

use super::clock::{Clock, Due};
use super::operation::{CallWaker, Ongoing, Waiting, What};
use super::ports::Sent;
use super::threads;
use crate::{Error, Map};

/// What something ends with: encoded return arguments.
pub(super) type Outcome = Result<Vec<u8>, Error>;

/// A record that the service wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log {
    /// How urgent it is.
    pub level: Level,
    /// The module that it comes from.
    pub target: String,
    /// Its text, fields included.
    pub message: String,
    /// The workflow of the handler that wrote it.
    pub workflow_id: Option<String>,
}

/// What the world knows of a connection.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) kind: ConnectionKind,
    pub(super) settings: Map,
}

/// What the service asks of its host, and what the driver does about it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) lines: Vec<Line>,
    /// The thread of the test, which is the service's.
    pub(super) thread: ThreadId,
    pub(super) log_level: AtomicU32,
    state: Mutex<State>,
    changed: Condvar,
    this: Weak<Self>,
}

/// What changes. Never locked while anything of the service's runs, wakers included.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) operations: BTreeMap<u64, Waiting>,
    next: u64,
    /// Requests that the driver has not seen.
    pub(super) asked: VecDeque<Asked>,
    pub(super) spawned: VecDeque<Spawned>,
    /// Requests that the service gave up.
    pub(super) given_up: VecDeque<u64>,
    /// Calls to poll.
    pub(super) woken: VecDeque<u64>,
    pub(super) threads: threads::Running,
    /// The call that is polled now.
    pub(super) current: Option<(u64, Arc<CallWaker>)>,
    pub(super) is_stopping: bool,
    /// The calls that have asked to be told of a stop; `None` is for threads of the service's own, behind which `main` is taken to be.
    pub(super) heeds_stop: HashSet<Option<u64>>,
    /// The service is gone: nothing that it left waits any more.
    pub(super) is_closed: bool,
    sent: Vec<Sent>,
    pub(super) logs: Vec<Log>,
    /// Counts what happens, so that a sleeper sees whether anything did.
    happened: u64,
}

/// A request of the service's.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) operation: u64,
    pub(super) number: usize,
    pub(super) args: Vec<u8>,
    pub(super) encoding: Encoding,
    pub(super) workflow_id: WorkflowId<'static>,
    /// The end of its deadline.
    pub(super) until: Option<Duration>,
}

impl World {
    pub(super) fn new(lines: Vec<Line>) -> Arc<Self> {
        let state = State {
            clock: Clock::new(),
            operations: BTreeMap::new(),
            next: 0,
            asked: VecDeque::new(),
            spawned: VecDeque::new(),
            given_up: VecDeque::new(),
            woken: VecDeque::new(),
            threads: threads::Running::default(),
            current: None,
            is_stopping: false,
            heeds_stop: HashSet::new(),
            is_closed: false,
            sent: Vec::new(),
            logs: Vec::new(),
            happened: 0,
        };
        Arc::new_cyclic(|this| Self {
            lines,
            thread: std::thread::current().id(),
            log_level: AtomicU32::new(Level::Trace as u32),
            state: Mutex::new(state),
            changed: Condvar::new(),
            this: Weak::clone(this),
        })
    }

    pub(super) fn line(&self, number: usize) -> &Line {
        &self.lines[number]
    }

    /// Looks at the state.
    pub(super) fn look(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes the driver if it sleeps.
    pub(super) fn change<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.look();
        state.happened += 1;
        let result = step(&mut state);
        drop(state);
        self.changed.notify_all();
        result
    }

    /// Sleeps until something happens that had not when `seen` was counted; `false` if nothing did in that time.
    pub(super) fn wait(&self, seen: u64, at_most: Duration) -> bool {
        let nothing = |state: &mut State| state.happened == seen;
        let waited = self.changed.wait_timeout_while(self.look(), at_most, nothing);
        let (_state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.look().clock.elapsed()
    }

    pub(super) fn use_real_time(&self) {
        self.change(|state| state.clock.run());
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.look().is_stopping
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.look().sent.clone()
    }

    pub(super) fn logs(&self) -> Vec<Log> {
        self.look().logs.clone()
    }

    pub(super) fn set_log_level(&self, level: Option<Level>) {
        self.log_level.store(level.map_or(0, |level| level as u32), Ordering::Relaxed);
    }

    /// A waker for a call of the driver's.
    pub(super) fn waker(&self, call: u64) -> Arc<CallWaker> {
        CallWaker::new(call, Weak::clone(&self.this))
    }

    /// Runs a step of a call on the service's thread; what it asks for is the call's.
    pub(super) fn run<T>(&self, call: u64, waker: &Arc<CallWaker>, step: impl FnOnce() -> T) -> T {
        waker.is_polled();
        self.look().current = Some((call, Arc::clone(waker)));
        let result = step();
        self.look().current = None;
        result
    }

    /// Ends an operation, if it is still waited for.
    pub(super) fn end(&self, operation: u64, outcome: Outcome) {
        let waker = self.change(|state| state.end(operation, outcome));
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ends an operation whose time has come.
    pub(super) fn end_in_time(&self, operation: u64) {
        let what = self.look().operations.get(&operation).map(|waiting| waiting.what.clone());
        let outcome = match what {
            Some(What::Reply(number, within)) => {
                let name = &self.line(number).name;
                let within = within.unwrap_or_default();
                Err(Error::new(code::DEADLINE, format!("no reply of `{name}` within {within:?}")))
            }
            _ => Ok(Vec::new()),
        };
        self.end(operation, outcome);
    }

    /// The service is gone. Threads and contexts that outlive it get nothing more.
    pub(super) fn close(&self) {
        let (wakers, spawned) = self.change(|state| {
            state.is_closed = true;
            state.is_stopping = true;
            state.asked.clear();
            let operations = state.operations.keys().copied().collect::<Vec<_>>();
            let wakers =
                operations.into_iter().filter_map(|id| state.end(id, Err(gone()))).collect::<Vec<_>>();
            (wakers, std::mem::take(&mut state.spawned))
        });
        drop(spawned);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Starts to wait for something.
    pub(super) fn operation(&self, what: What, until: Option<Duration>) -> Ongoing {
        let owner = self.owner();
        let id = self.change(|state| {
            let outcome = match what {
                _ if state.is_closed => Some(Err(gone())),
                What::Stop if state.is_stopping => Some(Ok(Vec::new())),
                _ => None,
            };
            state.next += 1;
            let waiting = Waiting { what, owner, waker: None, woken: None, outcome };
            state.operations.insert(state.next, waiting);
            if let Some(until) = until {
                state.clock.set(until, Due::Operation(state.next));
            }
            state.next
        });
        Ongoing { id, world: self.this.upgrade().expect("whoever calls holds the world") }
    }

    /// The call in which the calling thread is.
    pub(super) fn owner(&self) -> Option<u64> {
        if std::thread::current().id() == self.thread {
            return self.look().current.as_ref().map(|(call, _)| *call);
        }
        threads::call_of_this_thread()
    }

    pub(super) fn record(&self, message: &Outgoing<'_>) -> (usize, WorkflowId<'static>) {
        let number = message.connection as usize;
        let line = self.line(number);
        let workflow_id = message.workflow_id.clone().map_or_else(WorkflowId::new, WorkflowId::into_owned);
        let args = wire::decode(message.args, message.encoding, &Limits::default()).unwrap_or_default();
        let topic = message.topic.map(str::to_owned);
        let topic = topic.or_else(|| line.settings.get("topic")?.as_text().map(str::to_owned));
        let id = workflow_id.as_str().to_owned();
        self.change(|state| {
            let at = state.clock.elapsed();
            state.sent.push(Sent { number, args, topic, workflow_id: id, at });
        });
        (number, workflow_id)
    }
}

pub(super) fn gone() -> Error {
    Error::new(code::STOPPING, "the service is gone")
}

impl State {
    pub(super) fn happened(&self) -> u64 {
        self.happened
    }

    /// Whether there is something to do without time passing.
    pub(super) fn has_work(&self) -> bool {
        let is_due = self.clock.next().is_some_and(|at| at <= self.clock.now());
        is_due
            || !self.asked.is_empty()
            || !self.spawned.is_empty()
            || !self.given_up.is_empty()
            || !self.woken.is_empty()
            || self.threads.has_ended()
    }

    pub(super) fn end(&mut self, operation: u64, outcome: Outcome) -> Option<Waker> {
        let waiting = self.operations.get_mut(&operation)?;
        if waiting.outcome.is_some() {
            return None;
        }
        waiting.outcome = Some(outcome);
        waiting.woken = None;
        let waker = waiting.waker.take();
        self.clock.forget(|due| matches!(due, Due::Operation(id) if *id == operation));
        waker
    }

    /// What a call waits for, as far as the harness knows.
    pub(super) fn waited_for(&self, call: u64) -> Vec<What> {
        let waits = |waiting: &&Waiting| waiting.owner == Some(call) && waiting.outcome.is_none();
        self.operations.values().filter(waits).map(|waiting| waiting.what.clone()).collect()
    }

    /// How many wakers of a call the operations hold.
    pub(super) fn wakers_held(&self, call: u64) -> usize {
        self.operations.values().filter(|waiting| waiting.woken == Some(call)).count()
    }
}
