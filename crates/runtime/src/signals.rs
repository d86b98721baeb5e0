//! The signals of a service that runs in the foreground: stop and drain, stop at once, print the counters.

use std::io::Write as _;
use std::sync::Arc;

use parking_lot::Mutex;
use service_framework_core::declaration::Hook;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::{Handle, Signals};

use crate::error::Error;
use crate::thread::{Control, Stop};

/// The exit code of a process that a second signal ends: work was not drained.
const NOT_DRAINED: i32 = 75;

/// Watches the signals of this process for as long as it is there.
#[derive(Debug)]
pub(crate) struct Watch {
    service: Arc<Mutex<State>>,
    handle: Handle,
}

#[derive(Debug, Default)]
struct State {
    control: Option<Arc<Control>>,
    /// The first signal to stop, which may come before there is anything to be stopped.
    first: Option<Hook>,
    /// Whether counters were asked for before there were any.
    asked: bool,
}

impl Watch {
    pub(crate) fn new() -> Result<Self, Error> {
        let system = |error: std::io::Error| Error::System {
            what: "watch for signals".into(),
            why: error.to_string(),
        };
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1]).map_err(system)?;
        let handle = signals.handle();
        let service: Arc<Mutex<State>> = Arc::default();
        let state = Arc::clone(&service);
        let watch = move || {
            for signal in signals.forever() {
                take(&state, signal);
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(watch).map_err(system)?;
        Ok(Self { service, handle })
    }

    /// From here on, signals go to a service that is up; one that came before goes to it now.
    pub(crate) fn hand_to(&self, control: Arc<Control>) {
        let mut state = self.service.lock();
        if let Some(signal) = state.first {
            control.stop_for(Stop::Signal(signal));
        }
        if std::mem::take(&mut state.asked) {
            say(&control.counters().to_json());
        }
        state.control = Some(control);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.close();
    }
}

fn take(state: &Mutex<State>, signal: i32) {
    let mut state = state.lock();
    if signal == SIGUSR1 {
        match &state.control {
            Some(control) => say(&control.counters().to_json()),
            None => state.asked = true,
        }
        return;
    }
    let hook = if signal == SIGINT { Hook::OnSigint } else { Hook::OnSigterm };
    if state.first.is_some() {
        say("stopped at once by a second signal; work in flight is lost");
        std::process::exit(NOT_DRAINED);
    }
    state.first = Some(hook);
    if let Some(control) = &state.control {
        control.stop_for(Stop::Signal(hook));
    }
}

/// Writes a line to stderr. That nobody reads there must not end the watching.
fn say(line: &str) {
    _ = writeln!(std::io::stderr(), "{line}");
}
