//! A service as a program sees it: started, asked, stopped, started again.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use service_framework_core::address::Address;
use service_framework_core::plugin::host::Linked;

use crate::control::Control;
use crate::counters::ServiceCounters;
use crate::error::{Ended, Error};
use crate::plan::{Options, Plan};
use crate::signals;
use crate::source::Source;
use crate::thread;

/// What a service does once it is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It answers: the service loop.
    #[default]
    Loop,
    /// It starts work of its own: `main`, with its incoming connections beside it. It ends when `main` does.
    Main,
}

/// A service, in a thread of its own when it runs. Dropping it stops it.
///
/// ```
/// use service_framework::prelude::*;
/// use service_framework_runtime::{Options, Service};
///
/// #[derive(Model)]
/// struct Text { text: String }
///
/// struct Echo;
///
/// #[service]
/// impl Echo {
///     fn new() -> Result<Self> { Ok(Self) }
///
///     /// Says the same again.
///     #[replyer]
///     fn echo(&self, args: Text) -> Result<Text> { Ok(args) }
/// }
///
/// export!(Echo);
///
/// # fn main() -> std::result::Result<(), service_framework_runtime::Error> {
/// let addresses = value!({"in": {"echo": {"replyer": "127.0.0.1:0"}}});
/// let mut service = Service::of::<Echo>(Options { addresses: addresses.into(), ..Options::default() });
/// service.start()?;
/// assert!(service.endpoints().contains_key("echo"));
/// service.stop()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Service {
    source: Source,
    options: Options,
    running: Option<Running>,
    last_counters: Option<ServiceCounters>,
    stopper: Stopper,
}

/// Stops a service from another thread, while one waits for it or runs it. It may be had before the service is started.
///
/// ```
/// # use service_framework::prelude::*;
/// # use service_framework_runtime::{Options, Service};
/// # struct Quiet;
/// # #[service]
/// # impl Quiet {
/// #     fn new() -> Result<Self> { Ok(Self) }
/// # }
/// # export!(Quiet);
/// # fn main() -> std::result::Result<(), service_framework_runtime::Error> {
/// let mut service = Service::of::<Quiet>(Options::default());
/// let stopper = service.stopper();
/// service.start()?;
/// std::thread::spawn(move || stopper.stop());
/// service.wait()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stopper(Arc<Mutex<Weak<Control>>>);

impl Stopper {
    /// Stops the service if it runs or is about to, and does not wait for its end.
    pub fn stop(&self) {
        if let Some(control) = self.0.lock().upgrade() {
            control.stop();
        }
    }
}

#[derive(Debug)]
struct Running {
    control: Arc<Control>,
    thread: JoinHandle<()>,
}

impl Service {
    /// A service from a source.
    pub fn new(source: Source, options: Options) -> Self {
        Self { source, options, running: None, last_counters: None, stopper: Stopper::default() }
    }

    /// A service that is linked into this program.
    pub fn of<S: Linked>(options: Options) -> Self {
        Self::new(Source::of::<S>(), options)
    }

    /// A service from a shared library, or from the folder of its crate, which is built at each start.
    pub fn at(path: impl Into<std::path::PathBuf>, options: Options) -> Self {
        Self::new(Source::path(path), options)
    }

    /// What it is started with; changes count from the next start on.
    pub fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    /// Checks the service and all that it is given; opens nothing.
    ///
    /// # Errors
    ///
    /// As [`Plan::new`].
    pub fn check(&self, mode: Mode) -> Result<Plan, Error> {
        Plan::new(&self.source, &self.options, mode)
    }

    /// Starts the service loop in the background; returns when the sockets are open and `init` is done.
    ///
    /// A [`Stopper`] may stop it before that. It then returns when the service has ended, and [`wait`](Self::wait) tells how.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from starting; and if it is running already. If an error has ended it before, and neither `wait` nor `stop` was
    /// called since, it is given that error and not started: the next call starts it.
    pub fn start(&mut self) -> Result<(), Error> {
        self.start_as(Mode::Loop)
    }

