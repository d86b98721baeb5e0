//! What a service can ask of the runtime, from any thread.

mod asked;
mod commands;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use service_framework_core::Failure;
use service_framework_core::declaration::Hook;
use service_framework_core::failure::code;
use service_framework_core::plugin::host::{Host, Operation, Spawned};
use service_framework_core::plugin::{Level as PluginLevel, Outgoing, Record, Target};
use service_framework_core::wire::{Encoding, Peer};
use service_framework_core::wiring::Wired;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use self::asked::{Asked, Requests, Wanted};
use self::commands::Command;
pub(crate) use self::commands::Commands;
use crate::background;
use crate::control::{Control, Stop};
use crate::counters::Counters;
use crate::local::Local;
use crate::log::{Level, Recorder};
use crate::outgoing::{self, OwnedOutgoing};
use crate::plan::Plan;
use crate::states::{Owned, State};

thread_local! {
    /// The service of this thread.
    static HERE: RefCell<Option<Home>> = const { RefCell::new(None) };
    /// Whether this thread runs something that is waited for whatever it asks.
    static IS_WAITED_FOR: Cell<bool> = const { Cell::new(false) };
}

/// What a service has on its own thread.
struct Home {
    /// The host that it knows.
    host: Arc<ServiceHost>,
    local: Rc<Local>,
    requests: Rc<Requests>,
}

/// How many things other threads may have asked for and the service's thread not begun.
const COMMANDS: usize = 10_000;

/// The host of one service.
#[derive(Debug)]
pub(crate) struct ServiceHost {
    connections: Vec<Wired>,
    states: Vec<OwnState>,
    declaration: service_framework_core::declaration::Declaration,
    counters: Arc<Counters>,
    commands: mpsc::Sender<Command>,
    wanted: mpsc::UnboundedSender<Wanted>,
    control: std::sync::Weak<Control>,
    stopping: watch::Receiver<Stop>,
    recorder: Recorder,
    runtime: Handle,
    /// Whether `main` has ever asked when it is to stop; it is then waited for.
    main_heeds_stop: AtomicBool,
}

/// A state, as far as the service publishes it.
#[derive(Debug)]
struct OwnState {
    name: String,
    peer: Peer,
    owned: Owned,
    /// Whether the service's thread has been asked to send what was published.
    is_flush_due: Arc<AtomicBool>,
}

/// Runs, on a thread that is not the service's, what is waited for whatever it asks: a blocking handler.
pub(crate) fn waited_for<T>(step: impl FnOnce() -> T) -> T {
    let before = IS_WAITED_FOR.replace(true);
    let done = step();
    IS_WAITED_FOR.set(before);
    done
}

/// While it is there, this thread is the service's.
pub(crate) struct Here;

impl Drop for Here {
    fn drop(&mut self) {
        // What waits for a request, on whichever thread, keeps nothing of the service.
        let home = HERE.take();
        if let Some(home) = home {
            home.requests.clear();
        }
    }
}

impl ServiceHost {
    pub(crate) fn new(
        plan: &Plan,
        control: &Arc<Control>,
        counters: &Arc<Counters>,
        recorder: Recorder,
    ) -> (Arc<Self>, Commands) {
        let (commands, commanded) = mpsc::channel(COMMANDS);
        let (want, wanted) = mpsc::unbounded_channel();
        let states = plan.wiring.states.iter().map(|wired| OwnState {
            name: wired.name.clone(),
            peer: wired.updates.settings.peer,
            owned: Owned::new(wired),
            is_flush_due: Arc::default(),
        });
        let host = Self {
            states: states.collect(),
            connections: plan.wiring.connections.clone(),
            declaration: plan.declaration.clone(),
            counters: Arc::clone(counters),
            commands,
            wanted: want,
            control: Arc::downgrade(control),
            stopping: control.stopping(),
            recorder,
            runtime: Handle::current(),
            main_heeds_stop: AtomicBool::new(false),
        };
        (Arc::new(host), Commands { commands: commanded, wanted, counters: Arc::clone(counters) })
    }

    /// Makes this thread the service's, so that what it asks for here is done without a detour.
    pub(crate) fn enter(self: &Arc<Self>, local: &Rc<Local>) -> Here {
        let (host, local) = (Arc::clone(self), Rc::clone(local));
        HERE.set(Some(Home { host, local, requests: Rc::default() }));
        Here
    }

    /// Looks at what the service has on its own thread, if this is that.
    fn at_home<T>(&self, look: impl FnOnce(&Home) -> T) -> Option<T> {
        // What a plugin keeps for its thread may end when this is gone already.
        let looked = HERE.try_with(|here| {
            let here = here.borrow();
            here.as_ref().filter(|home| std::ptr::eq(Arc::as_ptr(&home.host), self)).map(look)
        });
        looked.ok().flatten()
    }

    /// The service's own state, if this is its thread.
    fn here(&self) -> Option<Rc<Local>> {
        self.at_home(|home| Rc::clone(&home.local))
    }

    /// The requests that were begun, if this is the service's thread.
    fn requests(&self) -> Option<Rc<Requests>> {
        self.at_home(|home| Rc::clone(&home.requests))
    }

    /// Asks for the outcome of a request that was begun, from another thread.
    fn want(&self, wanted: Wanted) {
        // A service that has stopped has given up all of them.
        _ = self.wanted.send(wanted);
    }

    /// Waits until everything that other threads have asked for is begun.
    pub(crate) async fn flush(&self) {
        let (done, begun) = oneshot::channel();
        if self.commands.send(Command::Flush(done)).await.is_ok() {
            _ = begun.await;
        }
    }

