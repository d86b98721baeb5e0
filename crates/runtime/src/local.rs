//! What the thread of a service holds: its instance, its sockets, and who may run now.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use service_framework_connections::Counters as SocketCounters;
use service_framework_core::declaration::{ConnectionModel, Declaration, Hook, Run};
use service_framework_core::gate::{Access, Arrival, Gate, Ticket};
use service_framework_core::plugin::host::Instance;
use service_framework_core::settings::{ConnectionSettings, ServiceSettings};
use service_framework_core::wiring::Wiring;
use service_framework_core::workflow::WorkflowId;
use tokio::sync::{Semaphore, watch};

use crate::background::Background;
use crate::connection::Connection;
use crate::control::Stop;
use crate::counters::{Counters, Entry, StateSource};
use crate::plan::Plan;
use crate::rounds::Rounds;
use crate::states::{self, Handling, State};
use crate::watchdog::Watched;

/// How many publications may be made before others have their turn.
const PUBLICATIONS: usize = 256;

/// What the thread of a service holds.
pub(crate) struct Local {
    pub(crate) declaration: Declaration,
    pub(crate) instance: Instance,
    pub(crate) rounds: Rounds,
    /// The threads that blocking handlers may take.
    pub(crate) handler_threads: Arc<Semaphore>,
    /// The threads that blocking functions of external targets may take.
    pub(crate) target_threads: Arc<Semaphore>,
    counters: Arc<Counters>,
    wiring: Wiring,
    connections: Vec<Connection>,
    /// The handlers by their numbers: those of connections, then those of states.
    handlers: Vec<ConnectionModel>,
    states: OnceCell<Vec<State>>,
    /// The updates that wait for the handlers of states.
    handling: Vec<Rc<Handling>>,
    gate: RefCell<Gate>,
    /// Calls that wait at the gate, by their numbers.
    waiting: RefCell<HashMap<u64, Option<Waker>>>,
    /// Calls of each connection that have begun and not ended.
    in_work: Vec<Cell<usize>>,
    /// Messages of each connection that were received and have not begun.
    queued: Vec<Cell<usize>>,
    /// How many connections may still begin something.
    intakes: Cell<usize>,
    /// Publications that did not have to wait since others had their turn.
    published: Cell<usize>,
    on_idle: RefCell<Option<Waker>>,
    watched: Arc<Watched>,
    background: Background,
    stopping: watch::Receiver<Stop>,
    is_stopping: Cell<bool>,
    is_drained: Cell<bool>,
}

impl Local {
    pub(crate) fn new(
        plan: &Plan,
        instance: Instance,
        connections: Vec<Connection>,
        counters: Arc<Counters>,
        rounds: Rounds,
        stopping: watch::Receiver<Stop>,
    ) -> Self {
        let handlers = states::handlers(&plan.declaration);
        Self {
            declaration: plan.declaration.clone(),
            instance,
            rounds,
            handler_threads: Arc::new(Semaphore::new(plan.wiring.service.blocking_threads)),
            target_threads: Arc::new(Semaphore::new(plan.wiring.service.blocking_threads)),
            counters,
            gate: RefCell::new(Gate::new(plan.wiring.service.in_flight)),
            wiring: plan.wiring.clone(),
            waiting: RefCell::default(),
            in_work: handlers.iter().map(|_| Cell::new(0)).collect(),
            queued: handlers.iter().map(|_| Cell::new(0)).collect(),
            handlers,
            states: OnceCell::new(),
            handling: plan.declaration.states.iter().map(|_| Rc::default()).collect(),
            intakes: Cell::new(0),
            published: Cell::new(0),
            connections,
            on_idle: RefCell::default(),
            watched: Arc::new(Watched::new(&plan.declaration)),
            background: Background::default(),
            stopping,
            is_stopping: Cell::new(false),
            is_drained: Cell::new(false),
        }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.len()
    }

    pub(crate) fn connection(&self, number: usize) -> &Connection {
        &self.connections[number]
    }

    /// A publication did not have to wait; says whether it should all the same, so that who publishes without pause leaves turns to others.
    pub(crate) fn is_due_to_give_way(&self) -> bool {
        let published = self.published.get() + 1;
        self.published.set(published % PUBLICATIONS);
        published == PUBLICATIONS
    }

