//! Decides which handlers of a service may run at the same time.
//!
//! The rule is Rust's own: any number of `&self` handlers beside one another, or one `&mut self` handler alone. Nobody overtakes: who comes after
//! a `&mut self` handler that waits, waits behind it, so that it is never starved.

use std::collections::VecDeque;

/// How a handler takes its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// `&self`: beside others.
    Shared,
    /// `&mut self`: alone.
    Exclusive,
}

/// Stands for one call, from its arrival until it leaves.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a call that never leaves keeps others out"]
pub struct Ticket {
    number: u64,
    access: Access,
    /// Whether it is one of those that may be refused when they are too many.
    takes_place: bool,
}

impl Ticket {
    /// What [`Gate::leave`] calls the call by. Later calls have greater numbers.
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// What becomes of a call that arrives.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a call that never leaves keeps others out"]
pub enum Arrival {
    /// It runs now.
    Admitted(Ticket),
    /// It runs when [`Gate::leave`] names its number.
    Queued(Ticket),
    /// Too many are there already; it is refused.
    Busy,
}

/// The gate in front of the handlers of one service.
///
/// ```
/// use service_framework_core::gate::{Access, Arrival, Gate};
///
/// let mut gate = Gate::new(1024);
/// let Arrival::Admitted(reader) = gate.arrive(Access::Shared) else { panic!() };
/// let Arrival::Queued(writer) = gate.arrive(Access::Exclusive) else { panic!() };
/// assert_eq!(gate.leave(reader), [writer.number()]);
/// ```
#[derive(Debug)]
pub struct Gate {
    /// The most calls that may be here, running or waiting.
    in_flight: usize,
    /// How many of them are.
    taken: usize,
    next: u64,
    /// `&self` handlers that run.
    shared: usize,
    /// Whether a `&mut self` handler runs.
    exclusive: bool,
    /// In order of arrival, which is the order of numbers.
    waiting: VecDeque<(u64, Access)>,
}

impl Gate {
    /// A gate that refuses a call when `in_flight` others are here.
    pub fn new(in_flight: usize) -> Self {
        Self { in_flight, taken: 0, next: 0, shared: 0, exclusive: false, waiting: VecDeque::new() }
    }

    /// A call arrives that may be refused: a request.
    pub fn arrive(&mut self, access: Access) -> Arrival {
        if self.taken >= self.in_flight { Arrival::Busy } else { self.arrive_always(access) }
    }

    /// A call arrives that is never refused, because something else bounds how many there are: a subscribed message.
    ///
    /// It is never [`Arrival::Busy`].
    pub fn arrive_always(&mut self, access: Access) -> Arrival {
        self.taken += 1;
        let number = self.number();
        self.let_in(Ticket { number, access, takes_place: true })
    }

    /// A call arrives that keeps to the rule and takes no place of others, however long it stays: `main`, a signal.
    ///
    /// It is never [`Arrival::Busy`].
    pub fn arrive_beside(&mut self, access: Access) -> Arrival {
        let number = self.number();
        self.let_in(Ticket { number, access, takes_place: false })
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn let_in(&mut self, ticket: Ticket) -> Arrival {
        let access = ticket.access;
        if self.waiting.is_empty() && self.admits(access) {
            self.admit(access);
            return Arrival::Admitted(ticket);
        }
        self.waiting.push_back((ticket.number, access));
        Arrival::Queued(ticket)
    }

    /// A call ends, or gives up waiting. Gives the numbers of those that run now because of it, in order of arrival.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is good for one leaving")]
    pub fn leave(&mut self, ticket: Ticket) -> Vec<u64> {
        let Ticket { number, access, takes_place } = ticket;
        self.taken -= usize::from(takes_place);
        match (self.waiting.binary_search_by_key(&number, |(waiting, _)| *waiting), access) {
            (Ok(position), _) => _ = self.waiting.remove(position),
            (Err(_), Access::Shared) => self.shared -= 1,
            (Err(_), Access::Exclusive) => self.exclusive = false,
        }
        let mut started = Vec::new();
        while let Some((number, access)) = self.waiting.front().copied()
            && self.admits(access)
        {
            self.waiting.pop_front();
            self.admit(access);
            started.push(number);
        }
        started
    }

    /// How many calls are here, running or waiting.
    pub fn len(&self) -> usize {
        self.running() + self.waiting.len()
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.shared + usize::from(self.exclusive)
    }

    fn admits(&self, access: Access) -> bool {
        match access {
            Access::Shared => !self.exclusive,
            Access::Exclusive => self.running() == 0,
        }
    }

    fn admit(&mut self, access: Access) {
        match access {
            Access::Shared => self.shared += 1,
            Access::Exclusive => self.exclusive = true,
        }
    }
}
