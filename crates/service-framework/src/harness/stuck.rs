//! Goes on until something has happened, and says what is waited for if it never will.

use std::sync::Arc;
use std::time::{Duration, Instant};

use service_framework_core::failure::code;

use super::call::{Purpose, Stage};
use super::driver::Driver;
use super::operation::What;
use super::world::State;
use crate::{Error, Result};

/// How often the clock may be moved before somebody is said to go on for ever.
const MAX_MOVES: u32 = 100_000;
/// How much may be done in between.
const MAX_TURNS: u32 = 1_000_000;

/// Why the driver cannot go on.
pub(super) enum Stuck {
    /// Nothing will ever happen.
    Nothing,
    /// Nothing happened for as long as there was patience.
    Impatient(Duration),
    /// Too much happened.
    Endless(String),
}

/// What to do when everything is done that can be without time passing.
enum Next {
    Work,
    /// Sleep until something happens, for that long at most.
    Wait(u64, Duration),
    /// The same, and then the clock has come where it should.
    WaitForClock(u64, Duration),
    Move(Duration),
    Done(Duration),
    Stuck,
}

impl Driver {
    /// Goes on until `is_done`, or until the clock shows `until`.
    pub(super) fn go_on(&self, is_done: impl Fn() -> bool, until: Option<Duration>) -> Result<(), Stuck> {
        let began = Instant::now();
        let (mut moves, mut turns) = (0, 0);
        loop {
            while self.turn() {
                turns += 1;
                if turns > MAX_TURNS {
                    return Err(Stuck::Endless(format!("{MAX_TURNS} steps in no time")));
                }
            }
            if is_done() {
                return Ok(());
            }
            let patience = self.patience.get();
            match self.next(until) {
                Next::Work => {}
                Next::Wait(seen, at_most) => {
                    if !self.world.wait(seen, at_most) {
                        return Err(Stuck::Impatient(patience));
                    }
                }
                Next::WaitForClock(seen, at_most) => {
                    if until.is_none() && began.elapsed() > patience {
                        return Err(Stuck::Impatient(patience));
                    }
                    self.world.wait(seen, at_most);
                }
                Next::Move(at) => {
                    (moves, turns) = (moves + 1, 0);
                    if moves > MAX_MOVES {
                        return Err(Stuck::Endless(format!("{MAX_MOVES} waits")));
                    }
                    self.world.change(|state| state.clock.move_to(at));
                }
                Next::Done(at) => {
                    self.world.change(|state| state.clock.move_to(at));
                    return Ok(());
                }
                Next::Stuck => return Err(Stuck::Nothing),
            }
        }
    }

    fn next(&self, until: Option<Duration>) -> Next {
        let patience = self.patience.get();
        let state = self.world.look();
        if state.has_work() {
            return Next::Work;
        }
        let (seen, now) = (state.happened(), state.clock.now());
        if !state.threads.busy().is_empty() && !state.clock.is_running() {
            return Next::Wait(seen, patience);
        }
        let next = state.clock.next().filter(|at| until.is_none_or(|until| *at <= until));
        match (next.or(until), state.clock.is_running()) {
            (Some(at), true) if at > now => Next::WaitForClock(seen, at - now),
            (Some(at), false) if next.is_some() => Next::Move(at),
            (Some(at), _) => Next::Done(at),
            (None, true) => Next::Wait(seen, patience),
            (None, false) if self.is_waiting_outside(&state) => Next::Wait(seen, patience),
            (None, false) => Next::Stuck,
        }
    }

    /// Whether somebody whom the harness does not know may wake a call.
    fn is_waiting_outside(&self, state: &State) -> bool {
        self.calls.borrow().iter().any(|(id, call)| match &call.stage {
            // One is the call's own.
            Stage::Waits(_, waker) => Arc::strong_count(waker) > 1 + state.wakers_held(*id),
            _ => false,
        })
    }