    /// Whether `main` looks whether it is to stop.
    pub(crate) fn main_heeds_stop(&self) -> bool {
        self.main_heeds_stop.load(Ordering::Relaxed)
    }

    /// Puts a question whether the service is to stop down to whoever asks: `main`, or a piece of background work. All else is
    /// waited for anyway.
    fn note_who_asks(&self) {
        let is_main = match self.here() {
            Some(local) => {
                local.background().heeds_stop();
                local.watched().is_at(Target::Hook(Hook::Main))
            }
            // A thread of the service's own: `main` is taken to be behind it.
            None => !IS_WAITED_FOR.get(),
        };
        if is_main {
            self.main_heeds_stop.store(true, Ordering::Relaxed);
        }
    }

    /// What it publishes of its states, in the order in which they are declared.
    pub(crate) fn owned(&self) -> impl Iterator<Item = &Owned> {
        self.states.iter().map(|state| &state.owned)
    }

    /// Publishes a state, by its position among the states.
    fn publish_state(&self, position: usize, message: Outgoing<'_>) -> Result<(), Failure> {
        let state =
            self.states.get(position).ok_or_else(|| outgoing::unknown(self.connections.len() + position))?;
        let model = self.declaration.states.get(position).filter(|_| !self.declaration.checks_messages);
        state.owned.publish(&state.name, model, message)?;
        match self.here() {
            Some(local) => local.states().get(position).into_iter().for_each(State::flush),
            // Once is enough: all that was published by then is sent.
            None if state.is_flush_due.swap(true, Ordering::AcqRel) => {}
            None => self.want(Wanted::Flush(position, Arc::clone(&state.is_flush_due))),
        }
        Ok(())
    }

    /// Publishes from another thread, which is told at once if it may not.
    fn publish_from_outside(&self, message: Outgoing<'_>) -> Result<(), Failure> {
        let number = message.connection as usize;
        let wired = self.connections.get(number).ok_or_else(|| outgoing::unknown(number))?;
        let model = outgoing::unchecked(&self.declaration, number);
        let frame = outgoing::publication(&wired.name, wired.kind, &wired.settings, model, message)
            .inspect_err(|failure| self.counters.of(number).refuse_for(failure.code()))?;
        self.command(Command::Publish { number, frame })
    }

    fn command(&self, command: Command) -> Result<(), Failure> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Failure::new(code::BUSY, "the service's thread does not keep up")
            }
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })
    }
}

fn stopped() -> Failure {
    Failure::new(code::STOPPING, "the service has stopped")
}

impl Host for ServiceHost {
    fn encoding(&self, connection: u32) -> (Encoding, Peer) {
        let number = connection as usize;
        if let Some(wired) = self.connections.get(number) {
            return (wired.settings.encoding, wired.settings.peer);
        }
        let state = self.states.get(number - self.connections.len());
        state.map(|state| (Encoding::MessagePack, state.peer)).unwrap_or_default()
    }

    fn request(&self, message: Outgoing<'_>) -> Operation {
        let home =
            self.at_home(|home| (Arc::clone(&home.host), Rc::clone(&home.local), Rc::clone(&home.requests)));
        if let Some((host, local, requests)) = home {
            return Box::pin(Asked::new(host, &requests, outgoing::request(&local, message, Duration::ZERO)));
        }
        let (answer, answered) = oneshot::channel();
        let asked = self.command(Command::Request(OwnedOutgoing::new(message), answer));
        Box::pin(async move {
            asked?;
            answered.await.unwrap_or_else(|_| Err(stopped()))
        })
    }

    fn publish(&self, message: Outgoing<'_>) -> Result<(), Failure> {
        if let Some(position) = (message.connection as usize).checked_sub(self.connections.len()) {
            return self.publish_state(position, message);
        }
        match self.here() {
            Some(local) => outgoing::publish(&local, message),
            None => self.publish_from_outside(message),
        }
    }

    fn sleep(&self, duration: Duration) -> Operation {
        let _timers = self.runtime.enter();
        let sleep = tokio::time::sleep(duration);
        Box::pin(async move {
            sleep.await;
            Ok(Bytes::new())
        })
    }

    fn stopping(&self) -> Operation {
        self.note_who_asks();
        let mut stopping = self.stopping.clone();
        Box::pin(async move {
            // A sender that is gone has stopped.
            _ = stopping.wait_for(|stop| *stop != Stop::No).await;
            Ok(Bytes::new())
        })
    }

    fn stop(&self) {
        if let Some(control) = self.control.upgrade() {
            control.stop();
        }
    }

    fn spawn(&self, future: Spawned) {
        if let Some(local) = self.here() {
            return background::begin(&local, future);
        }
        if let Err(failure) = self.command(Command::Spawn(future)) {
            self.recorder.record(
                Level::Error,
                "service_framework",
                &format!("cannot begin work: {failure}"),
                None,
            );
        }
    }

    fn log_level(&self) -> Option<PluginLevel> {
        PLUGIN_LEVELS.iter().rev().find(|(level, _)| self.recorder.enabled(*level)).map(|(_, level)| *level)
    }

    fn log(&self, record: Record<'_>) {
        let level = PLUGIN_LEVELS
            .iter()
            .find(|(_, level)| *level == record.level)
            .map_or(Level::Info, |(level, _)| *level);
        self.recorder.record(level, record.target, record.message, record.workflow_id);
    }
}

const PLUGIN_LEVELS: [(Level, PluginLevel); 5] = [
    (Level::Error, PluginLevel::Error),
    (Level::Warn, PluginLevel::Warn),
    (Level::Info, PluginLevel::Info),
    (Level::Debug, PluginLevel::Debug),
    (Level::Trace, PluginLevel::Trace),
];
