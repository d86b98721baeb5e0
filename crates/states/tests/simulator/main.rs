//! Owners and readers over a bad network, in virtual time: a copy is always what its owner's state was at the number that it says,
//! and all copies are equal to it soon after the network is good again.
//!
//! A run is all that its seed says. One that fails names it: `STATES_SEED=17 cargo test -p service-framework-states --test simulator`
//! runs that one again; `STATES_SEEDS=1000000` runs that many.

#[path = "../../../zmtp/tests/simulator/dice.rs"]
mod dice;
mod model;
mod owning;
mod reading;
mod rules;
mod seen;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::seen::Seen;
use crate::world::World;

/// How many schedules a test run tries.
const SEEDS: u64 = 10_000;

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number")))
}

#[test]
fn a_copy_is_its_owners_state_at_its_number_and_all_copies_converge() {
    let seeds = match variable("STATES_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("STATES_SEEDS").unwrap_or(SEEDS),
    };
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        match catch_unwind(AssertUnwindSafe(|| World::new(seed).run())) {
            Ok(of_this) => seen.add(&of_this),
            Err(panic) => {
                eprintln!("the schedule that failed: STATES_SEED={seed}");
                resume_unwind(panic);
            }
        }
    }
    eprintln!("{seen:?}");
    // A simulator to which nothing happens proves nothing.
    if seeds.end - seeds.start >= SEEDS {
        assert!(seen.everything_happened(), "{seen:?}");
    }
}
