//! States of a service under test: what the test makes of copies, and what the service publishes of its own.

use std::time::Duration;

use service_framework_core::plugin::host::{Host as _, Started};
use service_framework_core::plugin::{Call, Target};
use service_framework_core::state::{Content, Parts, write_state, write_update};
use service_framework_core::wire::{self, Encoding, Limits, Peer, Reader, Writer};
use service_framework_core::workflow::WorkflowId;

use super::arrival::Incoming;
use super::driver::{Driver, gone};
use super::{Harness, Pending};
use crate::{
    DeltaUpdateIn, DeltaUpdateOut, Error, FullUpdateOut, Model, Result, State, StateIn, StatePort, Status,
    Update,
};

/// What the test has made of a copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copy {
    status: Status,
    since: Duration,
    number: Option<i64>,
}

impl<S> Harness<S> {
    /// Gives a copy a value, as its owner would by a snapshot, and runs the handler of its updates to its end, if there is one. The copy is live from then on, and its
    /// number one higher than before; the first value has number 0.
    ///
    /// A service that waits for the copy goes on when the harness does the next time.
    ///
    /// ```
    /// # use service_framework::prelude::*;
    /// # use std::collections::BTreeMap;
    /// # const BOOK: DeltaUpdateIn<BTreeMap<String, u32>> = DeltaUpdateIn::new("book");
    /// # struct Desk;
    /// # #[service(uses(BOOK))]
    /// # impl Desk {
    /// #     fn new() -> Result<Self> { Ok(Self) }
    /// #     #[replyer]
    /// #     fn levels(&self, cx: &Context) -> Result<Map> {
    /// #         Ok([("levels", cx.state(&BOOK)?.len() as u64)].into_iter().collect())
    /// #     }
    /// # }
    /// # service_framework::link!(Desk);
    /// # fn main() -> Result<()> {
    /// let desk = Harness::<Desk>::new(())?;
    /// desk.set_state(&BOOK, &BTreeMap::from([("99.5".to_owned(), 3)]))?;
    /// desk.update_state(&BOOK, &MapChange::new().set("99.0", 1u32))?;
    /// desk.set_status(&BOOK, Status::Stale)?;
    /// let levels: Value = desk.request("levels", &())?;
    /// assert_eq!(levels, value!({"levels": 2}));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// With code `bad_args` if the value is not what the port's model allows, which can be only if the port of the test is another than that of the service; and what the
    /// handler says.
    ///
    /// # Panics
    ///
    /// If the service does not use the port, as all methods that take one.
    #[track_caller]
    pub fn set_state<P: StateIn>(&self, port: &P, value: &P::State) -> Result<()> {
        self.feed(port, true, value)
    }

    /// Changes a copy, as its owner would, and runs the handler of its updates as [`set_state`](Self::set_state) does.
    ///
    /// # Errors
    ///
    /// If the copy has no value that could change, with code `bad_args`; and what the handler says.
    #[track_caller]
    pub fn update_state<T: State>(&self, port: &DeltaUpdateIn<T>, change: &T::Change) -> Result<()> {
        self.feed(port, false, change)
    }

    /// Gives a copy a status, as when its owner is lost. Its value stays as it is.
    ///
    /// # Errors
    ///
    /// If the service has stopped.
    #[track_caller]
    pub fn set_status<P: StateIn>(&self, port: &P, status: Status) -> Result<()> {
        self.driver.feed(self.position(port), status, None)
    }

    #[track_caller]
    fn feed<P: StateIn>(&self, port: &P, is_snapshot: bool, state: &impl Model) -> Result<()> {
        let position = self.position(port);
        let write = |writer: &mut Writer| write_state(writer, state);
        self.driver.feed(position, Status::Live, Some((is_snapshot, &write)))?;
        let Some(call) = self.driver.start_update(position, is_snapshot, state)? else { return Ok(()) };
        Pending::new(&self.driver, call).wait()
    }

    /// What the service published so far of a state that it owns: first what it started with, as a snapshot with number 0. The numbers count on from there, but for those that
    /// the service gave itself.
    #[track_caller]
    pub fn updates<T: State>(&self, port: &DeltaUpdateOut<T>) -> Vec<Update<T>> {
        let mut next = 0;
        self.published_of(port, |reader| {
            let parts = Parts::read(reader, Content::<T>::read)?;
            let number = parts.current_num.unwrap_or(next);
            next = number.wrapping_add(1);
            let content = parts.state.ok_or_else(service_framework_core::Fault::missing)?;
            Ok(Update { current_num: number, content })
        })
    }

