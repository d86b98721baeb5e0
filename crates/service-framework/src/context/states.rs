//! What a handler can do with states: look at them, wait for them, change its own.

use service_framework_core::failure::code;
use service_framework_core::state::{Content, write_state, write_update};
use service_framework_core::wire::Writer;

use super::Context;
use crate::ports::{DeltaUpdateOut, StateIn, StateOut, StatePort};
use crate::states::{Cell, Lent, StateStatus};
use crate::{Error, Result, State, Update, Value};

impl Context {
    /// Lends the value of a state as it is now, a copy's or an own one's. It never waits for a message.
    ///
    /// What is lent does not change; see [`Lent`] for what it costs to hold it while the state does.
    ///
    /// ```
    /// # use service_framework::prelude::*;
    /// # const BOOK: DeltaUpdateIn<Map> = DeltaUpdateIn::new("book");
    /// # async fn example(cx: &Context) -> Result<()> {
    /// let levels = cx.state(&BOOK)?.len();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// With code `unavailable` if there is no value: a copy has none before it was [live](Self::live) once, and an own `FullUpdateOut` none before it
    /// was [set](Self::set). A copy that is behind or stale is lent as it is; [`state_status`](Self::state_status) says so.
    pub fn state<P: StatePort>(&self, port: &P) -> Result<Lent<P::State>> {
        let cell = self.cell(port)?;
        cell.value().map(Lent::new).ok_or_else(|| {
            let name = port.state_name();
            let is_in = self.0.shared.states.find(name).is_some_and(|(_, model, _)| model.kind.is_in());
            let text = match is_in {
                true => format!(
                    "state `{name}` has no value yet: it is {}; `cx.live(..)` waits for it",
                    cell.mark().status
                ),
                false => format!("state `{name}` has no value before it is set: `cx.set(..)`"),
            };
            Error::new(code::UNAVAILABLE, text)
        })
    }

    /// How far a copy is, since when, and at which number.
    ///
    /// ```
    /// # use service_framework::prelude::*;
    /// # const BOOK: DeltaUpdateIn<Map> = DeltaUpdateIn::new("book");
    /// # async fn example(cx: &Context) -> Result<()> {
    /// if cx.state_status(&BOOK)?.status != Status::Live {
    ///     tracing::warn!("the book may be old");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the service does not use the port.
    pub fn state_status<P: StateIn>(&self, port: &P) -> Result<StateStatus> {
        let mark = self.cell(port)?.mark();
        let now = self.0.shared.host.now();
        let since = mark.since.unwrap_or(self.0.shared.began);
        Ok(StateStatus { status: mark.status, since: now.saturating_sub(since), number: mark.number })
    }

    /// Waits until a copy is live. It may be stale or behind again when the next handler runs.
    ///
    /// With a bound:
    ///
    /// ```
    /// # use service_framework::prelude::*;
    /// # const BOOK: DeltaUpdateIn<Map> = DeltaUpdateIn::new("book");
    /// # async fn example(cx: &Context) -> Result<()> {
    /// cx.timeout(Duration::from_secs(5), cx.live(&BOOK)).await??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the service does not use the port.
    pub async fn live<P: StateIn>(&self, port: &P) -> Result<()> {
        self.cell(port)?.live().await;
        Ok(())
    }

    /// Changes an own state, and publishes the change. The host numbers it.
    ///
    /// ```
    /// # use service_framework::prelude::*;
    /// # const BOOK: DeltaUpdateOut<std::collections::BTreeMap<String, u32>> = DeltaUpdateOut::new("book");
    /// # async fn example(cx: &Context) -> Result<()> {
    /// cx.update(&BOOK, &MapChange::new().set("99.5", 3u32).remove("99.0"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the change cannot be written, as when null would be the value of a key, or cannot be published. The value is then as it was.
    /// With code `busy` if 10,000 updates or 64 MiB of them wait for the service's thread already, which happens on other threads alone.
    pub fn update<S: State>(&self, port: &DeltaUpdateOut<S>, change: &S::Change) -> Result<()> {
        self.publish_content(port, None, Content::Change(change.clone()))
    }

    /// Gives an own state a new value, and publishes that whole.
    ///
    /// ```
    /// # use service_framework::prelude::*;
    /// # const BOOK: DeltaUpdateOut<std::collections::BTreeMap<String, u32>> = DeltaUpdateOut::new("book");
    /// # async fn example(cx: &Context) -> Result<()> {
    /// cx.set(&BOOK, &[("99.5".to_owned(), 3)].into())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the value cannot be written or published. The value is then as it was.
    pub fn set<P: StateOut>(&self, port: &P, value: &P::State) -> Result<()> {
        let (position, cell) = self.position_and_cell(port)?;
        let is_delta = self.0.shared.states.get(position).is_some_and(|(model, _)| model.kind.is_delta());
        cell.set(value.clone(), |value| {
            self.publish_state(position, port.state_name(), &|writer| match is_delta {
                true => write_update(writer, None, true, value),
                false => write_state(writer, value),
            })
        })
    }

    /// Publishes an update of an own state with the author's own number, for copies that go by numbers of their making. A state that was published so
    /// once has no heartbeats any more.
    ///
    /// ```
    /// # use service_framework::prelude::*;
    /// # const BOOK: DeltaUpdateOut<std::collections::BTreeMap<String, u32>> = DeltaUpdateOut::new("book");
    /// # async fn example(cx: &Context) -> Result<()> {
    /// cx.publish_update(&BOOK, &Update::change(7, MapChange::new().remove("99.0")))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn publish_update<S: State>(&self, port: &DeltaUpdateOut<S>, update: &Update<S>) -> Result<()> {
        self.publish_content(port, Some(update.current_num), update.content.clone())
    }

    fn publish_content<S: State>(
        &self,
        port: &DeltaUpdateOut<S>,
        number: Option<i64>,
        content: Content<S>,
    ) -> Result<()> {
        let (position, cell) = self.position_and_cell(port)?;
        cell.publish(number, content, &|write| self.publish_state(position, port.name(), write))
    }

    /// Publishes by the name of an own state what is given as data.
    pub(super) fn send_state(&self, name: &str, args: &Value) -> Result<()> {
        let (position, model, held) =
            self.0.shared.states.find(name).ok_or_else(|| self.0.shared.unknown(name))?;
        if model.kind.is_in() {
            return Err(Error::msg(format!("`{name}` is a {}, which its owner alone changes", model.kind)));
        }
        held.send(args, &|write| self.publish_state(position, name, write))
            .map_err(|failure| failure.while_doing(&format!("`{name}`")))
    }

    fn publish_state(&self, position: usize, name: &str, write: &dyn Fn(&mut Writer)) -> Result<()> {
        let number = self.0.shared.number_of_state(position);
        self.outgoing_by(number, name, None, None, write, |host, message| host.publish(&message))
    }

    fn cell<P: StatePort>(&self, port: &P) -> Result<&Cell<P::State>> {
        self.position_and_cell(port).map(|(_, cell)| cell)
    }

    fn position_and_cell<P: StatePort>(&self, port: &P) -> Result<(usize, &Cell<P::State>)> {
        let name = port.state_name();
        let (position, _, held) =
            self.0.shared.states.find(name).ok_or_else(|| self.0.shared.unknown(name))?;
        let cell = held.cell().downcast_ref();
        let cell = cell.ok_or_else(|| {
            Error::msg(format!("state `{name}` is declared by another port, which has another type"))
        })?;
        Ok((position, cell))
    }
}
