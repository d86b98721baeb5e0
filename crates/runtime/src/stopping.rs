//! Lets a service stop: what comes is refused, what was begun ends or runs out of time, the last replies leave.

use std::rc::Rc;
use std::time::{Duration, Instant};

use service_framework_core::declaration::Hook;
use tokio::task::JoinHandle;

use crate::connection::Connection;
use crate::control::Stop;
use crate::host::ServiceHost;
use crate::local::Local;
use crate::method::{self, Failed, Method};
use crate::replying::Replying;
use crate::states::handling;
use crate::subscribing;
use crate::watchdog::BACKGROUND_WORK;

/// How long sockets are given to send what was given to them, when a service ends.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// How long a service's own handler of a signal has at least, however short the time to drain is.
const TO_HEED: Duration = Duration::from_secs(1);

/// How much earlier than the end of their connections the last replies leave, where peers go on sending and the engine cannot half-close.
const HEAD_START: Duration = Duration::from_millis(250);

/// How long to listen whether they do.
const LISTEN: Duration = Duration::from_millis(10);

/// Waits until all that was begun has ended, for as long as the service has to drain. Gives what has not, and how the method that went on did.
pub(crate) async fn drain(
    local: &Rc<Local>,
    host: &ServiceHost,
    reason: Stop,
    mut going: Option<Method>,
) -> (Vec<String>, Result<(), Failed>) {
    local.begin_stop();
    let until = Instant::now() + local.service_settings().drain;
    let mut not_drained = Vec::new();
    if let Stop::Signal(signal) = reason
        && !heed_signal(local, signal, until.max(Instant::now() + TO_HEED)).await
    {
        not_drained.push(signal.name().to_owned());
    }
    // A main that looks whether it is to stop ends by itself; another one would go on for ever.
    if let Some(main) = going.take_if(|going| going.hook() == Hook::Main && !host.main_heeds_stop()) {
        main.cut();
    }
    let mut ended = Ok(());
    _ = tokio::time::timeout_at(until.into(), async {
        if let Some(method) = &mut going {
            ended = method.end().await;
            going = None;
        }
        local.idle().await;
        // What has just ended on other threads may have asked for more before.
        host.flush().await;
        local.idle().await;
        local.background().idle().await;
    })
    .await;
    local.end_drain();
    not_drained.extend(local.in_work());
    if let heeding @ 1.. = local.background().heeding() {
        not_drained.push(format!("{BACKGROUND_WORK} ({heeding})"));
    }
    if let Some(method) = going {
        method.cut();
        not_drained.push(method.hook().name().to_owned());
    }
    // Until now handlers may have waited for it.
    local.background().cut(local);
    (not_drained, ended)
}

/// Runs the service's own handler of a signal; false if it is not done in time.
async fn heed_signal(local: &Rc<Local>, signal: Hook, until: Instant) -> bool {
    let name = if signal == Hook::OnSigint { "SIGINT" } else { "SIGTERM" };
    tracing::info!(target: crate::LOG, "stopping on {name}");
    let ended = tokio::time::timeout_at(until.into(), method::run(Rc::clone(local), signal)).await;
    if let Ok(Err(failure)) = &ended {
        tracing::error!(target: crate::LOG, "`{signal}` failed: {failure}");
    }
    ended.is_ok()
}

/// Who takes what comes in.
#[derive(Default)]
pub(crate) struct Incoming {
    replyers: Vec<Replying>,
    subscribers: Vec<JoinHandle<()>>,
}

impl Incoming {
    /// Starts to take messages from every incoming connection.
    pub(crate) fn begin(&mut self, local: &Rc<Local>) {
        for number in 0..local.connections() {
            match local.connection(number) {
                Connection::Replyer(replyer) => {
                    let replying = Replying::new(local, number, replyer);
                    tokio::task::spawn_local(replying.clone().serve());
                    self.replyers.push(replying);
                }
                Connection::Subscriber(subscriber) => {
                    let reading = subscribing::serve(Rc::clone(local), number, Rc::clone(subscriber));
                    self.subscribers.push(tokio::task::spawn_local(reading));
                }
                _ => {}
            }
        }
        for (position, state) in local.declaration.states.iter().enumerate() {
            if state.kind.is_in() && state.run.is_some() {
                let number = local.connections() + position;
                let serving = handling::serve(Rc::clone(local), number, Rc::clone(local.handling(position)));
                self.subscribers.push(tokio::task::spawn_local(serving));
            }
        }
    }

    /// Ends what is left, and closes all sockets.
    pub(crate) async fn close(self, local: &Local) {
        self.subscribers.iter().for_each(JoinHandle::abort);
        self.let_replies_arrive().await;
        self.replyers.iter().for_each(Replying::give_up);
        local.close(LINGER).await;
    }

    /// Takes what has arrived, and gives the replies of work that was done a head start where they need one.
    ///
    /// Those who ask now are told that it is too late. Whoever sends between the last look and the end is told that the connection is
    /// gone. Our own engine half-closes connections, so that all replies arrive even then; with the other one, a connection that ends
    /// with a request in it takes replies along that its peer has not read yet, which the head start makes rare.
    async fn let_replies_arrive(&self) {
        if !self.replyers.is_empty() {
            let_all_have_a_turn().await;
        }
        let may_lose = || self.replyers.iter().filter(|replying| !replying.half_closes());
        if may_lose().any(|replying| replying.was_asked_within(HEAD_START)) {
            tokio::time::sleep(LISTEN).await;
        }
        if may_lose().any(Replying::is_pressed) {
            tokio::time::sleep(HEAD_START).await;
        }
    }
}

/// Lets each task have its turn that has something to do, those included for whom something has arrived, and then those whom they wake.
///
/// The scheduler looks for what has arrived, and comes back here, after 61 tasks at most.
async fn let_all_have_a_turn() {
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for _ in 0..2 * (tasks / 61) + 4 {
        tokio::task::yield_now().await;
    }
}
