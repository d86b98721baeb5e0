//! The thread of a service: opens what the plan says, drives it until it is to stop, lets it drain.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use service_framework_core::Failure;
use service_framework_core::address::Address;
use service_framework_core::declaration::{Hook, Run};
use service_framework_core::plugin::{Call, Target};
use service_framework_core::wire::{self, Encoding, Peer};
use tokio::sync::watch;
use tokio::task::{JoinHandle, LocalSet};

use crate::counters::{Counters, ServiceCounters};
use crate::error::{Ended, Error};
use crate::host::{Commands, ServiceHost};
use crate::job::{self, Progress};
use crate::local::{Connection, Local};
use crate::log::{Level, Log, LogOptions, Recorder};
use crate::plan::{Options, Plan};
use crate::replying::Replying;
use crate::rounds::Rounds;
use crate::service::Mode;
use crate::source::Source;
use crate::{ready, sockets, subscribing, watchdog};

/// How long sockets are given to send what was given to them, when a service ends.
const LINGER: Duration = Duration::from_secs(1);

/// How much earlier than the end of their connections the last replies leave, where peers go on sending.
const HEAD_START: Duration = Duration::from_millis(250);

/// How long to listen whether they do.
const LISTEN: Duration = Duration::from_millis(10);

/// Why a service stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It does not.
    No,
    /// Somebody asked.
    Asked,
    /// A signal came.
    Signal(Hook),
}

/// What others hold of a service that runs.
#[derive(Debug)]
pub(crate) struct Control {
    service: String,
    stop: watch::Sender<Stop>,
    counters: Arc<Counters>,
    recorder: Recorder,
}

impl Control {
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// Stops the service. The first reason counts.
    pub(crate) fn stop(&self) {
        self.stop_for(Stop::Asked);
    }

    pub(crate) fn stop_for(&self, reason: Stop) {
        self.stop.send_if_modified(|stop| {
            let is_first = *stop == Stop::No;
            if is_first {
                *stop = reason;
            }
            is_first
        });
    }

    /// What is counted, to count more.
    pub(crate) fn counted(&self) -> &Arc<Counters> {
        &self.counters
    }

    pub(crate) fn counters(&self) -> ServiceCounters {
        let lost = self.recorder.dropped();
        ServiceCounters { connections: self.counters.read(), log_lines_lost: (lost.console, lost.file) }
    }
}

/// What others hold of a service that is up, and where its connections live.
type Begun = (Arc<Control>, BTreeMap<String, Address>);

/// The thread of a service, which ends with how the service ended.
pub(crate) type Thread = std::thread::JoinHandle<Result<Ended, Error>>;

/// Starts a service in a thread of its own; returns when it is up.
pub(crate) fn start(source: Source, options: Options, mode: Mode) -> Result<(Begun, Thread), Error> {
    let (begun, wait) = mpsc::sync_channel(1);
    let builder = std::thread::Builder::new().name("service".into());
    let thread = builder.spawn(move || drive(&source, &options, mode, &begun));
    let thread =
        thread.map_err(|error| Error::System { what: "start a thread".into(), why: error.to_string() })?;
    match wait.recv() {
        Ok(begun) => Ok((begun, thread)),
        // It ended before it was up, and says why.
        Err(_) => match thread.join() {
            Ok(Err(error)) => Err(error),
            _ => Err(Error::Fault("the thread of the service ended without a word".into())),
        },
    }
}

