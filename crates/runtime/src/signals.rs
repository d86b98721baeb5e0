//! The signals of a service that runs in the foreground: stop and drain, stop at once, print the counters.

mod elsewhere;

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use service_framework_core::declaration::Hook;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::{Handle, Signals};

use self::elsewhere::Claim;
use crate::control::{Control, Stop};
use crate::error::Error;
use crate::log;

/// The exit code of a process that a second signal ends: work was not drained.
const NOT_DRAINED: i32 = 75;

/// Within which a signal is taken for the same one: `timeout` and others send it to a process and to its group.
const SAME: Duration = Duration::from_millis(250);

/// How long stderr is given to take a message before the next signal is heard.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Watches the signals of this process for as long as it is there.
#[derive(Debug)]
pub(crate) struct Watch {
    handle: Handle,
    /// There until it is dropped.
    claim: Option<Claim>,
    /// Ends with the signal that came when the service had ended, if one did; there until it is dropped.
    thread: Option<JoinHandle<Option<i32>>>,
}

impl Watch {
    /// From here on, signals go to this service, which need not be up.
    pub(crate) fn new(control: &Arc<Control>) -> Result<Self, Error> {
        let system = |error: std::io::Error| Error::System {
            what: "watch for signals".into(),
            why: error.to_string(),
        };
        let claim = Claim::new().map_err(system)?;
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1]).map_err(system)?;
        let handle = signals.handle();
        let control = Arc::clone(control);
        let watch = move || {
            let mut come_before = ComeBefore::default();
            let mut late = None;
            let mut counters = Telling::default();
            let mut heed = |signal, now: Instant| {
                if signal == SIGUSR1 {
                    return counters.tell(&control);
                }
                match come_before.meaning(now, control.ended().is_some()) {
                    Meaning::Stop => control.stop_for(Stop::Signal(hook(signal))),
                    Meaning::Nothing => {}
                    Meaning::StopAtOnce => {
                        log::tell("stopped at once by a second signal; work in flight is lost\n", LAST_WORDS);
                        std::process::exit(NOT_DRAINED);
                    }
                    Meaning::Late => late = Some(signal),
                }
            };
            let handle = signals.handle();
            while !handle.is_closed() {
                let come: Vec<_> = signals.wait().collect();
                let now = Instant::now();
                come.into_iter().for_each(|signal| heed(signal, now));
            }
            // What came last was not looked at any more.
            signals.pending().for_each(|signal| heed(signal, Instant::now()));
            late
        };
        let thread = thread::Builder::new().name("signals".into()).spawn(watch).map_err(system)?;
        Ok(Self { handle, claim: Some(claim), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // First, so that each signal is either seen by the thread or has its effect elsewhere.
        self.claim = None;
        self.handle.close();
        let late = self.thread.take().and_then(|thread| thread.join().ok()).flatten();
        if let Some(signal) = late {
            elsewhere::let_through(signal);
        }
    }
}

/// What a signal that ends services means to one.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// That it is to stop.
    Stop,
    /// Nothing more than the one before.
    Nothing,
    /// That it is not to wait for its work any more.
    StopAtOnce,
    /// It came when the service had ended, and is for the rest of the program.
    Late,
}

/// When the first of them came.
#[derive(Debug, Default)]
struct ComeBefore(Option<Instant>);

impl ComeBefore {
    fn meaning(&mut self, now: Instant, has_ended: bool) -> Meaning {
        match self.0 {
            Some(first) if now.duration_since(first) < SAME => Meaning::Nothing,
            _ if has_ended => Meaning::Late,
            Some(_) => Meaning::StopAtOnce,
            None => {
                self.0 = Some(now);
                Meaning::Stop
            }
        }
    }
}

fn hook(signal: i32) -> Hook {
    if signal == SIGINT { Hook::OnSigint } else { Hook::OnSigterm }
}

/// Tells the counters on stderr. That nobody reads there keeps no other signal from being heard.
#[derive(Default)]
struct Telling(Option<mpsc::Receiver<bool>>);

impl Telling {
    fn tell(&mut self, control: &Control) {
        let before = self.0.as_ref().map(|before| before.recv_timeout(LAST_WORDS));
        // Whoever has not read the last ones needs no more of them.
        if before != Some(Err(mpsc::RecvTimeoutError::Timeout)) {
            self.0 = Some(log::begin_to_tell(format!("{}\n", control.counters().to_json())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_means_what_came_before_it_and_how_the_service_is() {
        let begin = Instant::now();
        let mut come_before = ComeBefore::default();
        let mut meaning = |after: Duration, has_ended| come_before.meaning(begin + after, has_ended);
        assert_eq!(meaning(Duration::ZERO, false), Meaning::Stop);
        // The process was signalled, and then its group: whether or not its service has ended meanwhile.
        assert_eq!(meaning(SAME / 2, false), Meaning::Nothing);
        assert_eq!(meaning(SAME / 2, true), Meaning::Nothing);
        assert_eq!(meaning(SAME, false), Meaning::StopAtOnce);
        assert_eq!(meaning(SAME, true), Meaning::Late);
        assert_eq!(ComeBefore::default().meaning(begin, true), Meaning::Late);
    }
}
