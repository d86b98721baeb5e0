//! The thread of a service: opens what the plan says, drives it until it is to stop, lets it drain.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use service_framework_connections::{
    Engine, Publisher, Replyer, Requester, Subscriber, check_host, default_engine, publisher, requester,
};
use service_framework_core::address::Address;
use service_framework_core::declaration::{ConnectionKind, Hook, Run};
use service_framework_core::plugin::{Call, Target};
use service_framework_core::topic;
use service_framework_core::wire::{self, Encoding, Peer};
use service_framework_core::wiring::Wired;
use tokio::sync::watch;
use tokio::task::LocalSet;

use crate::counters::{Counters, ServiceCounters};
use crate::error::{Ended, Error};
use crate::host::{Commands, ServiceHost};
use crate::job::{self, Progress};
use crate::local::{Connection, Local};
use crate::log::{Log, LogOptions, Recorder};
use crate::plan::{Options, Plan};
use crate::rounds::Rounds;
use crate::service::Mode;
use crate::source::Source;
use crate::{ready, replying, subscribing, watchdog};

/// How long sockets are given to send what was given to them, when a service ends.
const LINGER: Duration = Duration::from_secs(1);

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

    pub(crate) fn counters(&self) -> ServiceCounters {
        let lost = self.recorder.dropped();
        ServiceCounters { connections: self.counters.read(), log_lines_lost: (lost.console, lost.file) }
    }
}

/// What others hold of a service that is up, and where its connections live.
type Begun = (Arc<Control>, BTreeMap<String, Address>);

/// The thread of a service, which ends with how the service ended.
pub(crate) type Thread = JoinHandle<Result<Ended, Error>>;

/// Starts a service in a thread of its own; returns when it is up.
pub(crate) fn start(
    source: Source,
    options: Options,
    mode: Mode,
) -> Result<(Begun, Thread), Error> {
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
        // One more for the engine's own look-ups.
        .max_blocking_threads(plan.wiring.service.blocking_threads + 1)
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
        tracing::error!("{error}");
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
    let instance = plan.plugin.create(host.clone(), &config);
    let instance = instance.map_err(|failure| Error::New { service: service.clone(), failure })?;
    let opened = open(&plan, &counters).await?;
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
    tracing::info!(
        "service {service} is up: {}",
        if shown.is_empty() { "no sockets".into() } else { shown.join(", ") }
    );
    hook(&local, Hook::Init).await.map_err(|failure| Error::Method {
        service: service.clone(),
        method: "init",
        failure,
    })?;
    // Whoever started it may have given up waiting; the service then stops by itself, as its control is dropped.
    _ = begun.send((Arc::clone(&control), endpoints));

    let intake = begin_intake(&local);
    let ended = until_stop(&local, mode, stopping, &service).await;
    let not_drained = drain(&local, plan.wiring.service.drain).await;
    intake.iter().for_each(tokio::task::JoinHandle::abort);
    local.close(LINGER).await;
    tracing::info!("service {service} has stopped");
    if !not_drained.is_empty() {
        tracing::warn!("not drained: {}", not_drained.join(", "));
    }
    ended.map(|()| Ended { not_drained })
}

/// Opens all sockets. Publishers at one endpoint share one.
async fn open(plan: &Plan, counters: &Counters) -> Result<Vec<Connection>, Error> {
    let engine = default_engine();
    let mut opened = Vec::new();
    let mut publishers: HashMap<(Address, bool), Rc<Publisher>> = HashMap::new();
    for (number, wired) in plan.wiring.connections.iter().enumerate() {
        let connection = open_one(&engine, wired, &mut publishers).await?;
        if let Some(socket) = connection.counters() {
            counters.of(number).watch(socket);
        }
        opened.push(connection);
    }
    Ok(opened)
}

