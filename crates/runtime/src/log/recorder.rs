//! Takes records, from `tracing` or by name, and hands their lines to the console and the file.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use super::Dropped;
use super::clock::Clock;
use super::level::Level;
use super::line::{self, Message};
use super::queue::Queue;
use super::workflow;

/// A line's buffer is kept for the next line if it did not grow beyond this, in bytes.
const KEPT: usize = 4 * 1024;

thread_local! {
    static LINE: Cell<String> = const { Cell::new(String::new()) };
}

/// Where a service's records are given; cheap to clone, and for any thread.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    service: String,
    clock: Clock,
    console: Option<Sink>,
    file: Option<Sink>,
    most: Level,
    spans: AtomicU64,
}

/// One of the places to which lines go.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) level: Level,
    pub(super) colours: bool,
    pub(super) queue: Arc<Queue>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        // Without a `Log` that waited before, nobody waits: the thread writes what it has and ends.
        self.queue.close(Instant::now());
    }
}

impl Recorder {
    pub(super) fn new(service: String, clock: Clock, console: Option<Sink>, file: Option<Sink>) -> Self {
        let most = console.iter().chain(&file).map(|sink| sink.level).max().unwrap_or(Level::Off);
        Self(Arc::new(Inner { service, clock, console, file, most, spans: AtomicU64::new(1) }))
    }

    /// Whether a record of `level` would be written anywhere.
    pub fn enabled(&self, level: Level) -> bool {
        level != Level::Off && level <= self.0.most
    }

    /// Writes a record that does not come by `tracing`: one that crossed the plugin boundary.
    ///
    /// Without a `workflow_id` it has the one that this thread has entered, if any.
    pub fn record(&self, level: Level, target: &str, message: &str, workflow_id: Option<&str>) {
        if self.enabled(level) {
            self.write(level, target, message, workflow_id);
        }
    }

    /// Writes a record to the file alone, for what whoever reads the console is told otherwise.
    pub fn record_in_file(&self, level: Level, target: &str, message: &str) {
        let at = self.0.clock.now();
        let mut line = String::new();
        line::columns(&mut line, at, &self.0.service, target, None);
        let _ = line::message(&mut line, level, message);
        if let Some(file) = self.0.file.as_ref().filter(|file| level <= file.level) {
            file.queue.push(at, &line);
        }
    }

    /// How many lines were lost since the log was opened.
    pub fn dropped(&self) -> Dropped {
        let lost = |sink: &Option<Sink>| sink.as_ref().map_or(0, |sink| sink.queue.lost());
        Dropped { console: lost(&self.0.console), file: lost(&self.0.file) }
    }

    /// Waits, at most for `limit`, until what was recorded so far is written or lost; false if it is not.
    #[must_use]
    pub fn flush(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        // One that takes nothing keeps no other from being waited for.
        self.sinks().filter(|sink| !sink.queue.flush(deadline)).count() == 0
    }

    pub(super) fn sinks(&self) -> impl Iterator<Item = &Sink> {
        self.0.console.iter().chain(&self.0.file)
    }

    fn write(&self, level: Level, target: &str, message: &(impl Message + ?Sized), id: Option<&str>) {
        // Taken, not borrowed: what formats itself may log, and a thread that is ending has no buffer.
        let mut line = LINE.try_with(Cell::take).unwrap_or_default();
        line.clear();
        let at = self.0.clock.now();
        let mut columns = |id: Option<&str>| line::columns(&mut line, at, &self.0.service, target, id);
        match id {
            Some(_) => columns(id),
            None => workflow::with_current(columns),
        }
        let place = line::message(&mut line, level, message);
        for sink in self.sinks().filter(|sink| level <= sink.level) {
            match sink.colours {
                true => sink.queue.push(at, &line::coloured(&line, level, place.clone())),
                false => sink.queue.push(at, &line),
            }
        }
        if line.capacity() <= KEPT {
            // A thread that is ending keeps nothing.
            let _ = LINE.try_with(|kept| kept.set(line));
        }
    }

    /// Spans are not written, so they are not made.
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        !metadata.is_span() && self.enabled(Level::from(*metadata.level()))
    }
}

impl Subscriber for Recorder {
    // The level never changes, so a callsite need not ask again. Where services of one process want different
    // levels, tracing sees that their answers differ and asks `enabled` of the thread's own.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.most.into())
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.0.spans.fetch_add(1, Ordering::Relaxed).max(1))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        self.write(Level::from(*metadata.level()), metadata.target(), event, None);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
