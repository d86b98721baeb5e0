//! Raises how many files and sockets this process may have open.

/// Raises the limit to what the system allows this process: each connection takes one, and the usual limit of 1,024 is kept for programs
/// that use `select`, which a plugin on Linux has no reason to. What cannot be raised stays as it is.
#[cfg(unix)]
pub(crate) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

#[cfg(not(unix))]
pub(crate) fn raise() {}
