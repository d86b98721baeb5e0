//! Says why a connection could not be opened, with the fix.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use service_framework_core::address::{Address, Host};
use thiserror::Error;

use crate::engine::Cause;

/// Why a connection could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// It could not listen.
    #[error("cannot bind `{connection}` to {address}")]
    Bind {
        /// The connection's name.
        connection: String,
        /// Where it was to listen.
        address: Address,
        /// What stands in the way.
        #[source]
        cause: SocketError,
    },
    /// It can never connect. (A peer that is merely absent is no error: it is waited for.)
    #[error("cannot connect `{connection}` to {address}")]
    Connect {
        /// The connection's name.
        connection: String,
        /// Whom it was to connect to.
        address: Address,
        /// What stands in the way.
        #[source]
        cause: SocketError,
    },
}

/// What a socket could not do, and what to do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SocketError {
    /// The address belongs to another machine, or to none.
    #[error("not an address of this machine; write `*:{port}` to listen on all")]
    NotOurs {
        /// The port asked for.
        port: u16,
    },
    /// Somebody listens on the port already.
    #[error("port {port} is in use; stop whoever listens there (`ss -ltnp` names it) or write another port")]
    PortInUse {
        /// The port asked for.
        port: u16,
    },
    /// Somebody listens on the socket file already.
    #[error("another process listens there; stop it or write another path")]
    PathInUse,
    /// A file that is no socket has the name.
    #[error("a file that is no socket stands there; remove it or write another path")]
    NotASocket,
    /// The folder of the socket file is not there.
    #[error("its folder {} does not exist; create it or write another path", folder.display())]
    NoFolder {
        /// The missing folder.
        folder: PathBuf,
    },
    /// The path does not fit into a socket's name.
    #[error("the path is too long for a socket ({length} bytes, about 90 are safe); write a shorter one")]
    PathTooLong {
        /// Bytes in the path.
        length: usize,
    },
    /// A low port, as a user without the right.
    #[error("port {port} needs privilege; write one of 1024 or above, or grant it")]
    PortDenied {
        /// The port asked for.
        port: u16,
    },
    /// The folder may not be written to.
    #[error("permission denied; choose a folder that this user may write to")]
    PathDenied,
    /// No file descriptor is left.
    #[error("too many open files; raise the limit (`ulimit -n`) or open fewer connections")]
    NoDescriptors,
    /// The host's name is not known.
    #[error("the host name `{name}` is not known; check its spelling or write an IP address")]
    UnknownHost {
        /// The name as written.
        name: String,
        /// What the resolver said.
        #[source]
        cause: io::Error,
    },
    /// `*` says where to listen.
    #[error("`*` says where to listen; name the host to connect to")]
    ConnectToAny,
    /// Port 0 says that any port will do.
    #[error("port 0 lets the system choose where to listen; name the port to connect to")]
    ConnectToPort0,
    /// Something in this process listens at the name.
    #[error("another connection of this process listens there; write another name")]
    NameInUse,
    /// The engine lacks the transport.
    #[error("the `{engine}` engine has no inproc://; use ipc:// or tcp://")]
    NoInproc {
        /// The engine's name.
        engine: &'static str,
    },
    /// The engine has no sockets for a bus.
    #[error("the `{engine}` engine has no bus")]
    NoBus {
        /// The engine's name.
        engine: &'static str,
    },
    /// Nobody answered in time.
    #[error("nobody answers there")]
    Silence {
        /// How long it was tried.
        after: Duration,
    },
    /// Whoever answered does not speak the protocol, or has the wrong kind of socket.
    #[error("whoever answers there is no fitting peer: {reason}")]
    Misfit {
        /// The engine's words.
        reason: String,
        /// What it counts as.
        cause: Cause,
    },
    /// Anything else the system said.
    #[error("the system refused")]
    System(#[source] io::Error),
}

// EMFILE and ENFILE have no `ErrorKind`; their numbers are the same on every Unix.
const PROCESS_HAS_TOO_MANY_FILES: i32 = 24;
const SYSTEM_HAS_TOO_MANY_FILES: i32 = 23;

impl SocketError {
    /// What a try to connect counts as that came to nothing.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Self::Misfit { cause, .. } => *cause,
            Self::Silence { .. } => Cause::Timeout,
            Self::System(_) | Self::UnknownHost { .. } => Cause::Network,
            _ => Cause::Other,
        }
    }

    /// Reads what the system said when asked to listen on `address`.
    pub(crate) fn from_bind(address: &Address, cause: io::Error) -> Self {
        if let Some(PROCESS_HAS_TOO_MANY_FILES | SYSTEM_HAS_TOO_MANY_FILES) = cause.raw_os_error() {
            return Self::NoDescriptors;
        }
        match (address, cause.kind()) {
            (&Address::Tcp { port, .. }, ErrorKind::AddrNotAvailable) => Self::NotOurs { port },
            (&Address::Tcp { port, .. }, ErrorKind::AddrInUse) => Self::PortInUse { port },
            (&Address::Tcp { port, .. }, ErrorKind::PermissionDenied) => Self::PortDenied { port },
            (Address::Ipc(_), ErrorKind::AddrInUse) => Self::PathInUse,
            (Address::Inproc(_), ErrorKind::AddrInUse) => Self::NameInUse,
            (Address::Ipc(_), ErrorKind::PermissionDenied) => Self::PathDenied,
            _ => Self::System(cause),
        }
    }
}

/// Says what makes `address` impossible to connect to, if anything.
pub(crate) fn check_connectable(address: &Address) -> Result<(), SocketError> {
    match address {
        Address::Tcp { host: Host::Any, .. } => Err(SocketError::ConnectToAny),
        Address::Tcp { port: 0, .. } => Err(SocketError::ConnectToPort0),
        Address::Tcp { .. } | Address::Ipc(_) | Address::Inproc(_) => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a literal reads best at the call")]
    #[track_caller]
    fn check(address: &str, cause: io::Error, expected: Expect) {
        expected.assert_eq(&SocketError::from_bind(&address.parse().unwrap(), cause).to_string());
    }

    #[test]
    fn what_the_system_says_becomes_a_fix() {
        check(
            "*:8001",
            io::Error::from_raw_os_error(PROCESS_HAS_TOO_MANY_FILES),
            expect!["too many open files; raise the limit (`ulimit -n`) or open fewer connections"],
        );
        check(
            "ipc:///tmp/orders",
            io::Error::from_raw_os_error(SYSTEM_HAS_TOO_MANY_FILES),
            expect!["too many open files; raise the limit (`ulimit -n`) or open fewer connections"],
        );
        check(
            "*:80",
            ErrorKind::PermissionDenied.into(),
            expect!["port 80 needs privilege; write one of 1024 or above, or grant it"],
        );
        check(
            "ipc:///tmp/orders",
            ErrorKind::PermissionDenied.into(),
            expect!["permission denied; choose a folder that this user may write to"],
        );
    }
}
