//! The thread of a service: opens what the plan says, drives it until it is to stop, lets it drain.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use service_framework_core::address::Address;
use service_framework_core::declaration::Hook;
use service_framework_core::wire::{self, Encoding};
use tokio::runtime::{self, LocalOptions};
use tokio::sync::Notify;

use crate::control::{Control, Stop, Up};
use crate::counters::Counters;
use crate::error::{Ended, Error};
use crate::host::{Commands, ServiceHost};
use crate::local::Local;
use crate::log::{self, Level, Log, LogOptions};
use crate::method::{Failed, Method};
use crate::plan::{Options, Plan};
use crate::rounds::Rounds;
use crate::service::Mode;
use crate::source::Source;
use crate::stopping::{self, Incoming, LINGER};
use crate::{ready, sockets, spinning, states, watchdog};

/// How long stderr is given to say what the log could not.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Starts a service in a thread of its own; returns when it is up, or has ended before.
pub(crate) fn start(
    source: Source,
    options: Options,
    mode: Mode,
    control: &Arc<Control>,
) -> Result<JoinHandle<()>, Error> {
    let ours = Arc::clone(control);
    let builder = std::thread::Builder::new().name("service".into());
    let thread = builder.spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| drive(&source, &options, mode, &ours)));
        ours.end(ended.unwrap_or_else(|_| Err(Error::Fault("the thread of the service panicked".into()))));
    });
    let thread =
        thread.map_err(|error| Error::System { what: "start a thread".into(), why: error.to_string() })?;
    control.wait_until_ready();
    Ok(thread)
}

/// The life of a service, from the plan to the last reply.
fn drive(source: &Source, options: &Options, mode: Mode, control: &Arc<Control>) -> Result<Ended, Error> {
    // What is wrong with it is told together with all else that is wrong.
    let cleared = options.ready.as_deref().map_or(Ok(()), ready::clear);
    let Some(plugin) = source.load_under(control)? else { return Ok(Ended::default()) };
    let plan = Plan::of(plugin, source, options, mode)?;
    cleared?;
    if control.reason() != Stop::No {
        return Ok(Ended::default());
    }
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
    let spin = plan.wiring.service.spin;
    let woken = Arc::new(Notify::new());
    let mut builder = runtime::Builder::new_current_thread();
    if !spin.is_zero() {
        let woken = Arc::clone(&woken);
        builder.on_thread_unpark(move || woken.notify_one());
    }
    let runtime = builder
        .enable_all()
        // For handlers, for external targets, and one for the engine's own look-ups. Each is started when it is needed.
        .max_blocking_threads(2 * plan.wiring.service.blocking_threads + 1)
        .thread_name("blocking")
        .build_local(LocalOptions::default())
        .map_err(system)?;
    let ended = runtime.block_on(live(plan, options, mode, control, &log, woken));
    // A blocking handler that never returns must not keep the service from ending.
    let end = || runtime.shutdown_background();
    match control.up() {
        Some(up) => up.watched.dropping(end),
        None => end(),
    }
    if let Err(error) = &ended {
        // Whoever holds the service is given the error and tells it; the file keeps it for those who look later.
        log.recorder().record_in_file(Level::Error, crate::LOG, &error.to_string());
    }
    if !log.close(LINGER) {
        log::tell("the log of the service could not be written to the end\n", LAST_WORDS);
    }
    ended
}

