//! The host's half of the boundary, for a service under test.

use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use service_framework_core::declaration::ConnectionKind;
use service_framework_core::plugin::host::{Host, Operation, Spawned};
use service_framework_core::plugin::{Level, Outgoing, Record};
use service_framework_core::wire::{Encoding, Peer};

use super::operation::What;
use super::world::{Asked, Log, World};
use crate::{Error, Value};

/// The deadline of a request for which nobody set one, as in the runtime.
const REQUEST_DEADLINE_S: f64 = 5.0;

impl Host for World {
    fn encoding(&self, connection: u32) -> (Encoding, Peer) {
        let setting = |name, value| {
            let line = self.lines.get(connection as usize);
            line.and_then(|line| line.settings.get(name)).and_then(Value::as_text) == Some(value)
        };
        let encoding = if setting("encoding", "json") { Encoding::Json } else { Encoding::MessagePack };
        (encoding, if setting("peer", "python") { Peer::Python } else { Peer::Any })
    }

    fn request(&self, message: Outgoing<'_>) -> Operation {
        let (number, workflow_id) = self.record(&message);
        let line = self.line(number);
        if line.kind == ConnectionKind::Publisher {
            return Box::pin(std::future::ready(Ok(Default::default())));
        }
        let seconds = line.settings.get("deadline_s").and_then(Value::as_f64);
        let seconds = seconds.or((line.kind == ConnectionKind::Requester).then_some(REQUEST_DEADLINE_S));
        let own = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let (deadline, now) = (message.deadline.or(own), self.now());
        let until =
            deadline.map(|deadline| now.saturating_add(deadline)).into_iter().chain(message.until).min();
        let within = until.map(|until| until.saturating_sub(now));
        let operation = self.operation(What::Reply(number, within), until);
        let (args, encoding) = (message.args.to_vec(), message.encoding);
        let asked = Asked { operation: operation.id, number, args, encoding, workflow_id, until };
        self.change(|state| state.asked.push_back(asked));
        Box::pin(operation)
    }

    fn publish(&self, message: Outgoing<'_>) -> Result<(), Error> {
        self.record(&message);
        Ok(())
    }

    fn now(&self) -> Duration {
        self.look().clock.now()
    }

    fn sleep(&self, duration: Duration) -> Operation {
        let until = self.now().saturating_add(duration);
        Box::pin(self.operation(What::Sleep(duration), Some(until)))
    }

    fn stopping(&self) -> Operation {
        let asks = self.owner();
        self.change(|state| state.heeds_stop.insert(asks));
        Box::pin(self.operation(What::Stop, None))
    }

    fn stop(&self) {
        let wakers = self.change(|state| {
            state.is_stopping = true;
            let stops = state.operations.iter().filter(|(_, waiting)| matches!(waiting.what, What::Stop));
            let stops = stops.map(|(id, _)| *id).collect::<Vec<_>>();
            stops.into_iter().filter_map(|id| state.end(id, Ok(Vec::new()))).collect::<Vec<_>>()
        });
        wakers.into_iter().for_each(Waker::wake);
    }

    fn spawn(&self, future: Spawned) {
        let late = self.change(|state| {
            if state.is_closed {
                return Some(future);
            }
            state.spawned.push_back(future);
            None
        });
        drop(late);
    }

    fn log_level(&self) -> Option<Level> {
        Level::from_number(self.log_level.load(Ordering::Relaxed))
    }

    fn log(&self, record: Record<'_>) {
        let log = Log {
            level: record.level,
            target: record.target.to_owned(),
            message: record.message.to_owned(),
            workflow_id: record.workflow_id.map(str::to_owned),
        };
        self.change(|state| state.logs.push(log));
    }
}
