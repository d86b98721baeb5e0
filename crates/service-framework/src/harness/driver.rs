//! Drives a service under test: begins handlers, polls them, ends them, and moves the clock when nothing else can go on.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use service_framework_core::declaration::{Declaration, Hook, Run};
use service_framework_core::failure::code;
use service_framework_core::gate::Gate;
use service_framework_core::plugin::host::{Host as _, Instance, Plugin, Started};
use service_framework_core::plugin::{Level, Record, Target};

use super::call::{Begin, Call, Purpose, Stage, Work};
use super::clock::Due;
use super::ports::Ports;
use super::states::Copy;
use super::world::{Outcome, World};
use super::{setup, threads};
use crate::{Error, Map, Result, Value};

/// How many handlers there may be at once, as in the runtime.
pub(super) const IN_FLIGHT: usize = 1024;
/// How long `stop` waits, by the service's time.
const DRAIN: Duration = Duration::from_secs(30);

/// A service and all that goes on in it. No cell is borrowed while anything of the service's or of the test's runs.
pub(super) struct Driver {
    pub(super) world: Arc<World>,
    plugin: Plugin,
    pub(super) declaration: Declaration,
    config: Value,
    ports: Ports,
    pub(super) calls: RefCell<BTreeMap<u64, Call>>,
    pub(super) next: Cell<u64>,
    pub(super) gate: RefCell<Gate>,
    /// Calls at the gate, by the numbers of their tickets.
    pub(super) at_gate: RefCell<HashMap<u64, u64>>,
    /// Per subscriber, the message in work and those behind it.
    pub(super) lines: RefCell<HashMap<usize, VecDeque<u64>>>,
    pub(super) admitted: RefCell<VecDeque<u64>>,
    outcomes: RefCell<HashMap<u64, Outcome>>,
    init: RefCell<Option<Result<()>>>,
    pub(super) patience: Cell<Duration>,
    /// `None` after a stop.
    pub(super) instance: RefCell<Option<Instance>>,
    /// What the test has made of the copies, by the positions of their states.
    pub(super) copies: RefCell<HashMap<usize, Copy>>,
}

