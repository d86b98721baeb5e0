//! Lets a service know of all that is new of a copy, and has its handler called.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Instant;

use service_framework_core::declaration::StateModel;
use service_framework_core::plugin::host::{Started, time_of};
use service_framework_core::plugin::{Call, Target};
use service_framework_core::value::Value as AnyValue;
use service_framework_core::wire::{self, Encoding, Peer, Writer};
use service_framework_core::workflow::WorkflowId;
use service_framework_core::{Failure, Fault};
use service_framework_states::delta::reader::Status;
use service_framework_states::news::{News, Standing, Take, Value};

use super::owned::{bad_value, faults_of_update};
use crate::local::Local;

/// What takes the news of a copy, by its position among the states.
pub(super) fn take(local: &Rc<Local>, position: usize) -> Take {
    let local = Rc::downgrade(local);
    let standing = Cell::new(Standing { status: Status::Syncing, since: Instant::now(), number: None });
    Box::new(move |news| {
        let Some(local) = Weak::upgrade(&local) else { return Ok(()) };
        let model = &local.declaration.states[position];
        match *news {
            News::Status(now) => {
                standing.set(now);
                log(model, &now);
                feed(&local, position, &now, None)
            }
            News::Value { value, number, workflow_id } => {
                let now = Standing { number, ..standing.get() };
                if let Value::Change(change) = value
                    && change.is_empty()
                {
                    // A sign of life: nothing but the number is new.
                    standing.set(now);
                    return feed(&local, position, &now, None);
                }
                let parts = Parts::of(value);
                if !local.declaration.checks_messages {
                    check(model, &parts)?;
                }
                feed(&local, position, &now, Some(&parts))?;
                standing.set(now);
                if model.run.is_some() {
                    let id = workflow_id
                        .map_or_else(|| WorkflowId::new().into_owned(), |id| id.clone().into_owned());
                    local.handle_update(position, parts.for_handler(model, number), id);
                }
                Ok(())
            }
        }
    })
}

/// Says how a copy stands now.
fn log(model: &StateModel, Standing { status, .. }: &Standing) {
    let name = &model.name;
    match status {
        Status::Live => tracing::info!(target: crate::LOG, "state `{name}` is live"),
        Status::Syncing => {
            tracing::info!(target: crate::LOG, "state `{name}` is behind, and its owner is asked for the whole");
        }
        Status::Stale => {
            tracing::warn!(target: crate::LOG, "state `{name}` is stale: its owner is not heard")
        }
    }
}

/// A value as it crosses to the plugin.
struct Parts {
    is_snapshot: bool,
    /// A map in MessagePack.
    state: Vec<u8>,
}

impl Parts {
    fn of(value: Value<'_>) -> Self {
        let mut state = Vec::new();
        let is_snapshot = match value {
            Value::Whole(copy) => {
                state.reserve(copy.size_bytes() + 8);
                copy.write(&mut state);
                true
            }
            Value::Change(change) => {
                change.write(&mut state);
                false
            }
            Value::Full(args) => {
                state.extend_from_slice(args);
                true
            }
        };
        Self { is_snapshot, state }
    }

    /// What the handler of the state is given: the value of a full state, an update of one by changes.
    fn for_handler(self, model: &StateModel, number: Option<i64>) -> Vec<u8> {
        if !model.kind.is_delta() {
            return self.state;
        }
        let mut writer = Writer::new(Encoding::MessagePack, Peer::Any);
        writer.map(3);
        writer.key("current_num");
        writer.int(number.unwrap_or_default().into());
        writer.key("is_snapshot");
        writer.bool(self.is_snapshot);
        writer.key("state");
        writer.raw(&self.state);
        writer.end_map();
        finish(writer)
    }
}

/// Holds a value against the model, for a service that does not do so itself.
fn check(model: &StateModel, parts: &Parts) -> Result<(), Failure> {
    let limits = wire::Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };
    let state: AnyValue = wire::decode(&parts.state, Encoding::MessagePack, &limits)
        .map_err(|fault: Fault| bad_value(&fault))?;
    let update: AnyValue = service_framework_core::value!({
        "is_snapshot": (AnyValue::Bool(parts.is_snapshot)), "state": (state)
    });
    let faults = faults_of_update(&model.state, &update, "state");
    faults.into_iter().next().map_or(Ok(()), |fault| Err(bad_value(&fault)))
}

/// Tells the service how its copy stands, and what is new of the value if anything is.
fn feed(local: &Local, position: usize, standing: &Standing, parts: Option<&Parts>) -> Result<(), Failure> {
    let since = time_of(standing.since);
    let mut writer = Writer::new(Encoding::MessagePack, Peer::Any);
    writer.map(2 + usize::from(standing.number.is_some()) + 2 * usize::from(parts.is_some()));
    writer.key("status");
    writer.text(match standing.status {
        Status::Syncing => "syncing",
        Status::Live => "live",
        Status::Stale => "stale",
    });
    writer.key("since_us");
    writer.int(since.as_micros() as i128);
    if let Some(number) = standing.number {
        writer.key("current_num");
        writer.int(number.into());
    }
    if let Some(Parts { is_snapshot, state }) = parts {
        writer.key("is_snapshot");
        writer.bool(*is_snapshot);
        writer.key("state");
        writer.raw(state);
    }
    writer.end_map();
    let args = finish(writer);
    let call = Call {
        target: Target::State(position as u32),
        encoding: Encoding::MessagePack,
        peer: Peer::Any,
        args: &args,
        workflow_id: None,
        topic: None,
        until: None,
    };
    match local.watched().during(call.target, || local.instance.start(&call, &mut Vec::new())) {
        Started::Ready(taken) => taken,
        Started::Pending(_) => Err(Failure::msg("the plugin waits before it takes a value of a state")),
    }
}

fn finish(writer: Writer) -> Vec<u8> {
    writer.finish().expect("a flat map around what is encoded already has no mistake in it")
}