    /// What the sockets of all connections have carried.
    pub(crate) fn sockets(&self) -> Vec<Arc<SocketCounters>> {
        self.connections.iter().filter_map(Connection::counters).cloned().collect()
    }

    /// What is declared of a handler.
    pub(crate) fn model(&self, number: usize) -> &ConnectionModel {
        &self.handlers[number]
    }

    /// The settings of a connection, or of the socket by which the updates of a state go.
    pub(crate) fn settings(&self, number: usize) -> &ConnectionSettings {
        let connection = self.wiring.connections.get(number);
        let state = || &self.wiring.states[number - self.wiring.connections.len()].updates;
        &connection.unwrap_or_else(state).settings
    }

    pub(crate) fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// The states, once they are begun.
    pub(crate) fn states(&self) -> &[State] {
        self.states.get().map_or(&[], Vec::as_slice)
    }

    /// To be called once.
    pub(crate) fn set_states(&self, states: Vec<State>) {
        let is_first = self.states.set(states).is_ok();
        debug_assert!(is_first, "states are begun once");
    }

    pub(crate) fn watch_state(&self, position: usize, source: StateSource) {
        self.counters.watch_state(position, source);
    }

    /// Has the handler of a state called, unless the service is to stop: what comes then is no work that was begun.
    pub(crate) fn handle_update(&self, position: usize, args: Vec<u8>, id: WorkflowId<'static>) {
        if self.is_stopping() {
            return;
        }
        let number = self.connections.len() + position;
        let wired = &self.wiring.states[position];
        let room = (wired.settings.queue, wired.updates.settings.queue_bytes);
        let dropped = self.handling[position].push(args, id, room);
        (0..dropped).for_each(|_| states::handling::count_dropped(self, number));
    }

    /// The updates that wait for the handler of a state.
    pub(crate) fn handling(&self, position: usize) -> &Rc<Handling> {
        &self.handling[position]
    }

    pub(crate) fn service_settings(&self) -> &ServiceSettings {
        &self.wiring.service
    }

    pub(crate) fn counters(&self, number: usize) -> &Entry {
        self.counters.of(number)
    }

    pub(crate) fn hook(&self, hook: Hook) -> Option<Run> {
        self.declaration.hook(hook)
    }

    pub(crate) fn watched(&self) -> &Arc<Watched> {
        &self.watched
    }

    pub(crate) fn background(&self) -> &Background {
        &self.background
    }