/// The life of a service, from the plan to the last reply.
fn drive(
    source: &Source,
    options: &Options,
    mode: Mode,
    begun: &mpsc::SyncSender<Begun>,
) -> Result<Ended, Error> {
    if let Some(path) = &options.ready {
        ready::clear(path)?;
    }
    let plan = Plan::new(source, options, mode)?;
    let log = Log::open(&LogOptions {
        service: plan.declaration.name.clone(),
        console: options.console_level,
        file: options.file_level,
        path: options.log_path.clone(),
        backup_count: options.backup_count,
        ..LogOptions::default()
    });
    let log = log.map_err(|error| Error::Log(Arc::new(error)))?;
    let _records = tracing::dispatcher::set_default(log.dispatch());

    let system =
        |error: std::io::Error| Error::System { what: "start the event loop".into(), why: error.to_string() };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // For handlers, for external targets, and one for the engine's own look-ups. Each is started when it is needed.
        .max_blocking_threads(2 * plan.wiring.service.blocking_threads + 1)
        .thread_name("blocking")
        .build()
        .map_err(system)?;
    let ended = {
        let tasks = LocalSet::new();
        let ended = tasks.block_on(&runtime, live(plan, options, mode, begun, &log));
        // Tasks go before the runtime that their timers and sockets belong to.
        drop(tasks);
        ended
    };
    if let Err(error) = &ended {
        // Whoever holds the service is given the error and tells it; the file keeps it for those who look later.
        log.recorder().record_in_file(Level::Error, crate::LOG, &error.to_string());
    }
    // A blocking handler that never returns must not keep the service from ending.
    runtime.shutdown_background();
    if !log.flush(LINGER) {
        eprintln!("the log of the service could not be written to the end");
    }
    ended
}

async fn live(
    plan: Plan,
    options: &Options,
    mode: Mode,
    begun: &mpsc::SyncSender<Begun>,
    log: &Log,
) -> Result<Ended, Error> {
    let service = plan.declaration.name.clone();
    let (stop, stopping) = watch::channel(Stop::No);
    let connections = plan.declaration.connections.iter().map(|model| (model.name.clone(), model.kind));
    let counters = Arc::new(Counters::new(connections));
    let control = Arc::new(Control {
        service: service.clone(),
        stop,
        counters: Arc::clone(&counters),
        recorder: log.recorder().clone(),
    });

    let (host, commands) = ServiceHost::new(&plan, &control, stopping.clone(), log.recorder().clone());
    let config = wire::encode(plan.config.value(), Encoding::MessagePack)
        .map_err(|fault| Error::Fault(format!("a checked config cannot be encoded: {fault}")))?;
    let instance = plan.plugin.create(&plan.declaration, host.clone(), &config);
    let instance = instance.map_err(|failure| Error::New { service: service.clone(), failure })?;
    let opened = sockets::open(&plan, &counters).await?;
    let endpoints: BTreeMap<String, Address> = plan
        .wiring
        .connections
        .iter()
        .zip(&opened)
        .filter_map(|(wired, connection)| Some((wired.name.clone(), connection.address()?.clone())))
        .collect();
    let local = Rc::new(Local::new(
        &plan,
        instance,
        opened,
        counters,
        Rounds::new(options.loop_wait),
        stopping.clone(),
    ));
    let _entered = host.enter(&local);
    tokio::task::spawn_local(Commands::carry_out(commands, Rc::clone(&local)));
    let _watched = watchdog::watch(&service, local.watched(), plan.wiring.service.watchdog, log.recorder());

    if let Some(path) = &options.ready {
        ready::write(path, &service, endpoints.iter().map(|(name, address)| (name.as_str(), address)))?;
    }
    let shown: Vec<String> = endpoints.iter().map(|(name, address)| format!("{name} {address}")).collect();
    tracing::info!(target: crate::LOG, "service {service} is up: {}",
        if shown.is_empty() { "no sockets".into() } else { shown.join(", ") }
    );
    hook(&local, Hook::Init).await.map_err(|failure| Error::Method {
        service: service.clone(),
        method: "init",
        failure,
    })?;
    // Whoever started it may have given up waiting; then nobody is left to stop it.
    if begun.send((Arc::clone(&control), endpoints)).is_err() {
        control.stop();
    }

    let (replyers, subscribers) = begin_intake(&local);
    let mut running = run(&local, mode);
    let ended = until_stop(&mut running, stopping.clone()).await;
    control.stop();
    local.begin_stop();
    let until = Instant::now() + plan.wiring.service.drain;
    let reason = *stopping.borrow();
    if let Stop::Signal(signal) = reason {
        heed_signal(&local, signal, until).await;
    }
    let ended = match ended {
        Some(ended) => Ok(ended),
        // A main that looks whether it is to stop ends by itself; another one would go on for ever.
        None if mode == Mode::Main && host.heeds_stop() => {
            tokio::time::timeout_at(until.into(), running).await.map_err(|_| ())
        }
        None => Ok(Ok(())),
    };
    _ = tokio::time::timeout_at(until.into(), async {
        // A main on a thread of its own may have published just before it ended.
        host.flush().await;
        local.idle().await;
    })
    .await;
    let mut not_drained = local.in_work();
    not_drained.extend(ended.is_err().then(|| Hook::Main.name().to_owned()));
    subscribers.iter().for_each(JoinHandle::abort);
    let_replies_arrive(&replyers).await;
    replyers.iter().for_each(Replying::give_up);
    local.close(LINGER).await;
    tracing::info!(target: crate::LOG, "service {service} has stopped");
    if !not_drained.is_empty() {
        tracing::warn!(target: crate::LOG, "not drained: {}", not_drained.join(", "));
    }
    let failed = |failure| Error::Method { service, method: "main", failure };
    ended.unwrap_or(Ok(())).map(|()| Ended { not_drained }).map_err(failed)
}

