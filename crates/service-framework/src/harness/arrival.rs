//! How what comes in gets to its handler: in its turn, and through the gate.

use std::time::Duration;

use service_framework_core::declaration::{ConnectionKind, Declaration, Run};
use service_framework_core::failure::code;
use service_framework_core::gate::{Access, Arrival, Gate};
use service_framework_core::plugin::Target;
use service_framework_core::plugin::host::Host as _;
use service_framework_core::wire::Encoding;
use service_framework_core::workflow::WorkflowId;

use super::call::{Begin, Call, Purpose, Stage};
use super::clock::Due;
use super::driver::{Driver, IN_FLIGHT};
use crate::{Error, Result};

/// A message on its way in.
pub(super) struct Incoming {
    pub(super) args: Vec<u8>,
    pub(super) encoding: Encoding,
    pub(super) workflow_id: WorkflowId<'static>,
    pub(super) topic: Option<String>,
    pub(super) deadline: Option<Duration>,
}

/// Whose handler is meant.
struct Addressee<'d> {
    name: &'d str,
    run: Run,
    access: Access,
    /// Whether one message is handled after the other.
    takes_turns: bool,
}

impl<'d> Addressee<'d> {
    /// That of a connection, or of a state after these.
    fn of(declaration: &'d Declaration, number: usize) -> Result<Self> {
        let access = |exclusive| if exclusive { Access::Exclusive } else { Access::Shared };
        if let Some(model) = declaration.connections.get(number) {
            let takes_turns = model.kind == ConnectionKind::Subscriber;
            return Ok(Self {
                name: &model.name,
                run: model.run,
                access: access(model.exclusive),
                takes_turns,
            });
        }
        let model = &declaration.states[number - declaration.connections.len()];
        let run =
            model.run.ok_or_else(|| Error::msg(format!("nothing handles updates of `{}`", model.name)))?;
        Ok(Self { name: &model.name, run, access: access(model.exclusive), takes_turns: true })
    }
}

impl Driver {
    /// Hands a message to its handler, or puts it where it waits for it.
    pub(super) fn deliver(&self, number: usize, incoming: Incoming) -> Result<u64> {
        self.init()?;
        if self.world.is_stopping() {
            return Err(Error::new(code::STOPPING, "the service takes no messages any more"));
        }
        let addressee = Addressee::of(&self.declaration, number)?;
        let topic = || self.world.line(number).settings.get("topic")?.as_text().map(str::to_owned);
        let begin = Begin {
            target: Target::Connection(number as u32),
            run: addressee.run,
            access: addressee.access,
            args: incoming.args,
            encoding: incoming.encoding,
            workflow_id: Some(incoming.workflow_id),
            topic: incoming.topic.or_else(topic),
            until: incoming.deadline.map(|left| self.world.now().saturating_add(left)),
        };
        let call = self.add(addressee.name, begin, Purpose::Test);
        if addressee.takes_turns {
            let mut lines = self.lines.borrow_mut();
            let line = lines.entry(number).or_default();
            line.push_back(call);
            if line.len() == 1 {
                drop(lines);
                self.arrive(call, Gate::arrive_always);
            }
        } else {
            self.arrive(call, Gate::arrive);
        }
        self.begin_admitted();
        Ok(call)
    }

    pub(super) fn add(&self, name: &str, begin: Begin, purpose: Purpose) -> u64 {
        let id = self.next.get();
        self.next.set(id + 1);
        if let Some(until) = begin.until {
            self.world.change(|state| state.clock.set(until, Due::Call(id)));
        }
        let call = Call { name: name.to_owned(), begin, purpose, ticket: None, stage: Stage::InLine };
        self.calls.borrow_mut().insert(id, call);
        id
    }

    /// Lets a call come to the gate, in one of the ways in which that knows calls.
    pub(super) fn arrive(&self, id: u64, come: impl FnOnce(&mut Gate, Access) -> Arrival) {
        let access = self.calls.borrow()[&id].begin.access;
        let arrival = come(&mut self.gate.borrow_mut(), access);
        let (ticket, stage) = match arrival {
            Arrival::Admitted(ticket) => {
                self.admitted.borrow_mut().push_back(id);
                (ticket, Stage::Admitted)
            }
            Arrival::Queued(ticket) => {
                self.at_gate.borrow_mut().insert(ticket.number(), id);
                (ticket, Stage::AtGate)
            }
            Arrival::Busy => {
                let text = format!("{IN_FLIGHT} requests are in work already");
                return self.finish(id, Err(Error::new(code::BUSY, text)));
            }
        };
        if let Some(call) = self.calls.borrow_mut().get_mut(&id) {
            call.ticket = Some(ticket);
            call.stage = stage;
        }
    }
}
