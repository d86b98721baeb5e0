//! A state that is published whole.

use std::any::Any;
use std::time::Duration;

use service_framework_core::state::{Parts, write_state};
use service_framework_core::wire::Reader;

use super::cell::{Cell, Mark};
use super::{Held, Publish, Status, bad_args, status};
use crate::{Model, Result, Value, running};

/// A state that is published whole, of this service or of another.
pub(crate) struct Full<S>(Cell<S>);

impl<S: Model + Clone + Send + Sync + 'static> Full<S> {
    pub(crate) fn new() -> Self {
        Self(Cell::new())
    }
}

impl<S> Cell<S> {
    /// Publishes a value, and has it from then on.
    pub(crate) fn set(&self, value: S, publish: impl FnOnce(&S) -> Result<()>) -> Result<()> {
        let turn = self.turn();
        publish(&value)?;
        turn.replace(Some(value), own);
        Ok(())
    }
}

/// What an owner has is always live.
pub(super) fn own(mark: Mark) -> Mark {
    Mark { status: Status::Live, ..mark }
}

/// What the host says of a copy now.
pub(super) fn told<T>(parts: &Parts<T>) -> Result<impl FnOnce(Mark) -> Mark + use<T>> {
    let status = status(parts)?;
    let (since, number) = (parts.since_us.map(Duration::from_micros), parts.current_num);
    Ok(move |mark: Mark| Mark { status: status.unwrap_or(mark.status), since: since.or(mark.since), number })
}

impl<S: Model + Clone + Send + Sync + 'static> Held for Full<S> {
    fn cell(&self) -> &dyn Any {
        &self.0
    }

    fn feed(&self, reader: &mut Reader<'_>) -> Result<()> {
        let mut parts = Parts::read(reader, |reader, _| S::decode(reader)).map_err(bad_args)?;
        let mark = told(&parts)?;
        self.0.turn().replace(parts.state.take(), mark);
        Ok(())
    }

    fn send(&self, args: &Value, publish: &Publish<'_>) -> Result<()> {
        let value: S = running::convert(args)?;
        self.0.set(value, |value| publish(&|writer| write_state(writer, value)))
    }

    fn start(&self, _: &Publish<'_>) -> Result<()> {
        Ok(())
    }
}
