//! Two sides and a wire.

use std::time::Instant;

use service_framework_zmtp::{Config, Connection, Error, Event, SocketType};

/// A connection of this type with no identity and no mechanism.
pub(crate) fn plain(socket_type: SocketType) -> Connection {
    Connection::new(Config::new(socket_type), Instant::now())
}

/// Everything that has happened, up to the error that ended it.
pub(crate) fn events(side: &mut Connection) -> (Vec<Event>, Option<Error>) {
    let mut events = Vec::new();
    loop {
        match side.poll() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return (events, None),
            Err(error) => return (events, Some(error)),
        }
    }
}

/// Carries bytes both ways until nobody has any. Gives what happened on either side, which must not be an error.
pub(crate) fn talk(ours: &mut Connection, theirs: &mut Connection) -> (Vec<Event>, Vec<Event>) {
    let (mut here, mut there) = (Vec::new(), Vec::new());
    let now = Instant::now();
    loop {
        let (out, back) = (ours.take_output(), theirs.take_output());
        if out.is_empty() && back.is_empty() {
            return (here, there);
        }
        theirs.receive(&out, now);
        ours.receive(&back, now);
        for (side, said) in [(&mut *ours, &mut here), (&mut *theirs, &mut there)] {
            let (events, error) = events(side);
            assert_eq!(error, None, "after {events:?}");
            said.extend(events);
        }
    }
}

/// Two sides that have met.
pub(crate) fn met(ours: SocketType, theirs: SocketType) -> (Connection, Connection) {
    let (mut ours, mut theirs) = (plain(ours), plain(theirs));
    talk(&mut ours, &mut theirs);
    assert!(ours.is_ready() && theirs.is_ready());
    (ours, theirs)
}
