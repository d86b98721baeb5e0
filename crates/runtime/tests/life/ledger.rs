//! What becomes of the calls of one client while its service ends, and how many of them may be lost.

use std::cell::{Cell, RefCell};

use service_framework_connections::CallError;

use crate::support::Answer;

/// What the handlers do whom a client calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handlers {
    /// They answer at once, and so in the order of calls.
    Answer,
    /// They wait before they answer.
    Wait,
}

impl Handlers {
    /// Those of the client of that number: both kinds have as many.
    pub(crate) fn of(client: usize) -> Self {
        if client.is_multiple_of(2) { Self::Answer } else { Self::Wait }
    }

    /// The connection that has such handlers, of two.
    pub(crate) fn choose<T>(self, answers: T, waits: T) -> T {
        match self {
            Self::Answer => answers,
            Self::Wait => waits,
        }
    }
}

/// The calls of one client, by numbers in the order in which they were sent, from 1.
///
/// A request may come after the last reading of a service and before its client has heard of the end. It is not run, and its caller is told
/// that the peer is gone; so much may be lost, and [`check`](Self::check) says that it is no more. What was sent before is answered, or
/// refused.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    sent: Cell<u64>,
    ended: Cell<u64>,
    answered: Cell<u64>,
    /// The last call to which there was a reply, whatever it said.
    last_replied: Cell<u64>,
    lost: RefCell<Vec<u64>>,
    /// How many calls were in flight when the first was lost.
    at_loss: Cell<u64>,
}

impl Ledger {
    /// A call is sent: its number.
    pub(crate) fn send(&self) -> u64 {
        self.sent.set(self.sent.get() + 1);
        self.sent.get()
    }

    /// A call ends: with a result, which is given, refused, lost, or never sent.
    pub(crate) fn end(
        &self,
        call: u64,
        reply: Result<Answer, CallError>,
    ) -> Option<service_framework_core::Value> {
        let in_flight = self.sent.get() - self.ended.replace(self.ended.get() + 1);
        let answer = match reply {
            Ok(answer) => answer,
            Err(CallError::PeerLost) => {
                if self.lost.borrow().is_empty() {
                    self.at_loss.set(in_flight);
                }
                self.lost.borrow_mut().push(call);
                return None;
            }
            // It never left.
            Err(error) => {
                assert!(matches!(error, CallError::Closed | CallError::NotConnected), "{error}");
                return None;
            }
        };
        self.last_replied.set(self.last_replied.get().max(call));
        match answer.outcome {
            Ok(value) => {
                self.answered.set(self.answered.get() + 1);
                Some(value)
            }
            Err((code, message)) => {
                match &*code {
                    // A machine that stood still for a while has many calls at once.
                    "stopping" | "busy" => {}
                    _ => panic!("{code}: {message}"),
                }
                None
            }
        }
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.get()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.borrow().len() as u64
    }

    /// Lost is at most what was in flight when the connection ended, and of that what was sent last: after the last call to which there was
    /// a reply.
    #[track_caller]
    pub(crate) fn check(&self) {
        assert!(self.lost() <= self.at_loss.get(), "{self:?}");
        let last = self.last_replied.get();
        assert!(self.lost.borrow().iter().all(|call| *call > last), "{self:?}");
    }
}
