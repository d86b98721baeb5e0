//! A service that may not leave its thread, and a host that it asks for nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use service_framework_core::declaration::{Declaration, Hook, Run};
use service_framework_core::model::Shape;
use service_framework_core::plugin::guest::{self, Guest, Movable, Outcome};
use service_framework_core::plugin::host::{Host, Linked, Operation, Spawned};
use service_framework_core::plugin::{Call, Level, Outgoing, Record, abi};
use service_framework_core::wire::{Encoding, Peer};
use service_framework_core::{Failure, Value};

/// A service with a blocking `main`, which says where it ends.
pub(crate) struct Homebody;

impl Guest for Homebody {
    type Blocking = guest::Host;

    const MOVABLE: Option<Movable<Self>> = None;

    fn declare() -> Declaration {
        Declaration {
            name: "homebody".into(),
            version: "1.0.0".into(),
            doc: String::new(),
            checks_messages: true,
            config: Shape::Any,
            states: Vec::new(),
            connections: Vec::new(),
            hooks: vec![(Hook::Main, Run::Blocking)],
        }
    }

    fn setup(_: Hook, _: Value) -> Result<Value, Failure> {
        Err(Failure::msg("there is nothing to set up"))
    }

    fn create(host: guest::Host, _: &[u8]) -> Result<(Arc<Self>, guest::Host), Failure> {
        Ok((Arc::new(Self), host))
    }

    fn start(self: &Arc<Self>, _: &guest::Host, _: Call<'_>) -> guest::Started {
        guest::Started::Ready(Ok(b"at home".into()))
    }

    fn run(_: &guest::Host, _: Call<'_>) -> Outcome {
        Ok(b"elsewhere".into())
    }

    fn end(instance: Option<Arc<Self>>, host: guest::Host) {
        let message = if instance.is_some() { "ended" } else { "left where it is" };
        host.log(&Record { level: Level::Info, target: "homebody", message, workflow_id: None });
    }
}

impl Linked for Homebody {
    const TABLE: &'static abi::Plugin = &guest::table::<Self>();
}

/// A host that is asked for nothing, and keeps what it is told.
#[derive(Default)]
pub(crate) struct Listener(Mutex<Vec<String>>);

impl Listener {
    pub(crate) fn hear(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Host for Listener {
    fn encoding(&self, _: u32) -> (Encoding, Peer) {
        (Encoding::MessagePack, Peer::Any)
    }

    fn request(&self, _: Outgoing<'_>) -> Operation {
        Box::pin(std::future::pending())
    }

    fn publish(&self, _: Outgoing<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn sleep(&self, _: Duration) -> Operation {
        Box::pin(std::future::pending())
    }

    fn stopping(&self) -> Operation {
        Box::pin(std::future::pending())
    }

    fn stop(&self) {}

    fn spawn(&self, _: Spawned) {}

    fn log_level(&self) -> Option<Level> {
        None
    }

    fn log(&self, record: Record<'_>) {
        self.hear(record.message);
    }
}