    /// Starts `main` in the background; returns when the sockets are open and `init` is done.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); and if it has no `main`.
    pub fn start_main(&mut self) -> Result<(), Error> {
        self.start_as(Mode::Main)
    }

    /// Starts the service in the background.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start) and [`start_main`](Self::start_main).
    pub fn start_as(&mut self, mode: Mode) -> Result<(), Error> {
        let control = self.begin()?;
        self.start_under(control, mode)
    }

    /// Makes what controls the next run. From here on a [`Stopper`] reaches it.
    fn begin(&mut self) -> Result<Arc<Control>, Error> {
        if let Some(up) = self.running.as_ref().filter(|_| self.is_running()).and_then(|it| it.control.up()) {
            return Err(Error::Running { service: up.service.clone() });
        }
        // One that ended by itself may have an error that nobody was told.
        self.wait()?;
        let control = Arc::new(Control::new());
        *self.stopper.0.lock() = Arc::downgrade(&control);
        Ok(control)
    }

    fn start_under(&mut self, control: Arc<Control>, mode: Mode) -> Result<(), Error> {
        let thread = thread::start(self.source.clone(), self.options.clone(), mode, &control)?;
        let has_failed = !control.is_ready() && control.ended().is_some_and(|ended| ended.is_err());
        self.running = Some(Running { control, thread });
        if has_failed {
            // It is as if it had not been started.
            self.wait()?;
        }
        Ok(())
    }

    /// Runs the service loop until a signal, or the service itself, stops it. SIGINT and SIGTERM stop it and let it drain, a second one ends
    /// the process at once; SIGUSR1 prints the counters on stderr. When no service runs in this way any more, SIGINT and SIGTERM do what
    /// they did before the first one did: end the process, or what the program has set by then. One that handles them itself does so before
    /// its first call of this, and is told of them while a service runs, too.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); and whatever ends the service.
    pub fn run(&mut self) -> Result<Ended, Error> {
        self.run_as(Mode::Loop)
    }

    /// Runs `main` until it ends, or as [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// As [`start_main`](Self::start_main); and whatever ends the service, the failure of `main` included.
    pub fn run_main(&mut self) -> Result<Ended, Error> {
        self.run_as(Mode::Main)
    }

    /// Runs the service, as [`run`](Self::run) and [`run_main`](Self::run_main).
    ///
    /// # Errors
    ///
    /// As these.
    pub fn run_as(&mut self, mode: Mode) -> Result<Ended, Error> {
        let control = self.begin()?;
        let _signals = signals::Watch::new(&control)?;
        self.start_under(control, mode)?;
        self.wait()
    }

    /// What stops it from another thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.control.ended().is_none())
    }

    /// Where its connections live, with the real ports; empty when it does not run.
    pub fn endpoints(&self) -> BTreeMap<String, Address> {
        let running = self.running.as_ref().filter(|_| self.is_running());
        running.and_then(|running| running.control.up()).map(|up| up.endpoints.clone()).unwrap_or_default()
    }

    /// What it has done since it was started last, and who its peers are. These only its own thread knows: it is asked, and if it is held by a
    /// handler for a moment, there are those of whom it told last.
    pub fn counters(&self) -> ServiceCounters {
        match &self.running {
            Some(running) => running.control.counters(),
            None => self.last_counters.clone().unwrap_or_default(),
        }
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    ///
    /// Whatever ended it.
    pub fn wait(&mut self) -> Result<Ended, Error> {
        let Some(Running { control, thread }) = self.running.take() else { return Ok(Ended::default()) };
        let ended = control.wait();
        self.last_counters = Some(control.counters());
        if control.was_given_up() {
            // It cannot be waited for.
            drop(thread);
        } else if thread.join().is_err() {
            return Err(Error::Fault("the thread of the service panicked at its end".into()));
        }
        ended
    }

    /// Stops it: intake closes, work in flight ends or runs into its deadline. One that does not run stays so.
    ///
    /// # Errors
    ///
    /// Whatever ended it before.
    pub fn stop(&mut self) -> Result<Ended, Error> {
        if let Some(running) = &self.running {
            running.control.stop();
        }
        self.wait()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Nobody is left to read how it ended; its log file has it.
        _ = self.stop();
    }
}
