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
                feed(&local, position, &head(&now, None))
            }
            News::Value { value, number, workflow_id } => {
                let now = Standing { number, ..standing.get() };
                if let Value::Change(change) = value
                    && change.is_empty()
                {
                    // A sign of life: nothing but the number is new.
                    standing.set(now);
                    return feed(&local, position, &head(&now, None));
                }
                let fed = Fed::of(&now, value);
                if !local.declaration.checks_messages {
                    check(model, &fed)?;
                }
                feed(&local, position, &fed.args)?;
                standing.set(now);
                if model.run.is_some() {
                    let id = workflow_id
                        .map_or_else(|| WorkflowId::new().into_owned(), |id| id.clone().into_owned());
                    local.handle_update(position, fed.for_handler(model, number), id);
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
struct Fed {
    is_snapshot: bool,
    /// All that is told, with the state at its end: a large one is not written twice.
    args: Vec<u8>,
    /// Where the state begins.
    state_at: usize,
}

impl Fed {
    fn of(standing: &Standing, value: Value<'_>) -> Self {
        let is_snapshot = !matches!(value, Value::Change(_));
        let mut args = head(standing, Some(is_snapshot));
        let state_at = args.len();
        match value {
            Value::Whole(copy) => {
                args.reserve(copy.size_bytes() + AROUND);
                copy.write(&mut args);
            }
            Value::Change(change) => change.write(&mut args),
            Value::Full(state) => args.extend_from_slice(state),
        }
        Self { is_snapshot, args, state_at }
    }

    /// A map in MessagePack.
    fn state(&self) -> &[u8] {
        &self.args[self.state_at..]
    }

    /// What the handler of the state is given: the value of a full state, an update of one by changes.
    fn for_handler(&self, model: &StateModel, number: Option<i64>) -> Vec<u8> {
        if !model.kind.is_delta() {
            return self.state().to_vec();
        }
        let mut writer = Writer::new(Encoding::MessagePack, Peer::Any);
        writer.map(3);
        writer.key("current_num");
        writer.int(number.unwrap_or_default().into());
        writer.key("is_snapshot");
        writer.bool(self.is_snapshot);
        writer.key("state");
        writer.raw(self.state());
        writer.end_map();
        finish(writer)
    }
}

/// Room for what stands around the entries of a map.
const AROUND: usize = 8;

/// Holds a value against the model, for a service that does not do so itself.
fn check(model: &StateModel, fed: &Fed) -> Result<(), Failure> {
    let limits = wire::Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };
    let state: AnyValue = wire::decode(fed.state(), Encoding::MessagePack, &limits)
        .map_err(|fault: Fault| bad_value(&fault))?;
    let update: AnyValue = service_framework_core::value!({
        "is_snapshot": (AnyValue::Bool(fed.is_snapshot)), "state": (state)
    });
    let faults = faults_of_update(&model.state, &update, "state");
    faults.into_iter().next().map_or(Ok(()), |fault| Err(bad_value(&fault)))
}

/// Writes how a copy stands. If there is news of the value, it has to follow: a change, or the whole.
fn head(standing: &Standing, is_snapshot: Option<bool>) -> Vec<u8> {
    let since = time_of(standing.since);
    let mut writer = Writer::new(Encoding::MessagePack, Peer::Any);
    writer.map(2 + usize::from(standing.number.is_some()) + 2 * usize::from(is_snapshot.is_some()));
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
    if let Some(is_snapshot) = is_snapshot {
        writer.key("is_snapshot");
        writer.bool(is_snapshot);
        writer.key("state");
    }
    finish(writer)
}

/// Tells the service what is new of its copy.
fn feed(local: &Local, position: usize, args: &[u8]) -> Result<(), Failure> {
    let call = Call {
        target: Target::State(position as u32),
        encoding: Encoding::MessagePack,
        peer: Peer::Any,
        args,
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