    /// Ends when the service is to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<Stop> {
        self.stopping.clone()
    }

    /// From here on, intake takes what has arrived and refuses what comes after.
    pub(crate) fn begin_stop(&self) {
        self.is_stopping.set(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.get()
    }

    /// From here on, intake begins nothing any more: all that was to be done is, or the time for it is over.
    pub(crate) fn end_drain(&self) {
        self.is_drained.set(true);
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.is_drained.get()
    }

    /// Tells how many received messages of a connection wait to be begun.
    pub(crate) fn queue(&self, number: usize, messages: usize) {
        self.queued[number].set(messages);
    }

    /// How a handler of a connection takes the service.
    fn access(&self, number: usize) -> Access {
        if self.model(number).exclusive { Access::Exclusive } else { Access::Shared }
    }

    /// Lets a request in, makes it wait, or refuses it.
    pub(crate) fn enter(self: &Rc<Self>, number: usize) -> Entrance {
        let arrival = self.gate.borrow_mut().arrive(self.access(number));
        self.entrance(Some(number), arrival)
    }

    /// Lets a message in that something else bounds the number of, now or at its turn.
    pub(crate) fn enter_always(self: &Rc<Self>, number: usize) -> Result<Pass, Turn> {
        let arrival = self.gate.borrow_mut().arrive_always(self.access(number));
        self.never_busy(Some(number), arrival)
    }

    /// Lets a method in beside the handlers, at its turn.
    pub(crate) async fn enter_beside(self: &Rc<Self>) -> Pass {
        let arrival = self.gate.borrow_mut().arrive_beside(Access::Shared);
        match self.never_busy(None, arrival) {
            Ok(pass) => pass,
            Err(turn) => turn.come().await,
        }
    }

    fn never_busy(self: &Rc<Self>, number: Option<usize>, arrival: Arrival) -> Result<Pass, Turn> {
        match self.entrance(number, arrival) {
            Entrance::Now(pass) => Ok(pass),
            Entrance::Later(turn) => Err(turn),
            Entrance::Busy => unreachable!("only a request is refused"),
        }
    }

    fn entrance(self: &Rc<Self>, number: Option<usize>, arrival: Arrival) -> Entrance {
        let pass = |ticket| {
            if let Some(number) = number {
                let count = &self.in_work[number];
                count.set(count.get() + 1);
            }
            Pass { local: Rc::clone(self), number, ticket: Some(ticket) }
        };
        match arrival {
            Arrival::Admitted(ticket) => Entrance::Now(pass(ticket)),
            Arrival::Queued(ticket) => {
                self.waiting.borrow_mut().insert(ticket.number(), None);
                Entrance::Later(Turn(pass(ticket)))
            }
            Arrival::Busy => Entrance::Busy,
        }
    }

    fn leave(&self, number: Option<usize>, ticket: Ticket) {
        let mut waiting = self.waiting.borrow_mut();
        // Mostly nobody waits.
        if !waiting.is_empty() {
            waiting.remove(&ticket.number());
        }
        let started = self.gate.borrow_mut().leave(ticket);
        let wakers: Vec<Waker> = started.iter().filter_map(|turn| waiting.remove(turn).flatten()).collect();
        drop(waiting);
        wakers.into_iter().for_each(Waker::wake);
        if let Some(number) = number {
            let count = &self.in_work[number];
            count.set(count.get() - 1);
        }
        self.tell_idle();
    }

    fn tell_idle(&self) {
        if let Some(waker) = self.on_idle.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Ends when no handler of a connection runs or waits, and none will begin.
    pub(crate) async fn idle(&self) {
        poll_fn(|context| {
            if self.intakes.get() == 0 && self.in_work.iter().all(|count| count.get() == 0) {
                return Poll::Ready(());
            }
            *self.on_idle.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// What runs or waits, by connection.
    pub(crate) fn in_work(&self) -> Vec<String> {
        let counts =
            self.in_work.iter().zip(&self.queued).map(|(running, queued)| running.get() + queued.get());
        let updates = self.handling.iter().map(|handling| handling.len());
        let connections = self.connections.len();
        let counts = counts.enumerate().map(|(number, count)| match number.checked_sub(connections) {
            Some(position) => count + updates.clone().nth(position).unwrap_or_default(),
            None => count,
        });
        let counts = self.handlers.iter().zip(counts).filter(|(_, count)| *count > 0);
        counts.map(|(model, count)| format!("{} ({count})", model.name)).collect()
    }

    /// Closes all sockets, letting what was sent leave.
    pub(crate) async fn close(&self, linger: Duration) {
        // All at once, so that one whose peer reads nothing takes no time from the others.
        let connections = self.connections.iter().map(|connection| connection.close(linger));
        let states = self.states().iter().map(|state| state.close(linger));
        let mut closing: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
        closing.extend(connections.map(|closing| Box::pin(closing) as _));
        closing.extend(states.map(|closing| Box::pin(closing) as _));
        poll_fn(|context| {
            closing.retain_mut(|closing| closing.as_mut().poll(context).is_pending());
            if closing.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Stands for a connection that may begin something. Dropping it says that nothing comes any more.
pub(crate) struct Intake(Rc<Local>);

impl Intake {
    pub(crate) fn open(local: &Rc<Local>) -> Self {
        local.intakes.set(local.intakes.get() + 1);
        Self(Rc::clone(local))
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.0.intakes.set(self.0.intakes.get() - 1);
        self.0.tell_idle();
    }
}

/// What becomes of a call at the gate.
pub(crate) enum Entrance {
    Now(Pass),
    Later(Turn),
    Busy,
}

/// A call that waits for its turn. Dropping it gives up.
pub(crate) struct Turn(Pass);

impl Turn {
    /// Waits for the turn.
    pub(crate) async fn come(self) -> Pass {
        let Self(pass) = self;
        let number = pass.ticket.as_ref().map(Ticket::number);
        poll_fn(|context| {
            let mut waiting = pass.local.waiting.borrow_mut();
            match number.and_then(|number| waiting.get_mut(&number)) {
                Some(waker) => {
                    *waker = Some(context.waker().clone());
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }
        })
        .await;
        pass
    }
}

/// Stands for a call inside the gate. Dropping it leaves.
pub(crate) struct Pass {
    local: Rc<Local>,
    number: Option<usize>,
    ticket: Option<Ticket>,
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.local.leave(self.number, ticket);
        }
    }
}
