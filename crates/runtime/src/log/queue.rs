//! Brings lines from the threads of a service to the thread that writes them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Instant, SystemTime};

use parking_lot::{Condvar, Mutex};

use super::clock::hour;
use super::console;
use super::file::LogFile;

/// How much may wait, in bytes; as much again may be in the hands of the writing thread.
const WAITING: usize = 1 << 20;
/// A batch is no longer than this, in bytes, unless one line is.
const BATCH: usize = 64 << 10;
/// Files are opened, moved and listed on it, nothing deeper.
const STACK: usize = 256 << 10;

/// Lines that are written together: those of one hour.
#[derive(Debug)]
pub(super) struct Batch {
    /// When the first of them was recorded.
    pub(super) at: SystemTime,
    /// The hour of all of them, counted from 1970.
    pub(super) hour: i64,
    /// The lines, each with its end.
    pub(super) text: String,
    /// How many there are.
    pub(super) lines: u64,
}

/// Where a queue's lines are written.
#[derive(Debug)]
pub(super) enum Output {
    Console,
    File(Box<LogFile>),
}

impl Output {
    fn write(&mut self, batch: &Batch, lost: &AtomicU64) {
        match self {
            Self::Console => console::write(batch, lost),
            Self::File(file) => file.write(batch, lost),
        }
    }

    fn finish(&mut self, lost: &AtomicU64) {
        match self {
            Self::Console => {}
            Self::File(file) => file.finish(lost),
        }
    }
}

/// A bounded queue of lines, and the thread at its end.
///
/// One is not `tracing_appender`'s: that one writes to stdout when it cannot stop, gives up what is unwritten
/// after a second, panics without a thread, and counts lines where bytes are what fills a memory.
#[derive(Debug)]
pub(super) struct Queue {
    // Held for as long as it takes to copy a line, so that a service waits for nothing.
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
    lost: AtomicU64,
}

#[derive(Debug)]
struct State {
    batches: VecDeque<Batch>,
    bytes: usize,
    writer: Writer,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    Waiting,
    Writing,
    /// Ends when nothing is left.
    Closing,
    Ended,
}

impl Queue {
    /// Starts the thread that writes to `output`.
    pub(super) fn start(output: Output) -> io::Result<Arc<Self>> {
        let state = State { batches: VecDeque::new(), bytes: 0, writer: Writer::Waiting, thread: None };
        let queue = Arc::new(Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            lost: AtomicU64::new(0),
        });
        let writer = Arc::clone(&queue);
        let thread = thread::Builder::new()
            .name("log".to_owned())
            .stack_size(STACK)
            .spawn(move || writer.run(output))?;
        queue.state.lock().thread = Some(thread);
        Ok(queue)
    }

    /// Gives a line, with its end, to the thread; a full or closed queue loses it.
    pub(super) fn push(&self, at: SystemTime, line: &str) {
        let mut state = self.state.lock();
        let is_open = matches!(state.writer, Writer::Waiting | Writer::Writing);
        if !is_open || state.bytes + line.len() > WAITING {
            drop(state);
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let hour = hour(at);
        state.bytes += line.len();
        match state.batches.back_mut() {
            Some(batch) if batch.hour == hour && batch.text.len() + line.len() <= BATCH => {
                batch.text.push_str(line);
                batch.lines += 1;
            }
            _ => state.batches.push_back(Batch { at, hour, text: line.to_owned(), lines: 1 }),
        }
        drop(state);
        self.filled.notify_one();
    }

    /// How many lines were lost.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until every line that was given is written or lost; false if `deadline` comes first.
    pub(super) fn flush(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while !(state.batches.is_empty() && matches!(state.writer, Writer::Waiting | Writer::Ended)) {
            if self.emptied.wait_until(&mut state, deadline).timed_out() {
                return false;
            }
        }
        true
    }

    /// Takes no more lines, and waits until `deadline` for the thread to write the rest and end.
    pub(super) fn close(&self, deadline: Instant) {
        let mut state = self.state.lock();
        if state.writer == Writer::Ended {
            return;
        }
        state.writer = Writer::Closing;
        self.filled.notify_one();
        while state.writer != Writer::Ended {
            // A disk or a terminal that hangs keeps its thread; the service goes on without.
            if self.emptied.wait_until(&mut state, deadline).timed_out() {
                return;
            }
        }
        let thread = state.thread.take();
        drop(state);
        if let Some(thread) = thread {
            // It has nothing left to do, and nothing to say.
            let _ = thread.join();
        }
    }

    fn run(&self, mut output: Output) {
        while let Some(batch) = self.next() {
            output.write(&batch, &self.lost);
        }
        output.finish(&self.lost);
        self.state.lock().writer = Writer::Ended;
        self.emptied.notify_all();
    }

    /// Waits for lines; none when the queue is closed and empty.
    fn next(&self) -> Option<Batch> {
        let mut state = self.state.lock();
        loop {
            if let Some(batch) = state.batches.pop_front() {
                state.bytes -= batch.text.len();
                if state.writer == Writer::Waiting {
                    state.writer = Writer::Writing;
                }
                return Some(batch);
            }
            if state.writer == Writer::Closing {
                return None;
            }
            state.writer = Writer::Waiting;
            self.emptied.notify_all();
            self.filled.wait(&mut state);
        }
    }
}