async fn open_one(
    engine: &Rc<dyn Engine>,
    wired: &Wired,
    publishers: &mut HashMap<(Address, bool), Rc<Publisher>>,
) -> Result<Connection, Error> {
    let Wired { name, settings, .. } = wired;
    let Some(address) = &wired.address else { return Ok(Connection::Target) };
    if !wired.listens {
        check_host(name, address).await?;
    }
    Ok(match wired.kind {
        ConnectionKind::Replyer => Connection::Replyer(Rc::new(Replyer::bind(engine, name, address).await?)),
        ConnectionKind::Requester => {
            let options = requester::Options { waiting_max: settings.queue };
            Connection::Requester(Requester::connect(engine, name, address, options)?)
        }
        ConnectionKind::Publisher => {
            // Port 0 means a port of its own for each.
            let key = (address.clone(), wired.listens);
            let shared = publishers.get(&key).filter(|_| !address.is_ephemeral()).cloned();
            let publisher = match shared {
                Some(publisher) => publisher,
                None => {
                    let options = publisher::Options { wait_after_creation: settings.wait_after_creation };
                    let opened = if wired.listens {
                        Publisher::bind(engine, name, address, options).await?
                    } else {
                        Publisher::connect(engine, name, address, options).await?
                    };
                    Rc::new(opened)
                }
            };
            publishers.insert(key, Rc::clone(&publisher));
            Connection::Publisher(publisher)
        }
        ConnectionKind::Subscriber => {
            let filter = settings.topic.as_deref().map(topic::encode).unwrap_or_default().into();
            let subscriber = if wired.listens {
                Subscriber::bind(engine, name, address, filter).await?
            } else {
                Subscriber::connect(engine, name, address, filter)?
            };
            Connection::Subscriber(Rc::new(subscriber))
        }
        ConnectionKind::ExternalTarget => Connection::Target,
    })
}

/// Starts to take messages from every incoming connection.
fn begin_intake(local: &Rc<Local>) -> Vec<tokio::task::JoinHandle<()>> {
    let mut tasks = Vec::new();
    for number in 0..local.connections() {
        match local.connection(number) {
            Connection::Replyer(replyer) => {
                let task = replying::serve(Rc::clone(local), number, Rc::clone(replyer));
                tasks.push(tokio::task::spawn_local(task));
            }
            Connection::Subscriber(subscriber) => {
                let task = subscribing::serve(Rc::clone(local), number, Rc::clone(subscriber));
                tasks.push(tokio::task::spawn_local(task));
            }
            _ => {}
        }
    }
    tasks
}

/// Runs main, or waits, until the service is to stop; then the hook of the signal, if one came.
async fn until_stop(
    local: &Rc<Local>,
    mode: Mode,
    mut stopping: watch::Receiver<Stop>,
    service: &str,
) -> Result<(), Error> {
    let failed = |failure, method| Error::Method { service: service.to_owned(), method, failure };
    let mut ended = Ok(());
    {
        let mut stop = std::pin::pin!(stopping.wait_for(|stop| *stop != Stop::No));
        match mode {
            Mode::Loop => _ = stop.as_mut().await,
            Mode::Main => tokio::select! {
                outcome = hook(local, Hook::Main) => ended = outcome.map_err(|failure| failed(failure, "main")),
                _ = stop.as_mut() => {
                    // main sees `stopping` and may end its work while the rest drains; then it is dropped.
                }
            },
        }
    }
    local.begin_stop();
    let reason = *stopping.borrow();
    if let Stop::Signal(signal) = reason {
        tracing::info!("stopping on {}", if signal == Hook::OnSigint { "SIGINT" } else { "SIGTERM" });
        if let Err(failure) = hook(local, signal).await {
            tracing::error!("`{signal}` failed: {failure}");
        }
    }
    ended
}

/// Runs an optional method of the service, if it has it.
async fn hook(local: &Rc<Local>, hook: Hook) -> Result<(), service_framework_core::Failure> {
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

/// Waits until everything that was begun has ended, for `limit` at most; gives what has not.
async fn drain(local: &Rc<Local>, limit: Duration) -> Vec<String> {
    let until = Instant::now() + limit;
    _ = tokio::time::timeout_at(until.into(), local.idle()).await;
    local.in_work()
}