    /// Why a call does not end.
    pub(super) fn explain(&self, call: u64, stuck: &Stuck) -> Error {
        let name = self.calls.borrow().get(&call).map(|call| call.name.clone()).unwrap_or_default();
        let why = self.why(call);
        Error::msg(match stuck {
            Stuck::Nothing => format!("`{name}` waits for ever: {why}"),
            Stuck::Impatient(patience) => format!("`{name}` has not ended for {patience:?}: {why}"),
            Stuck::Endless(much) => format!("`{name}` goes on for ever ({much}): {why}"),
        })
    }

    /// Why time cannot pass.
    pub(super) fn explain_all(&self, stuck: &Stuck) -> Error {
        let busy = self.world.look().threads.busy();
        Error::msg(match stuck {
            Stuck::Endless(much) => format!("the service goes on for ever ({much})"),
            Stuck::Nothing | Stuck::Impatient(_) => {
                let patience = self.patience.get();
                let why = busy
                    .first()
                    .map_or("it waits".into(), |call| format!("{}: {}", self.named(*call), self.why(*call)));
                format!("the service has not come to rest for {patience:?}: {why}")
            }
        })
    }

    /// Why `stop` found work left; nothing if there is none.
    pub(super) fn explain_drain(&self, drained: Result<(), Stuck>, left: Vec<u64>) -> Result<()> {
        if left.is_empty() {
            return Ok(());
        }
        let left = left.into_iter().map(|call| format!("{}: {}", self.named(call), self.why(call)));
        let left = left.collect::<Vec<_>>().join("; ");
        let much = match drained {
            Err(Stuck::Endless(much)) => format!(" after {much}"),
            _ => String::new(),
        };
        Err(Error::new(code::STOPPING, format!("not ended when the service stopped{much}: {left}")))
    }

    fn named(&self, call: u64) -> String {
        self.calls.borrow().get(&call).map_or("a handler".into(), |call| format!("`{}`", call.name))
    }

    fn why(&self, id: u64) -> String {
        let calls = self.calls.borrow();
        let Some(call) = calls.get(&id) else { return "it has ended".into() };
        let known = self.world.look().waited_for(id);
        let is_busy = self.world.look().threads.busy().contains(&id);
        match &call.stage {
            Stage::InLine => format!("it is behind another message of `{}`", call.name),
            Stage::AtGate => {
                let runs = |call: &&super::call::Call| {
                    call.ticket.is_some() && matches!(call.stage, Stage::Waits(..) | Stage::OnThread(_))
                };
                let running = calls.values().filter(runs).map(|call| format!("`{}`", call.name));
                format!("it is not its turn while {} runs", running.collect::<Vec<_>>().join(" and "))
            }
            Stage::OnThread(_) if is_busy => "its thread runs".into(),
            _ if known.is_empty() => {
                let states = match &self.not_live()[..] {
                    [] => String::new(),
                    behind => {
                        format!(
                            ", or for a copy to be live (`{}`): `harness.set_state(..)`",
                            behind.join("`, `")
                        )
                    }
                };
                format!("it waits for something outside of the harness{states}")
            }
            _ => {
                let known = known.iter().map(|what| self.describe(what));
                format!("it waits for {}", known.collect::<Vec<_>>().join(" or "))
            }
        }
    }

    fn describe(&self, what: &What) -> String {
        match what {
            What::Sleep(duration) => format!("{duration:?} to pass"),
            What::Reply(number, _) => {
                let line = self.world.line(*number);
                let target = |call: &super::call::Call| {
                    call.name == line.name && matches!(call.purpose, Purpose::Operation(_))
                };
                let call = self.calls.borrow().iter().find(|(_, call)| target(call)).map(|(id, _)| *id);
                let inner = call.map_or(String::new(), |call| format!(" ({})", self.why(call)));
                format!("the answer of `{}`{inner}", line.name)
            }
            What::Stop => "the service to stop".into(),
        }
    }
}
