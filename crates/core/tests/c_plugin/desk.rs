//! The host of the plugin in C: keeps what it is told, and answers what it is asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use service_framework_core::plugin::host::{Host, Operation, Spawned};
use service_framework_core::plugin::{Level, Outgoing, Record};
use service_framework_core::value::Bytes;
use service_framework_core::wire::{self, Encoding, Limits, Peer};
use service_framework_core::{Failure, Value, value};

/// A host that answers requests with what it was asked, in capitals.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) records: Mutex<Vec<String>>,
    pub(crate) published: Mutex<Vec<(Option<String>, Value)>>,
    pub(crate) spawned: Mutex<Vec<Spawned>>,
    is_stopping: Arc<AtomicBool>,
}

impl Host for Desk {
    fn encoding(&self, _: u32) -> (Encoding, Peer) {
        (Encoding::MessagePack, Peer::Python)
    }

    fn request(&self, message: Outgoing<'_>) -> Operation {
        assert_eq!(message.connection, 6);
        let args: Value = wire::decode(message.args, message.encoding, &Limits::default()).unwrap();
        let text = args.get("text").unwrap().as_text().unwrap().to_uppercase();
        let id = message.workflow_id.expect("the handler passes it on").into_owned();
        let (encoding, until) = (message.encoding, message.until);
        let mut polls = 0;
        Box::pin(std::future::poll_fn(move |context| {
            polls += 1;
            if polls == 1 {
                // A waker of the host's, through C and back, used by another thread.
                let waker = context.waker().clone();
                std::thread::spawn(move || waker.wake());
                return Poll::Pending;
            }
            if text == "FAIL" {
                return Poll::Ready(Err(Failure::named("audit.closed", "on holiday")));
            }
            let uuid = if id.is_uuid() { "the UUID " } else { "" };
            let text = format!("{text} {uuid}{id} {until:?}");
            Poll::Ready(Ok(wire::encode(&value!({"text": text}), encoding)?.into()))
        }))
    }

    fn publish(&self, message: Outgoing<'_>) -> Result<(), Failure> {
        let args = wire::decode(message.args, message.encoding, &Limits::default())?;
        self.published.lock().unwrap().push((message.topic.map(str::to_owned), args));
        Ok(())
    }

    fn sleep(&self, duration: Duration) -> Operation {
        assert_eq!(duration, Duration::from_millis(1));
        Box::pin(async { Ok(Bytes::new()) })
    }

    fn stopping(&self) -> Operation {
        let is_stopping = Arc::clone(&self.is_stopping);
        Box::pin(std::future::poll_fn(move |_| match is_stopping.load(Ordering::SeqCst) {
            true => Poll::Ready(Ok(Bytes::new())),
            false => Poll::Pending,
        }))
    }

    fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
    }

    fn spawn(&self, future: Spawned) {
        self.spawned.lock().unwrap().push(future);
    }

    fn log_level(&self) -> Option<Level> {
        Some(Level::Info)
    }

    fn log(&self, record: Record<'_>) {
        let text =
            format!("{:?} {} {} {:?}", record.level, record.target, record.message, record.workflow_id);
        self.records.lock().unwrap().push(text);
    }
}
