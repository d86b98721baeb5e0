//! Two cores against each other over a bad network, in virtual time: whatever is done to the bytes on their way, what arrives
//! is what was sent, and a peer counts as silent only when it is.
//!
//! A run is all that its seed says. One that fails names it: `ZMTP_SEED=17 cargo test -p service-framework-zmtp --test simulator`
//! runs that one again; `ZMTP_SEEDS=1000000` runs that many.

mod network;
mod schedule;
mod security;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::world::World;

/// How many schedules a test run tries.
const SEEDS: u64 = 10_000;

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number")))
}

#[test]
fn what_arrives_is_what_was_sent_and_only_the_silent_count_as_silent() {
    let seeds = match variable("ZMTP_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("ZMTP_SEEDS").unwrap_or(SEEDS),
    };
    let mut seen = world::Seen::default();
    for seed in seeds.clone() {
        let run = catch_unwind(AssertUnwindSafe(|| World::new(seed).run()));
        match run {
            Ok(of_this) => seen.add(&of_this),
            Err(panic) => {
                eprintln!("the schedule that failed: ZMTP_SEED={seed}");
                resume_unwind(panic);
            }
        }
    }
    eprintln!("{seen:?}");
    // A simulator to which nothing happens proves nothing.
    if seeds.end - seeds.start >= SEEDS {
        let all_happened = [
            seen.messages,
            seen.lost_by_cuts,
            seen.silences,
            seen.handshakes_given_up,
            seen.refused,
            seen.ticks,
            seen.subscriptions,
            seen.late,
            if cfg!(feature = "curve") { seen.encrypted } else { usize::MAX },
        ];
        assert!(all_happened.iter().all(|count| *count > 100), "{seen:?}");
    }
}
