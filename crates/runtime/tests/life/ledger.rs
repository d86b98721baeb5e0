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
/// The engine cannot half-close a TCP connection: it cannot say that it takes no more and go on sending. A request that arrives between the
/// last reading of a service and the end of its connection is lost, and takes replies along that its client has not read; the caller is
/// told that its peer is gone. How many that may be is what [`check`](Self::check) says.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    sent: Cell<u64>,
    ended: Cell<u64>,
    answered: Cell<u64>,
    /// The last call to which there was a reply, whatever it said.
    last_replied: Cell<u64>,
    /// The first call to which the reply was that the service is stopping.
    first_too_late: Cell<Option<u64>>,
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
                    "stopping" => {
                        let first = self.first_too_late.get().map_or(call, |first| first.min(call));
                        self.first_too_late.set(Some(first));
                    }
                    // A machine that stood still for a while has many calls at once.
                    "busy" => {}
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
    /// a reply. Only handlers that wait, and had begun before others were told that it is too late, answer in any order.
    #[track_caller]
    pub(crate) fn check(&self, handlers: Handlers) {
        assert!(self.lost() <= self.at_loss.get(), "{self:?}");
        let have_begun = match handlers {
            Handlers::Answer => 0,
            Handlers::Wait => self.first_too_late.get().unwrap_or(u64::MAX),
        };
        let may_be_lost = |call: u64| call > self.last_replied.get() || call < have_begun;
        assert!(self.lost.borrow().iter().all(|call| may_be_lost(*call)), "{self:?}");
    }
}
