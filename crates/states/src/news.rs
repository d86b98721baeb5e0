//! What a copy tells the service that it is a copy for.

use std::sync::Arc;
use std::time::Instant;

use service_framework_core::Failure;
use service_framework_core::workflow::WorkflowId;

use crate::copy::{Change, Copy};
use crate::delta::reader::{Counts, Event, Status};

/// What is new of a copy.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// The value, or part of it.
    Value {
        /// What it is now, or how it changes.
        value: Value<'a>,
        /// The number of the value; `None` for full states, which have none.
        number: Option<i64>,
        /// The work that it comes from, if it was published and not asked for.
        workflow_id: Option<&'a WorkflowId<'a>>,
    },
    /// How the copy stands to its owner's state.
    Status(Standing),
}

/// A value of a copy.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// The whole of a delta state.
    Whole(&'a Copy),
    /// What changes of a delta state.
    Change(&'a Change),
    /// A full state, as a map in MessagePack.
    Full(&'a [u8]),
}

/// How a copy stands to its owner's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is behind, right, or out of touch.
    pub status: Status,
    /// Since when.
    pub since: Instant,
    /// The number of the value; `None` if there is none.
    pub number: Option<i64>,
}

/// Takes what is new, in order. A value may be refused, because its model does not allow it: the copy is then what it was.
pub type Take = Box<dyn Fn(&News<'_>) -> Result<(), Failure>>;

/// What can be read of a copy from any thread.
#[derive(Clone, Debug)]
pub struct Figures {
    /// How it stands.
    pub standing: Standing,
    /// Updates that the owner is known to be ahead by.
    pub lag: u64,
    /// How many entries the state has.
    pub entries: usize,
    /// What has happened since the start.
    pub counts: Counts,
    /// Messages that were no updates.
    pub unreadable: u64,
    /// Why the whole was asked for in vain the last time; `None` since it was answered.
    pub in_vain: Option<Arc<str>>,
}

impl<'a> From<&Event<'a>> for News<'a> {
    fn from(event: &Event<'a>) -> Self {
        match *event {
            Event::Replace { copy, number, workflow_id } => {
                Self::Value { value: Value::Whole(copy), number: Some(number), workflow_id }
            }
            Event::Apply { change, number, workflow_id } => {
                Self::Value { value: Value::Change(change), number: Some(number), workflow_id }
            }
        }
    }
}
