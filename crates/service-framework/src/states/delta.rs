//! A state that is published by its changes.

use std::any::Any;

use service_framework_core::failure::code;
use service_framework_core::state::{Content, Parts, write_update};
use service_framework_core::wire::{self, Encoding, Reader};

use super::cell::Cell;
use super::full::{own, told};
use super::{Held, Publish, bad_args};
use crate::running::HOST_HAS_BOUNDED;
use crate::{Error, Result, State, Value};

/// A state that is published by its changes, of this service or of another.
pub(crate) struct Delta<S> {
    cell: Cell<S>,
    /// What it starts with, if it is an own one.
    start: Option<fn() -> S>,
}

impl<S: State> Delta<S> {
    pub(crate) fn copy() -> Self {
        Self { cell: Cell::new(), start: None }
    }

    pub(crate) fn own(start: fn() -> S) -> Self {
        Self { cell: Cell::new(), start: Some(start) }
    }
}

impl<S: State> Cell<S> {
    /// Publishes an update, and has made it from then on. Without a number the host gives it the next.
    pub(crate) fn publish(
        &self,
        number: Option<i64>,
        content: Content<S>,
        publish: &Publish<'_>,
    ) -> Result<()> {
        let send = |content: &Content<S>| publish(&|writer| content.encode_numbered(writer, number));
        let turn = self.turn();
        send(&content)?;
        match content {
            Content::Snapshot(value) => turn.replace(Some(value), own),
            Content::Change(change) => turn.change(|value| value.apply(change), own),
        }
        Ok(())
    }
}

impl<S: State> Held for Delta<S> {
    fn cell(&self) -> &dyn Any {
        &self.cell
    }

    fn feed(&self, reader: &mut Reader<'_>) -> Result<()> {
        let mut parts = Parts::read(reader, Content::<S>::read).map_err(bad_args)?;
        let mark = told(&parts)?;
        let turn = self.cell.turn();
        match parts.state.take() {
            None => turn.replace(None, mark),
            Some(Content::Snapshot(value)) => turn.replace(Some(value), mark),
            Some(Content::Change(_)) if !turn.has_value() => {
                return Err(Error::new(code::BAD_ARGS, "a change of a value that there is not"));
            }
            Some(Content::Change(change)) => turn.change(|value| value.apply(change), mark),
        }
        Ok(())
    }

    fn send(&self, args: &Value, publish: &Publish<'_>) -> Result<()> {
        let bytes = wire::encode(args, Encoding::MessagePack)?;
        let mut reader = Reader::new(&bytes, Encoding::MessagePack, &HOST_HAS_BOUNDED);
        let parts = Parts::read(&mut reader, Content::<S>::read).map_err(bad_args)?;
        let missing = || bad_args(service_framework_core::Fault::missing().within("state"));
        self.cell.publish(parts.current_num, parts.state.ok_or_else(missing)?, publish)
    }

    fn start(&self, publish: &Publish<'_>) -> Result<()> {
        match self.start {
            Some(start) => {
                self.cell.set(start(), |value| publish(&|writer| write_update(writer, None, true, value)))
            }
            None => Ok(()),
        }
    }
}
