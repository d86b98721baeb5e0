//! What a service publishes of its states, from whichever thread.

use std::sync::Arc;
use std::time::Duration;

use service_framework_core::declaration::{StateKind, StateModel};
use service_framework_core::failure::code;
use service_framework_core::model::Shape;
use service_framework_core::plugin::Outgoing;
use service_framework_core::value::Value;
use service_framework_core::wire::{self, Limits};
use service_framework_core::wiring::WiredState;
use service_framework_core::{Failure, Fault};
use service_framework_states::{DeltaOwner, FullOwner, OwnerOptions};

/// A shorter one would leave the service no time for anything else.
const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(1);

/// What a service owns of a state.
#[derive(Clone, Debug)]
pub(crate) enum Owned {
    /// A state that is published by its changes.
    Delta(Arc<DeltaOwner>),
    /// A state that is published whole.
    Full(Arc<FullOwner>),
    /// Nothing: it has a copy of what another service owns.
    Nothing,
}

impl Owned {
    pub(crate) fn new(wired: &WiredState) -> Self {
        let options = OwnerOptions {
            name: wired.name.clone(),
            topic: wired.updates.settings.topic.clone(),
            heartbeat: Some(wired.settings.heartbeat)
                .filter(|heartbeat| !heartbeat.is_zero())
                .map(|heartbeat| heartbeat.max(SHORTEST_HEARTBEAT)),
            limits: wired.updates.settings.limits,
            reply_limits: wired.snapshots.as_ref().map(|wired| wired.settings.limits).unwrap_or_default(),
        };
        match wired.kind {
            StateKind::DeltaUpdateOut => Self::Delta(Arc::new(DeltaOwner::new(options))),
            StateKind::FullUpdateOut => Self::Full(Arc::new(FullOwner::new(options))),
            StateKind::DeltaUpdateIn | StateKind::FullUpdateIn => Self::Nothing,
        }
    }

    /// Publishes, which the service's thread carries out. `model` is there if the service does not check itself what it publishes.
    pub(crate) fn publish(
        &self,
        name: &str,
        model: Option<&StateModel>,
        message: Outgoing<'_>,
    ) -> Result<(), Failure> {
        if message.topic.is_some() {
            return Err(Failure::msg(format!(
                "state `{name}` has the topic that is set for it, and no other"
            )));
        }
        if let Some(model) = model {
            check(name, model, &message)?;
        }
        let id = message.workflow_id.unwrap_or_default();
        match self {
            Self::Delta(owner) => owner.publish(message.args, &id),
            Self::Full(owner) => owner.publish(message.encoding, message.args, &id),
            Self::Nothing => Err(Failure::msg(format!(
                "`{name}` is a copy of what another service owns: it cannot be published"
            ))),
        }
    }
}

/// How large it is on the wire, its owner bounds.
const WIDE: Limits = Limits { max_message_bytes: usize::MAX, max_depth: 256, max_values: usize::MAX };

/// Holds what is published against its model.
fn check(name: &str, model: &StateModel, message: &Outgoing<'_>) -> Result<(), Failure> {
    let refused = |fault: Fault| Failure::msg(format!("cannot publish `{name}`: {}", fault.within("args")));
    let value: Value = wire::decode(message.args, message.encoding, &WIDE).map_err(refused)?;
    let faults = match model.kind.is_delta() {
        true => faults_of_update(&model.state, &value, "state"),
        false => model.state.faults(&value),
    };
    faults.into_iter().next().map_or(Ok(()), |fault| Err(refused(fault)))
}

/// What is wrong with the state of an update, as a whole or as a change, whichever it says.
pub(super) fn faults_of_update(shape: &Shape, update: &Value, field: &str) -> Vec<Fault> {
    let state = update.get(field).cloned().unwrap_or_default();
    let faults = match update.get("is_snapshot") {
        Some(Value::Bool(true)) => shape.faults(&state),
        _ => shape.faults_of_change(&state),
    };
    faults.into_iter().map(|fault| fault.within(field)).collect()
}

/// Why a copy does not take a value.
pub(super) fn bad_value(fault: &Fault) -> Failure {
    Failure::new(code::BAD_ARGS, fault.to_string())
}