impl Driver {
    pub(super) fn new(
        world: Arc<World>,
        plugin: Plugin,
        declaration: Declaration,
        config: Value,
        instance: Instance,
    ) -> Self {
        Self {
            world,
            plugin,
            declaration,
            config,
            ports: Ports::default(),
            calls: RefCell::default(),
            next: Cell::new(0),
            gate: RefCell::new(Gate::new(IN_FLIGHT)),
            at_gate: RefCell::default(),
            lines: RefCell::default(),
            admitted: RefCell::default(),
            outcomes: RefCell::default(),
            init: RefCell::new(None),
            patience: Cell::new(Duration::from_secs(30)),
            instance: RefCell::new(Some(instance)),
            copies: RefCell::default(),
        }
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    pub(super) fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(super) fn set_patience(&self, patience: Duration) {
        self.patience.set(patience);
    }

    pub(super) fn setup_addresses(&self, addresses: &Map) -> Result<Map> {
        setup::addresses(self.plugin, &self.declaration, &self.config, addresses)
    }

    /// Runs `init`, once.
    pub(super) fn init(&self) -> Result<()> {
        if let Some(outcome) = self.init.borrow().clone() {
            return outcome;
        }
        // What `init` itself leads to finds it done.
        *self.init.borrow_mut() = Some(Ok(()));
        let outcome = self.run_hook(Hook::Init).map_err(|failure| failure.while_doing("init"));
        *self.init.borrow_mut() = Some(outcome.clone());
        outcome
    }

    pub(super) fn run_hook_if_there(&self, hook: Hook) -> Result<()> {
        self.init()?;
        self.run_hook(hook)
    }

    fn run_hook(&self, hook: Hook) -> Result<()> {
        if self.declaration.hook(hook).is_none() {
            return Ok(());
        }
        let call = self.start_hook(hook)?;
        self.wait(call).map(|_| ())
    }

    /// Starts a hook of the instance's.
    pub(super) fn start_hook(&self, hook: Hook) -> Result<u64> {
        let run = self
            .declaration
            .hook(hook)
            .ok_or_else(|| Error::msg(format!("service `{}` has no `{hook}`", self.declaration.name)))?;
        let call = self.add(hook.name(), Begin::bare(Target::Hook(hook), run), Purpose::Test);
        match run {
            Run::Blocking => self.admitted.borrow_mut().push_back(call),
            Run::Inline | Run::Async => self.arrive(call, Gate::arrive_beside),
        }
        self.begin_admitted();
        Ok(call)
    }

    pub(super) fn begin_admitted(&self) {
        loop {
            let Some(id) = self.admitted.borrow_mut().pop_front() else { return };
            self.begin(id);
        }
    }

    /// Starts a handler, and runs it as far as it goes.
    fn begin(&self, id: u64) {
        // The call is out of the list while it runs.
        let Some(mut call) = self.calls.borrow_mut().remove(&id) else { return };
        let begun = match call.begin.run {
            Run::Blocking => self.begin_on_thread(id, &mut call),
            Run::Inline | Run::Async => self.begin_here(id, &call),
        };
        match begun {
            Ok(stage) => {
                call.stage = stage;
                self.calls.borrow_mut().insert(id, call);
            }
            Err(outcome) => {
                self.calls.borrow_mut().insert(id, call);
                self.finish(id, outcome);
            }
        }
    }

    fn begin_here(&self, id: u64, call: &Call) -> Result<Stage, Outcome> {
        let instance = self.instance.borrow();
        let instance = instance.as_ref().ok_or_else(|| Err(gone()))?;
        let waker = self.world.waker(id);
        let mut out = Vec::new();
        let lent = call.begin.lend();
        match self.world.run(id, &waker, || instance.start(&lent, &mut out)) {
            Started::Ready(outcome) => Err(outcome.map(|()| out)),
            Started::Pending(pending) => {
                self.world.change(|state| state.woken.push_back(id));
                Ok(Stage::Waits(Work::Handler(pending, out), waker))
            }
        }
    }

    fn begin_on_thread(&self, id: u64, call: &mut Call) -> Result<Stage, Outcome> {
        let instance = self.instance.borrow();
        let instance = instance.as_ref().ok_or_else(|| Err(gone()))?.for_blocking();
        let bare = Begin::bare(call.begin.target, Run::Blocking);
        let begin = std::mem::replace(&mut call.begin, bare);
        (call.begin.access, call.begin.until) = (begin.access, begin.until);
        let run = move || {
            let mut out = Vec::new();
            instance.run(&begin.lend(), &mut out).map(|()| out)
        };
        let thread = threads::start(&self.world, id, run);
        thread.map(Stage::OnThread).map_err(|error| Err(Error::from(error).while_doing("a thread")))
    }

    /// Ends a call, whatever it does, and lets those in that waited for it.
    pub(super) fn finish(&self, id: u64, outcome: Outcome) {
        let Some(mut call) = self.calls.borrow_mut().remove(&id) else { return };
        let ticket = call.ticket.take();
        self.world.change(|state| state.clock.forget(|due| matches!(due, Due::Call(call) if *call == id)));
        // The handler ends before its place is given to the next.
        let (name, purpose, target) = (call.name, call.purpose, call.begin.target);
        match call.stage {
            Stage::OnThread(thread) => thread.join().expect("a blocking handler that panics is caught"),
            stage => drop(stage),
        }
        if let Some(ticket) = ticket {
            self.at_gate.borrow_mut().remove(&ticket.number());
            let admitted = self.gate.borrow_mut().leave(ticket);
            for number in admitted {
                let started = self.at_gate.borrow_mut().remove(&number);
                let started = started.expect("whoever waits at the gate is on the list");
                if let Some(call) = self.calls.borrow_mut().get_mut(&started) {
                    call.stage = Stage::Admitted;
                }
                self.admitted.borrow_mut().push_back(started);
            }
        }
        if let Target::Connection(number) = target {
            self.next_in_line(number as usize, id);
        }
        self.tell(id, &name, purpose, outcome);
    }

    fn next_in_line(&self, number: usize, ended: u64) {
        let mut lines = self.lines.borrow_mut();
        let Some(line) = lines.get_mut(&number) else { return };
        let was_first = line.front() == Some(&ended);
        line.retain(|call| *call != ended);
        if let (true, Some(next)) = (was_first, line.front().copied()) {
            drop(lines);
            self.arrive(next, Gate::arrive_always);
        }
    }

    pub(super) fn tell(&self, id: u64, name: &str, purpose: Purpose, outcome: Outcome) {
        match (purpose, outcome) {
            (Purpose::Test, outcome) => _ = self.outcomes.borrow_mut().insert(id, outcome),
            (Purpose::Operation(operation), outcome) => self.world.end(operation, outcome),
            (Purpose::Log, Err(failure)) => {
                let message = format!("{name} ended: {failure}");
                let (level, target) = (Level::Error, "service_framework::harness");
                self.world.log(Record { level, target, message: &message, workflow_id: None });
            }
            (Purpose::Log | Purpose::Nobody, _) => {}
        }
    }

    pub(super) fn has_ended(&self, call: u64) -> bool {
        self.outcomes.borrow().contains_key(&call)
    }

    /// Waits for the outcome of a call.
    pub(super) fn wait(&self, call: u64) -> Outcome {
        self.go_on(|| self.has_ended(call), None).map_err(|stuck| self.explain(call, &stuck))?;
        let outcome = self.outcomes.borrow_mut().remove(&call);
        outcome.expect("it was there when the driver stopped")
    }

    /// Nobody will ask how a call ended.
    pub(super) fn forget(&self, call: u64) {
        self.outcomes.borrow_mut().remove(&call);
        if let Some(call) = self.calls.borrow_mut().get_mut(&call)
            && call.purpose == Purpose::Test
        {
            call.purpose = Purpose::Nobody;
        }
    }

    pub(super) fn advance(&self, duration: Duration) -> Result<()> {
        let until = self.world.now().saturating_add(duration);
        self.go_on(|| false, Some(until)).map_err(|stuck| self.explain_all(&stuck))
    }

    pub(super) fn ask_to_stop(&self) {
        self.world.stop();
    }

    pub(super) fn stop(&self) -> Result<()> {
        if self.instance.borrow().is_none() {
            return Ok(());
        }
        self.ask_to_stop();
        let until = self.world.now().saturating_add(DRAIN);
        self.cut_main();
        let drained = self.go_on(|| self.waited_for().is_empty(), Some(until));
        let outcome = self.explain_drain(drained, self.waited_for());
        self.end();
        outcome
    }

    /// Ends a `main` that never looks whether it is to stop; one that blocks a thread is left to it.
    fn cut_main(&self) {
        let is_cut = |(id, call): &(&u64, &Call)| {
            call.purpose != Purpose::Log
                && !matches!(call.stage, Stage::OnThread(_))
                && !self.ends_by_itself(**id, call)
        };
        let cut: Vec<u64> = self.calls.borrow().iter().filter(is_cut).map(|(id, _)| *id).collect();
        cut.into_iter().for_each(|id| self.finish(id, Err(gone())));
    }

    /// The calls that a stop waits for, as the runtime does: handlers, and of `main` and background work what has asked to be told of the stop.
    fn waited_for(&self) -> Vec<u64> {
        let calls = self.calls.borrow();
        calls.iter().filter(|(id, call)| self.ends_by_itself(**id, call)).map(|(id, _)| *id).collect()
    }

    fn ends_by_itself(&self, id: u64, call: &Call) -> bool {
        // Background work is `main`'s kind of call, too.
        if call.begin.target != Target::Hook(Hook::Main) {
            return true;
        }
        let heeds = &self.world.look().heeds_stop;
        heeds.contains(&Some(id)) || call.purpose != Purpose::Log && heeds.contains(&None)
    }

    /// Drops all that goes on, then the service.
    fn end(&self) {
        self.world.close();
        let calls = std::mem::take(&mut *self.calls.borrow_mut());
        for (id, call) in calls {
            let Call { name, purpose, stage, .. } = call;
            drop(stage);
            if purpose == Purpose::Test {
                self.tell(id, &name, purpose, Err(gone()));
            }
        }
        let instance = self.instance.borrow_mut().take();
        drop(instance);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.end();
    }
}

pub(super) fn gone() -> Error {
    Error::new(code::STOPPING, "the service has stopped")
}
