//! The gate against its rule, over any order of arriving, leaving and giving up.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use service_framework_core::gate::{Access, Arrival, Gate, Ticket};

const IN_FLIGHT: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive(Access),
    ArriveAlways(Access),
    ArriveBeside(Access),
    /// The one at this position, running or waiting, leaves.
    Leave(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let access = || prop_oneof![3 => Just(Access::Shared), 1 => Just(Access::Exclusive)];
    let step = prop_oneof![
        4 => access().prop_map(Step::Arrive),
        1 => access().prop_map(Step::ArriveAlways),
        1 => access().prop_map(Step::ArriveBeside),
        4 => (0..16_usize).prop_map(Step::Leave),
    ];
    prop::collection::vec(step, 0..200)
}

/// What is at the gate, by number, as a stranger who watches it would write it down.
#[derive(Default)]
struct Watched {
    running: BTreeMap<u64, (Ticket, Access)>,
    waiting: BTreeMap<u64, (Ticket, Access)>,
    /// Those that take no place.
    beside: BTreeSet<u64>,
}

impl Watched {
    fn arrived(&mut self, arrival: Arrival, access: Access) -> Option<u64> {
        let (list, ticket) = match arrival {
            Arrival::Admitted(ticket) => (&mut self.running, ticket),
            Arrival::Queued(ticket) => (&mut self.waiting, ticket),
            Arrival::Busy => return None,
        };
        let number = ticket.number();
        list.insert(number, (ticket, access));
        Some(number)
    }

    fn take(&mut self, position: usize) -> Option<Ticket> {
        let numbers: Vec<u64> = self.running.keys().chain(self.waiting.keys()).copied().collect();
        let number = *numbers.get(position % numbers.len().max(1))?;
        self.beside.remove(&number);
        self.running.remove(&number).or_else(|| self.waiting.remove(&number)).map(|(ticket, _)| ticket)
    }

    fn check(&self, gate: &Gate) {
        let exclusive = self.running.values().filter(|(_, access)| *access == Access::Exclusive).count();
        assert!(exclusive == 0 || self.running.len() == 1, "a `&mut self` handler runs alone");
        if let Some((_, (_, access))) = self.waiting.first_key_value() {
            let may_run = self.running.is_empty() || *access == Access::Shared && exclusive == 0;
            assert!(!may_run, "the first that waits has a reason to");
        }
        assert_eq!(
            (gate.running(), gate.len()),
            (self.running.len(), self.running.len() + self.waiting.len())
        );
    }
}

proptest! {
    #[test]
    fn the_rule_holds_after_every_step(steps in steps()) {
        let mut gate = Gate::new(IN_FLIGHT);
        let mut watched = Watched::default();
        let mut last = None;
        for step in steps {
            match step {
                Step::Arrive(access) => {
                    let was_full = gate.len() - watched.beside.len() >= IN_FLIGHT;
                    let nobody_waits = watched.waiting.is_empty();
                    let number = watched.arrived(gate.arrive(access), access);
                    prop_assert_eq!(number.is_none(), was_full);
                    prop_assert!(number > last || number.is_none(), "numbers grow");
                    last = number.max(last);
                    if let Some(number) = number && !nobody_waits {
                        prop_assert!(watched.waiting.contains_key(&number), "nobody overtakes");
                    }
                }
                Step::ArriveAlways(access) => {
                    let number = watched.arrived(gate.arrive_always(access), access);
                    prop_assert!(number > last, "it is never refused");
                    last = number;
                }
                Step::ArriveBeside(access) => {
                    let number = watched.arrived(gate.arrive_beside(access), access);
                    prop_assert!(number > last, "it is never refused");
                    watched.beside.extend(number);
                    last = number;
                }
                Step::Leave(position) => {
                    let Some(ticket) = watched.take(position) else { continue };
                    for number in gate.leave(ticket) {
                        let first = watched.waiting.pop_first().expect("only those that wait are started");
                        prop_assert_eq!(first.0, number, "in order of arrival");
                        watched.running.insert(first.0, first.1);
                    }
                }
            }
            watched.check(&gate);
        }
        while let Some(ticket) = watched.take(0) {
            for number in gate.leave(ticket) {
                let started = watched.waiting.remove(&number).expect("only those that wait are started");
                watched.running.insert(number, started);
            }
            watched.check(&gate);
        }
        prop_assert!(gate.is_empty(), "everybody got out");
    }
}

#[test]
fn those_behind_one_that_gives_up_go_on() {
    let mut gate = Gate::new(8);
    let Arrival::Admitted(first) = gate.arrive(Access::Shared) else { panic!("nobody is there") };
    let Arrival::Queued(writer) = gate.arrive(Access::Exclusive) else { panic!("one runs") };
    let Arrival::Queued(second) = gate.arrive(Access::Shared) else { panic!("one waits in front") };
    assert_eq!(gate.leave(writer), [second.number()]);
    assert_eq!(gate.leave(first), []);
    assert_eq!(gate.leave(second), []);
}
