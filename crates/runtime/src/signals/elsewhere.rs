//! What SIGINT and SIGTERM do while no service watches them: what they did before the first one was watched.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// The signals that a program waits for to end it. SIGUSR1, which would, too, stays without effect: nobody means that by it.
const ENDING: [i32; 2] = [SIGINT, SIGTERM];

/// Says that signals are watched for as long as it is there.
#[derive(Debug)]
pub(super) struct Claim(());

struct Claims {
    /// How many there are.
    held: usize,
    /// Whether they have their default effect; there once the handlers are installed that look at it.
    ///
    /// A handler stays for the life of the process, as those of other libraries may stand on it, and the system's default is gone by it.
    is_default: Option<Arc<AtomicBool>>,
    /// Those that have one.
    ending: Vec<i32>,
}

static CLAIMS: Mutex<Claims> = Mutex::new(Claims { held: 0, is_default: None, ending: Vec::new() });

impl Claim {
    pub(super) fn new() -> io::Result<Self> {
        let mut claims = CLAIMS.lock();
        if claims.is_default.is_none() {
            let is_default = Arc::new(AtomicBool::new(false));
            for signal in ENDING.into_iter().filter(|signal| has_default_effect(*signal)) {
                flag::register_conditional_default(signal, Arc::clone(&is_default))?;
                claims.ending.push(signal);
            }
            claims.is_default = Some(is_default);
        }
        claims.held += 1;
        claims.tell();
        Ok(Self(()))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claims = CLAIMS.lock();
        claims.held -= 1;
        claims.tell();
    }
}

/// Gives a signal that came while it was watched, and that no service took, the effect that it has now. If it is watched still, it was seen there, too; and so it was by a program that
/// handles it itself.
pub(super) fn let_through(signal: i32) {
    let is_due = {
        let claims = CLAIMS.lock();
        claims.held == 0 && claims.ending.contains(&signal)
    };
    if is_due {
        // This ends the process; if it cannot, the signal is lost, and the next one tries again.
        _ = low_level::emulate_default_handler(signal);
    }
}

impl Claims {
    fn tell(&self) {
        if let Some(is_default) = &self.is_default {
            is_default.store(self.held == 0, Ordering::SeqCst);
        }
    }
}

/// Whether the program neither handles a signal itself nor ignores it, as one under `nohup` does.
///
/// Linux tells it in a file; where there is none, a program that handles signals itself is not known.
fn has_default_effect(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let is_in = |set: &str| {
        let bits = status.lines().find_map(|line| line.strip_prefix(set)).map(str::trim);
        bits.and_then(|bits| u64::from_str_radix(bits, 16).ok())
            .is_some_and(|bits| bits >> (signal - 1) & 1 == 1)
    };
    !is_in("SigCgt:") && !is_in("SigIgn:")
}
