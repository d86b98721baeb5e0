//! Takes the connections that others make.

use std::future::poll_fn;
use std::io;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::{Event, Listener, Shared, Stream};

/// The pauses after the system had no connection to give, first and last.
const ACCEPT_PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// What a socket listens on. Its task looks each one up, so that dropping it here frees the port at once.
#[derive(Debug, Default)]
pub(super) struct Listeners(Vec<(Listener, AbortHandle)>);

impl Listeners {
    /// Takes every connection that comes to `listener`.
    pub(super) fn add(&mut self, shared: Weak<Shared>, listener: Listener) {
        let task = tokio::task::spawn_local(accept(shared, self.0.len()));
        self.0.push((listener, task.abort_handle()));
    }

    /// The next connection; `None` if nothing is listened on any more.
    fn poll_accept(&self, index: usize, context: &mut Context<'_>) -> Poll<Option<io::Result<Stream>>> {
        match self.0.get(index) {
            Some((listener, _)) => listener.poll_accept(context).map(Some),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.0.iter().for_each(|(_, task)| task.abort());
    }
}

async fn accept(shared: Weak<Shared>, index: usize) {
    let mut pause = ACCEPT_PAUSE.0;
    loop {
        let accepted = poll_fn(|context| match shared.upgrade() {
            Some(shared) => shared.listeners.borrow().poll_accept(index, context),
            None => Poll::Ready(None),
        });
        let (Some(accepted), Some(shared)) = (accepted.await, shared.upgrade()) else { return };
        match accepted {
            Ok(stream) => {
                pause = ACCEPT_PAUSE.0;
                admit(&shared, stream);
            }
            Err(why) => {
                shared.count(|counts| counts.accept_errors += 1);
                shared.tell(Event::AcceptFailed { why });
                drop(shared);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE.1);
            }
        }
    }
}

fn admit(shared: &Rc<Shared>, stream: Stream) {
    if shared.peers.borrow().len() < shared.options.connections {
        _ = shared.begin(stream, None);
    } else {
        shared.count(|counts| counts.refused_connections += 1);
        shared.tell(Event::TooMany);
    }
}
