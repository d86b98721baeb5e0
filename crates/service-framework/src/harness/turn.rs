//! The steps of the driver that need no time: what was asked for is served, what was woken is polled, what is over is ended.

use std::task::Poll;
use std::time::Duration;

use service_framework_core::declaration::{ConnectionKind, Hook, Run};
use service_framework_core::failure::code;
use service_framework_core::plugin::Target;
use service_framework_core::plugin::host::Spawned;

use super::call::{Begin, Call, Purpose, Stage, Work};
use super::clock::Due;
use super::driver::{Driver, gone};
use super::ports::Answer;
use super::world::Asked;
use crate::Error;

impl Driver {
    /// Does one thing that can be done without time passing; `false` if there is none.
    pub(super) fn turn(&self) -> bool {
        let mut state = self.world.look();
        let ended = state.threads.take_ended();
        let (spawned, given_up) = (state.spawned.pop_front(), state.given_up.pop_front());
        let asked = state.asked.pop_front();
        let woken = if asked.is_none() { state.woken.pop_front() } else { None };
        let due = if asked.is_none() && woken.is_none() { state.clock.due() } else { None };
        drop(state);
        let did = !ended.is_empty() || spawned.is_some() || given_up.is_some();
        let did = did || asked.is_some() || woken.is_some() || due.is_some();
        ended.into_iter().for_each(|(id, outcome)| self.finish(id, outcome));
        if let Some(spawned) = spawned {
            self.begin_spawned(spawned);
        }
        if let Some(operation) = given_up {
            self.give_up(operation);
        }
        if let Some(asked) = asked {
            self.serve(asked);
        }
        if let Some(id) = woken {
            self.poll(id);
        }
        match due {
            Some(Due::Operation(operation)) => self.world.end_in_time(operation),
            Some(Due::Answer(operation, outcome)) => self.world.end(operation, outcome),
            Some(Due::Call(id)) => self.expire(id),
            None => {}
        }
        self.begin_admitted();
        did
    }

    fn begin_spawned(&self, spawned: Spawned) {
        let begin = Begin::bare(Target::Hook(Hook::Main), Run::Async);
        let id = self.add("background work", begin, Purpose::Log);
        let waker = self.world.waker(id);
        if let Some(call) = self.calls.borrow_mut().get_mut(&id) {
            call.stage = Stage::Waits(Work::Spawned(spawned), waker);
        }
        self.world.change(|state| state.woken.push_back(id));
    }

    fn poll(&self, id: u64) {
        let call = self.calls.borrow_mut().remove(&id);
        let Some(mut call) = call else { return };
        let Stage::Waits(work, waker) = &mut call.stage else {
            self.calls.borrow_mut().insert(id, call);
            return;
        };
        let polled = self.world.run(id, waker, || work.poll(waker));
        self.calls.borrow_mut().insert(id, call);
        if let Poll::Ready(outcome) = polled {
            self.finish(id, outcome);
        }
    }

    /// A call whose deadline is over. A thread cannot be ended; it goes on for nobody.
    fn expire(&self, id: u64) {
        let mut calls = self.calls.borrow_mut();
        let Some(call) = calls.get_mut(&id) else { return };
        let failure = Error::new(code::DEADLINE, format!("`{}` took longer than its deadline", call.name));
        if !matches!(call.stage, Stage::OnThread(_)) {
            drop(calls);
            return self.finish(id, Err(failure));
        }
        let purpose = std::mem::replace(&mut call.purpose, Purpose::Nobody);
        let name = call.name.clone();
        drop(calls);
        self.tell(id, &name, purpose, Err(failure));
    }

    /// The handler that called a target does not want to know any more.
    fn give_up(&self, operation: u64) {
        let calls = self.calls.borrow();
        let is_meant = |(_, call): &(&u64, &Call)| {
            call.purpose == Purpose::Operation(operation) && !matches!(call.stage, Stage::OnThread(_))
        };
        let meant = calls.iter().find(is_meant).map(|(id, _)| *id);
        drop(calls);
        if let Some(id) = meant {
            self.finish(id, Err(gone()));
        }
    }

    /// Answers a request of the service's, or calls its external target.
    fn serve(&self, asked: Asked) {
        let Asked { operation, number, args, encoding, workflow_id, until } = asked;
        let line = self.world.line(number);
        let answered = self.ports().with(number, |answer| match answer {
            Some(Answer::Reply(delay, answer)) => Some(Some((*delay, answer(&args, encoding)))),
            Some(Answer::Never) => Some(None),
            None => None,
        });
        match answered {
            Some(Some((Duration::ZERO, outcome))) => self.world.end(operation, outcome),
            Some(Some((delay, outcome))) => self.world.change(|state| {
                let at = state.clock.now().saturating_add(delay);
                state.clock.set(at, Due::Answer(operation, outcome));
            }),
            Some(None) => {}
            None if line.kind == ConnectionKind::ExternalTarget => {
                let begin = Begin {
                    args,
                    encoding,
                    workflow_id: Some(workflow_id),
                    until,
                    ..Begin::bare(
                        Target::Connection(number as u32),
                        self.declaration().connections[number].run,
                    )
                };
                let call = self.add(&line.name, begin, Purpose::Operation(operation));
                self.admitted.borrow_mut().push_back(call);
            }
            None => {
                let text =
                    format!("the test has no answer for requests by `{}`: `harness.answer(..)`", line.name);
                self.world.end(operation, Err(Error::msg(text)));
            }
        }
    }
}