async fn live(
    plan: Plan,
    options: &Options,
    mode: Mode,
    control: &Arc<Control>,
    log: &Log,
    woken: Arc<Notify>,
) -> Result<Ended, Error> {
    let service = plan.declaration.name.clone();
    let connections = plan.declaration.connections.iter().map(|model| (model.name.clone(), model.kind));
    let counters = Arc::new(Counters::new(connections, &plan.declaration.states));
    let (host, commands) = ServiceHost::new(&plan, control, &counters, log.recorder().clone());
    let config = wire::encode(plan.config.value(), Encoding::MessagePack)
        .map_err(|fault| Error::Fault(format!("a checked config cannot be encoded: {fault}")))?;
    let instance = plan.plugin.create(&plan.declaration, host.clone(), &config);
    let instance = instance.map_err(|failure| Error::New {
        service: service.clone(),
        config: plan.config.sources(),
        failure,
    })?;
    let opened = tokio::select! {
        biased;
        () = control.asked() => {
            tracing::info!(target: crate::LOG, "service {service} was stopped before it was up");
            return Ok(Ended::default());
        }
        opened = sockets::open(&plan, &counters) => opened?,
    };
    let (opened, states) = opened;
    let of_connections = plan.wiring.connections.iter().zip(&opened);
    let of_connections = of_connections
        .filter_map(|(wired, connection)| Some((wired.name.clone(), connection.address()?.clone())));
    let of_states = plan.wiring.states.iter().zip(&states);
    let of_states = of_states.flat_map(|(wired, sockets)| sockets.addresses(&wired.name));
    let endpoints: BTreeMap<String, Address> = of_connections.chain(of_states).collect();
    let (rounds, stopping) = (Rounds::new(options.loop_wait), control.stopping());
    let local = Rc::new(Local::new(&plan, instance, opened, Arc::clone(&counters), rounds, stopping));
    let _entered = host.enter(&local);
    states::begin(&local, states, host.owned());
    tokio::task::spawn_local(Commands::carry_out(commands, Rc::clone(&local)));
    let spin = plan.wiring.service.spin;
    if !spin.is_zero() {
        tokio::task::spawn_local(spinning::spin(local.sockets(), spin, woken));
    }
    let _watched = watchdog::watch(&service, local.watched(), plan.wiring.service.watchdog, log.recorder());

    if let Some(path) = &options.ready {
        ready::write(path, &service, endpoints.iter().map(|(name, address)| (name.as_str(), address)))?;
    }
    let shown: Vec<String> = endpoints.iter().map(|(name, address)| format!("{name} {address}")).collect();
    tracing::info!(target: crate::LOG, "service {service} is up: {}",
        if shown.is_empty() { "no sockets".into() } else { shown.join(", ") }
    );
    control.opened(Up {
        service: service.clone(),
        endpoints,
        drain: plan.wiring.service.drain,
        counters,
        recorder: log.recorder().clone(),
        watched: Arc::clone(local.watched()),
    });

    let mut incoming = Incoming::default();
    let course = go_on(&local, mode, control, &mut incoming).await;
    control.stop();
    let (going, ended) = match course {
        Ok(going) => (going, Ok(())),
        Err(failure) => (None, Err(failure)),
    };
    let (not_drained, last) = stopping::drain(&local, &host, control.reason(), going).await;
    incoming.close(&local).await;
    tracing::info!(target: crate::LOG, "service {service} has stopped");
    if !not_drained.is_empty() {
        tracing::warn!(target: crate::LOG, "not drained: {}", not_drained.join(", "));
    }
    let failed = |Failed { hook, failure }| Error::Method { service, method: hook.name(), failure };
    ended.and(last).map(|()| Ended { not_drained }).map_err(failed)
}

/// Runs `init`, then takes messages beside `main` or alone, until that ends or the service is to stop. Gives the method that goes on.
async fn go_on(
    local: &Rc<Local>,
    mode: Mode,
    control: &Control,
    incoming: &mut Incoming,
) -> Result<Option<Method>, Failed> {
    let going = Method::until_stop(local, Hook::Init, control).await?;
    if control.reason() != Stop::No {
        return Ok(going);
    }
    control.ready();
    incoming.begin(local);
    match mode {
        Mode::Main => Method::until_stop(local, Hook::Main, control).await,
        Mode::Loop => {
            control.asked().await;
            Ok(None)
        }
    }
}