type Running = std::pin::Pin<Box<dyn Future<Output = Result<(), Failure>>>>;

/// What the service does until it is to stop: its main, or nothing of its own.
fn run(local: &Rc<Local>, mode: Mode) -> Running {
    let local = Rc::clone(local);
    match mode {
        Mode::Loop => Box::pin(std::future::pending()),
        Mode::Main => Box::pin(async move { hook(&local, Hook::Main).await }),
    }
}

/// Goes on until the service is to stop; gives how it ended if it did so by itself.
async fn until_stop(
    running: &mut Running,
    mut stopping: watch::Receiver<Stop>,
) -> Option<Result<(), Failure>> {
    tokio::select! {
        ended = running => Some(ended),
        _ = stopping.wait_for(|stop| *stop != Stop::No) => None,
    }
}

/// Runs the service's own handler of a signal.
async fn heed_signal(local: &Rc<Local>, signal: Hook, until: Instant) {
    let name = if signal == Hook::OnSigint { "SIGINT" } else { "SIGTERM" };
    tracing::info!(target: crate::LOG, "stopping on {name}");
    match tokio::time::timeout_at(until.into(), hook(local, signal)).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => tracing::error!(target: crate::LOG, "`{signal}` failed: {failure}"),
        Err(_) => {
            tracing::error!(target: crate::LOG, "`{signal}` was not done when the time for draining was over")
        }
    }
}

/// Gives the replies of work that was done a head start.
///
/// A connection that ends with a request in it takes replies along that its peer has not read yet. Those who ask now are told that
/// it is too late.
async fn let_replies_arrive(replyers: &[Replying]) {
    if replyers.iter().any(|replying| replying.was_asked_within(HEAD_START)) {
        tokio::time::sleep(LISTEN).await;
    }
    if replyers.iter().any(Replying::is_pressed) {
        tokio::time::sleep(HEAD_START).await;
    }
}

/// Starts to take messages from every incoming connection; gives who answers them and who reads them.
fn begin_intake(local: &Rc<Local>) -> (Vec<Replying>, Vec<JoinHandle<()>>) {
    let (mut replyers, mut subscribers) = (Vec::new(), Vec::new());
    for number in 0..local.connections() {
        match local.connection(number) {
            Connection::Replyer(replyer) => {
                let replying = Replying::new(local, number, replyer);
                tokio::task::spawn_local(replying.clone().serve());
                replyers.push(replying);
            }
            Connection::Subscriber(subscriber) => {
                let reading = subscribing::serve(Rc::clone(local), number, Rc::clone(subscriber));
                subscribers.push(tokio::task::spawn_local(reading));
            }
            _ => {}
        }
    }
    (replyers, subscribers)
}

/// Runs an optional method of the service, if it has it.
async fn hook(local: &Rc<Local>, hook: Hook) -> Result<(), Failure> {
    let Some(run) = local.hook(hook) else { return Ok(()) };
    let call = Call {
        target: Target::Hook(hook),
        encoding: Encoding::MessagePack,
        peer: Peer::Any,
        args: &[],
        workflow_id: None,
        topic: None,
        deadline: None,
    };
    if run == Run::Blocking {
        return job::on_own_thread(local, hook).await;
    }
    let pass = local.enter_always(None, service_framework_core::gate::Access::Shared).await;
    match job::start_inline(local, &call, Vec::new(), None) {
        Progress::Done(done) => done.result,
        Progress::Going(going) => {
            let done = going.await;
            drop(pass);
            done.result
        }
    }
}
