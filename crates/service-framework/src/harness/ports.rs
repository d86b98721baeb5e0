//! What a service under test sends, and what the test does with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use service_framework_core::wire::{self, Encoding, Limits};

use super::world::Outcome;
use crate::{Error, Model, Result, Value};

/// A message that the service sent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sent {
    pub(super) number: usize,
    /// What it says.
    pub args: Value,
    /// The topic that it went out under.
    pub topic: Option<String>,
    /// The workflow that it is part of.
    pub workflow_id: String,
    /// The time since the harness was made.
    pub at: Duration,
}

/// Answers encoded arguments in their own encoding.
pub(super) type Replier = Box<dyn FnMut(&[u8], Encoding) -> Outcome>;

/// What becomes of the requests by one connection.
pub(super) enum Answer {
    /// A closure answers, after a time.
    Reply(Duration, Replier),
    /// Nobody does.
    Never,
}

impl Answer {
    pub(super) fn new<A: Model, R: Model>(
        delay: Duration,
        mut answer: impl FnMut(A) -> Result<R> + 'static,
    ) -> Self {
        let answer = move |args: &[u8], encoding| {
            // A real peer checks what it is sent, and so does this one.
            let args = wire::decode(args, encoding, &Limits::default())
                .map_err(|fault| Error::new("bad_args", fault.within("args").to_string()))?;
            Ok(wire::encode(&answer(args)?, encoding)?)
        };
        Self::Reply(delay, Box::new(answer))
    }
}

/// The answers of the test, by the numbers of connections.
#[derive(Default)]
pub(super) struct Ports(RefCell<HashMap<usize, Answer>>);

impl Ports {
    pub(super) fn answer(&self, number: usize, answer: Answer) {
        self.0.borrow_mut().insert(number, answer);
    }

    /// What the test has for a connection, while it is used; the closure may itself use the harness.
    pub(super) fn with<T>(&self, number: usize, step: impl FnOnce(Option<&mut Answer>) -> T) -> T {
        let mut answer = self.0.borrow_mut().remove(&number);
        let result = step(answer.as_mut());
        if let Some(answer) = answer {
            self.0.borrow_mut().entry(number).or_insert(answer);
        }
        result
    }
}
