//! Two cores against each other over a bad network, and sockets over connections of which old ones are still in use at one end.
//!
//! `world` has virtual time: bytes come late, in pieces, or no more, and connections are cut. Whatever is done to the bytes of a connection, what arrives is what was
//! sent, and a peer counts as silent only when it is. A core has one connection: bytes never change their order in it, as no carrier of ZMTP does that.
//!
//! What can come in another order is what different connections between the same sockets bring. `sockets` has that: a server still hears the old connection, or answers by it,
//! while the client uses the next. No clock runs there, so that neither heartbeats nor the pauses of `Socket::dial` are in it; connections are opened by hand.
//!
//! A run is all that its seed says. One that fails names it: `ZMTP_SEED=17 cargo test -p service-framework-zmtp --test simulator`
//! runs that one again; `ZMTP_SEEDS=1000000` runs that many.

mod dice;
mod network;
mod security;
#[cfg(feature = "tokio")]
mod sockets;
mod world;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::world::World;

/// How many schedules a test run tries.
const SEEDS: u64 = 10_000;

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number")))
}

/// The seeds to be tried.
fn seeds() -> Range<u64> {
    match variable("ZMTP_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("ZMTP_SEEDS").unwrap_or(SEEDS),
    }
}

/// Runs what a seed says, and names the seed if that fails.
fn try_seed<T>(seed: u64, run: impl FnOnce(u64) -> T) -> T {
    catch_unwind(AssertUnwindSafe(|| run(seed))).unwrap_or_else(|panic| {
        eprintln!("the schedule that failed: ZMTP_SEED={seed}");
        resume_unwind(panic);
    })
}

#[test]
fn what_arrives_is_what_was_sent_and_only_the_silent_count_as_silent() {
    let mut seen = world::Seen::default();
    for seed in seeds() {
        seen.add(&try_seed(seed, |seed| World::new(seed).run()));
    }
    eprintln!("{seen:?}");
    // A simulator to which nothing happens proves nothing.
    if seeds().end - seeds().start >= SEEDS {
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

#[cfg(feature = "tokio")]
#[test]
fn what_an_old_connection_brings_is_not_taken_for_what_the_new_one_does() {
    let mut seen = sockets::Seen::default();
    for seed in seeds() {
        seen.add(&try_seed(seed, sockets::run));
    }
    eprintln!("{seen:?}");
    if seeds().end - seeds().start >= SEEDS {
        assert!(seen.counts().iter().all(|count| *count > 100), "{seen:?}");
    }
}
