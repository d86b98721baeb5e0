//! Says on stdout how a chore goes, whether or not anybody reads there.

use std::fmt::Display;
use std::io::{Write as _, stdout};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Says a line. A chore is done also if it cannot be heard: whoever stops reading, as `head` does, has read enough.
pub(crate) fn say(line: impl Display) {
    let mut out = stdout().lock();
    _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Whether whoever read what is said has gone away.
pub(crate) fn is_unheard() -> bool {
    let out = stdout();
    // These are told without being asked for.
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut watched, Some(&at_once)).is_ok()
        && watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}