    /// The values that the service published so far of a state that it owns.
    #[track_caller]
    pub fn values<T: Model + Clone + Send + Sync + 'static>(&self, port: &FullUpdateOut<T>) -> Vec<T> {
        self.published_of(port, T::decode)
    }

    #[track_caller]
    fn published_of<P: StatePort, T>(
        &self,
        port: &P,
        mut read: impl FnMut(&mut Reader<'_>) -> Result<T, service_framework_core::Fault>,
    ) -> Vec<T> {
        let number = self.driver.declaration().connections.len() + self.position(port);
        let sent = self.driver.world().sent().into_iter().filter(|sent| sent.number == number);
        sent.map(|sent| {
            let bytes = wire::encode(&sent.args, Encoding::MessagePack).expect("it was read from bytes");
            let mut reader = Reader::new(&bytes, Encoding::MessagePack, &Limits::default());
            read(&mut reader).expect("the service has encoded it from the same model")
        })
        .collect()
    }

    #[track_caller]
    fn position<P: StatePort>(&self, port: &P) -> usize {
        let declaration = self.driver.declaration();
        match declaration.state(port.state_name()) {
            Some((position, _)) => position,
            None => panic!("service `{}` uses no state `{}`", declaration.name, port.state_name()),
        }
    }
}

/// What is new of a value: whether it is the whole, and what writes it.
type New<'n> = (bool, &'n dyn Fn(&mut Writer));

impl Driver {
    /// Tells the service of a copy, as the runtime does.
    fn feed(&self, position: usize, status: Status, new: Option<New<'_>>) -> Result<()> {
        let now = self.world.now();
        let before = self.copies.borrow().get(&position).copied();
        let number = before.and_then(|copy| copy.number);
        let number = if new.is_some() { Some(number.map_or(0, |number| number + 1)) } else { number };
        let since = before.filter(|copy| copy.status == status).map_or(now, |copy| copy.since);
        let copy = Copy { status, since, number };
        let args = copy.write(new)?;
        let call = Call {
            target: Target::State(position as u32),
            encoding: Encoding::MessagePack,
            peer: Peer::Any,
            args: &args,
            workflow_id: None,
            topic: None,
            until: None,
        };
        let instance = self.instance.borrow();
        let instance = instance.as_ref().ok_or_else(gone)?;
        match instance.start(&call, &mut Vec::new()) {
            Started::Ready(outcome) => outcome?,
            Started::Pending(_) => return Err(Error::msg("a copy takes what is new of it at once")),
        }
        self.copies.borrow_mut().insert(position, copy);
        Ok(())
    }

    /// The names of the copies that are not live.
    pub(super) fn not_live(&self) -> Vec<&str> {
        let copies = self.copies.borrow();
        let is_live = |position: &usize| copies.get(position).is_some_and(|copy| copy.status == Status::Live);
        let states = self.declaration.states.iter().enumerate();
        let behind = states.filter(|(position, model)| model.kind.is_in() && !is_live(position));
        behind.map(|(_, model)| &*model.name).collect()
    }

    /// Starts the handler of an update, if there is one.
    fn start_update(&self, position: usize, is_snapshot: bool, state: &impl Model) -> Result<Option<u64>> {
        let model = &self.declaration.states[position];
        if model.run.is_none() {
            return Ok(None);
        }
        let number = self.copies.borrow()[&position].number;
        let mut writer = Writer::new(Encoding::MessagePack, Peer::Any);
        match model.kind.is_delta() {
            true => write_update(&mut writer, number, is_snapshot, state),
            false => state.encode(&mut writer),
        }
        let incoming = Incoming {
            args: writer.finish()?,
            encoding: Encoding::MessagePack,
            workflow_id: WorkflowId::new(),
            topic: None,
            deadline: None,
        };
        self.deliver(self.declaration.connections.len() + position, incoming).map(Some)
    }
}

impl Copy {
    fn write(&self, new: Option<New<'_>>) -> Result<Vec<u8>> {
        let mut writer = Writer::new(Encoding::MessagePack, Peer::Any);
        writer.map(2 + usize::from(self.number.is_some()) + if new.is_some() { 2 } else { 0 });
        writer.key("status");
        writer.text(self.status.name());
        writer.key("since_us");
        writer.int(self.since.as_micros() as i128);
        if let Some(number) = self.number {
            writer.key("current_num");
            writer.int(number.into());
        }
        if let Some((is_snapshot, write)) = new {
            writer.key("is_snapshot");
            writer.bool(is_snapshot);
            writer.key("state");
            write(&mut writer);
        }
        writer.end_map();
        Ok(writer.finish()?)
    }
}
