//! What other threads ask of a service, carried out on its own.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use service_framework_core::failure::code;
use service_framework_core::plugin::host::Spawned;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::HERE;
use super::asked::{Outcome, Wanted};
use crate::background;
use crate::counters::Counters;
use crate::local::Local;
use crate::outgoing::{self, OwnedOutgoing};
use crate::states::State;

/// What another thread asks for.
#[derive(Debug)]
pub(super) enum Command {
    Request(OwnedOutgoing, oneshot::Sender<Outcome>),
    Publish {
        number: usize,
        frame: Bytes,
    },
    Spawn(Spawned),
    /// Says that all that was asked for before has been begun.
    Flush(oneshot::Sender<()>),
}

/// What other threads ask for, to be carried out on the service's.
#[derive(Debug)]
pub(crate) struct Commands {
    pub(super) commands: mpsc::Receiver<Command>,
    /// Has one entry at most for each request that was begun here, and for each state.
    pub(super) wanted: mpsc::UnboundedReceiver<Wanted>,
    pub(super) counters: Arc<Counters>,
}

impl Commands {
    /// To be called, and carried out, on the service's thread.
    pub(crate) async fn carry_out(self, local: Rc<Local>) {
        // What is left of them ends before the service does.
        let mut commands = self;
        loop {
            tokio::select! {
                Some(command) = commands.commands.recv() => carry_out(&local, command),
                Some(wanted) = commands.wanted.recv() => heed(wanted),
                else => return,
            }
        }
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        self.commands.close();
        loop {
            match self.commands.try_recv() {
                // Whoever asked for anything else is told when it is dropped; who published was told that all is well.
                Ok(Command::Publish { number, .. }) => self.counters.of(number).refuse(code::STOPPING),
                Ok(_) => {}
                // A thread has its place already and is about to put something there.
                Err(TryRecvError::Empty) => std::thread::yield_now(),
                Err(TryRecvError::Disconnected) => return,
            }
        }
    }
}

fn carry_out(local: &Rc<Local>, command: Command) {
    match command {
        Command::Request(message, answer) => {
            go_on(outgoing::request(local, message.lend(), message.waited()), answer)
        }
        Command::Publish { number, frame } => outgoing::publish_frame(local, number, frame),
        Command::Spawn(spawned) => background::begin(local, spawned),
        Command::Flush(done) => _ = done.send(()),
    }
}

fn heed(wanted: Wanted) {
    let requests = HERE.with_borrow(|here| here.as_ref().map(|home| Rc::clone(&home.requests)));
    let take = |number| requests.as_ref().and_then(|requests| requests.take(number));
    match wanted {
        Wanted::Outcome(number, answer) => {
            if let Some(request) = take(number) {
                go_on(request, answer);
            }
        }
        Wanted::Nothing(number) => drop(take(number)),
        Wanted::Flush(position, is_due) => {
            // Before: what is published from now on asks again.
            is_due.store(false, Ordering::Release);
            let local = HERE.with_borrow(|here| here.as_ref().map(|home| Rc::clone(&home.local)));
            local.iter().filter_map(|local| local.states().get(position)).for_each(State::flush);
        }
    }
}

/// Drives a request for another thread.
fn go_on(request: impl Future<Output = Outcome> + 'static, mut answer: oneshot::Sender<Outcome>) {
    tokio::task::spawn_local(async move {
        tokio::select! {
            outcome = request => Some(outcome),
            // Whoever asked has given up.
            () = answer.closed() => None,
        }
        .map(|outcome| answer.send(outcome))
    });
}

#[cfg(test)]
mod tests {
    use service_framework_core::declaration::ConnectionKind;

    use super::*;

    #[test]
    fn what_is_published_in_the_moment_of_the_end_is_counted() {
        // Not each time does the end come first.
        for _ in 0..200 {
            let (sender, commands) = mpsc::channel(1);
            let (_want, wanted) = mpsc::unbounded_channel();
            let news = ("news".to_owned(), ConnectionKind::Publisher);
            let counters = Arc::new(Counters::new([news].into_iter(), &[]));
            let commands = Commands { commands, wanted, counters: Arc::clone(&counters) };
            let place = sender.try_reserve().expect("there is room");
            let ending = std::thread::spawn(move || drop(commands));
            while !sender.is_closed() {
                std::thread::yield_now();
            }
            place.send(Command::Publish { number: 0, frame: Bytes::new() });
            ending.join().expect("it ends");
            assert_eq!(counters.read().0["news"].refused, [(code::STOPPING.to_owned(), 1)].into());
        }
    }
}
