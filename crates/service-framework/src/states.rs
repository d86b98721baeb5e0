//! What a service holds of its states: copies of those of others, and its own values.

mod cell;
mod delta;
mod full;
mod lent;

use std::any::Any;
use std::time::Duration;

use service_framework_core::declaration::StateModel;
use service_framework_core::failure::code;
use service_framework_core::state::Parts;
use service_framework_core::wire::{Reader, Writer};

use crate::{Error, Result, Value};

pub(crate) use cell::Cell;
pub(crate) use delta::Delta;
pub(crate) use full::Full;
pub use lent::Lent;

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It has no value yet, or is known to be behind its owner, which is asked.
    Syncing,
    /// It has what its owner had at that number.
    Live,
    /// It may be behind: the link is lost, or the owner has been silent for longer than it says that it would be.
    Stale,
}

impl Status {
    pub(crate) const ALL: [Self; 3] = [Self::Syncing, Self::Live, Self::Stale];

    /// Its name, as hosts write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syncing => "syncing",
            Self::Live => "live",
            Self::Stale => "stale",
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a copy is, since when, and at which number; from [`Context::state_status`](crate::Context::state_status).
///
/// ```
/// # use service_framework::prelude::*;
/// # const BOOK: DeltaUpdateIn<Map> = DeltaUpdateIn::new("book");
/// # async fn example(cx: &Context) -> Result<()> {
/// let status = cx.state_status(&BOOK)?;
/// tracing::info!("{} for {:?}, at {:?}", status.status, status.since, status.number);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateStatus {
    /// How far it is.
    pub status: Status,
    /// The time that has passed since it became so.
    pub since: Duration,
    /// The owner's number of the value that the copy has; `None` if it has none, or a full state that is not numbered.
    pub number: Option<i64>,
}

/// Gives a message about a state to the host: what is written by the closure.
pub(crate) type Publish<'p> = dyn Fn(&dyn Fn(&mut Writer)) -> Result<()> + 'p;

/// A state, with its type put away.
pub(crate) trait Held: Send + Sync {
    /// Its [`Cell`].
    fn cell(&self) -> &dyn Any;

    /// Takes what the host tells of a copy, all of it or nothing.
    fn feed(&self, reader: &mut Reader<'_>) -> Result<()>;

    /// Publishes what is given as data.
    fn send(&self, args: &Value, publish: &Publish<'_>) -> Result<()>;

    /// Publishes the value that it starts with, if it is an own one that has one.
    fn start(&self, publish: &Publish<'_>) -> Result<()>;
}

/// Makes what an instance holds of a state.
pub(crate) type Make = Box<dyn Fn() -> Box<dyn Held> + Send + Sync>;

/// The states of one service, by their positions in its declaration.
pub(crate) struct States(Vec<(StateModel, Box<dyn Held>)>);

impl std::fmt::Debug for States {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(model, _)| &model.name)).finish()
    }
}

impl States {
    pub(crate) fn new(models: &[StateModel], make: &[Make]) -> Self {
        Self(models.iter().cloned().zip(make.iter().map(|make| make())).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StateModel, &dyn Held)> {
        self.0.iter().map(|(model, held)| (model, &**held))
    }

    pub(crate) fn get(&self, position: usize) -> Option<(&StateModel, &dyn Held)> {
        self.0.get(position).map(|(model, held)| (model, &**held))
    }

    /// The state of that name, with its position.
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &StateModel, &dyn Held)> {
        let position = self.0.iter().position(|(model, _)| model.name == name)?;
        self.get(position).map(|(model, held)| (position, model, held))
    }
}

/// Reads the status of a message of the host.
fn status<T>(parts: &Parts<T>) -> Result<Option<Status>> {
    let Some(name) = &parts.status else { return Ok(None) };
    let known = Status::ALL.into_iter().find(|status| status.name() == name);
    known.map(Some).ok_or_else(|| Error::new(code::BAD_ARGS, format!("args.status: `{name}` is none")))
}

fn bad_args(fault: service_framework_core::Fault) -> Error {
    Error::new(code::BAD_ARGS, fault.within("args").to_string())
}
