//! The signals of a service that runs in the foreground: stop and drain, stop at once, print the counters.

mod elsewhere;

use std::io::Write as _;
use std::sync::Arc;

use service_framework_core::declaration::Hook;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::{Handle, Signals};

use self::elsewhere::Claim;
use crate::control::{Control, Stop};
use crate::error::Error;

/// The exit code of a process that a second signal ends: work was not drained.
const NOT_DRAINED: i32 = 75;

const ALL: [i32; 3] = [SIGINT, SIGTERM, SIGUSR1];

/// Watches the signals of this process for as long as it is there.
#[derive(Debug)]
pub(crate) struct Watch {
    handle: Handle,
    _claim: Claim,
}

impl Watch {
    /// From here on, signals go to this service, which need not be up.
    pub(crate) fn new(control: &Arc<Control>) -> Result<Self, Error> {
        let system = |error: std::io::Error| Error::System {
            what: "watch for signals".into(),
            why: error.to_string(),
        };
        let claim = Claim::new().map_err(system)?;
        let mut signals = Signals::new(ALL).map_err(system)?;
        let handle = signals.handle();
        let control = Arc::clone(control);
        let watch = move || {
            let mut is_first = true;
            for signal in signals.forever() {
                match signal {
                    SIGUSR1 => say(&control.counters().to_json()),
                    _ if std::mem::take(&mut is_first) => control.stop_for(Stop::Signal(hook(signal))),
                    _ => {
                        say("stopped at once by a second signal; work in flight is lost");
                        std::process::exit(NOT_DRAINED);
                    }
                }
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(watch).map_err(system)?;
        Ok(Self { handle, _claim: claim })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.close();
    }
}

fn hook(signal: i32) -> Hook {
    if signal == SIGINT { Hook::OnSigint } else { Hook::OnSigterm }
}

/// Writes a line to stderr. That nobody reads there must not end the watching.
fn say(line: &str) {
    _ = writeln!(std::io::stderr(), "{line}");
}
