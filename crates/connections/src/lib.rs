//! Replyer, requester, publisher and subscriber: bytes and addresses, and no service.
//!
//! A connection lives on the thread of its service: on a current-thread tokio runtime with IO and time, inside a
//! [`LocalSet`](tokio::task::LocalSet) or [`LocalRuntime`](tokio::runtime::LocalRuntime). Nothing here crosses threads but the [`Counters`]. Connecting ones find
//! their peer by themselves, whenever it appears and however often it restarts. Nothing waits for ever that has
//! a deadline, and what is dropped is counted.
//!
//! Dropping a connection stops it, and frees its port when the runtime next has a turn; `close` also waits until
//! what was sent has left.
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use bytes::Bytes;
//! use service_framework_connections::{Replyer, Requester, default_engine, requester};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! tokio::task::LocalSet::new().block_on(&runtime, async {
//!     let engine = default_engine();
//!     let replyer = Replyer::bind(&engine, "echo", &"127.0.0.1:0".parse()?).await?;
//!     let requester =
//!         Requester::connect(&engine, "to_echo", replyer.address(), requester::Options::default())?;
//!
//!     let answering = async {
//!         let request = replyer.recv().await;
//!         replyer.reply(request.reply_to, request.payload);
//!     };
//!     let deadline = Instant::now() + Duration::from_secs(5);
//!     let (reply, ()) = tokio::join!(requester.call(Bytes::from("hello"), Some(deadline)), answering);
//!     assert_eq!(reply?, "hello");
//!
//!     replyer.close(Duration::from_secs(1)).await;
//!     Ok(())
//! })
//! # }
//! ```

mod bus;
pub mod counters;
mod delivery;
pub mod engine;
pub mod error;
mod link;
mod listen;
pub mod peers;
pub mod publisher;
pub mod replyer;
pub mod requester;
pub mod security;
pub mod subscriber;

use std::rc::Rc;
use std::sync::Arc;

use service_framework_core::address::{Address, Host};

pub use self::bus::Bus;
pub use self::counters::{Counters, Counts, Refusal};
pub use self::delivery::Delivery;
pub use self::engine::{ByCause, Cause, Engine, EngineOptions, WhenFull, default_engine, engine_by_name};
pub use self::error::{Error, SocketError};
pub use self::peers::{PeerCounts, Peers, Told, Traffic};
pub use self::publisher::Publisher;
pub use self::replyer::{ReplyTo, Replyer, Request};
pub use self::requester::{CallError, Requester};
pub use self::security::Security;
pub use self::subscriber::Subscriber;

/// Looks up the host that a connection is to connect to, for those who want a misspelt one refused at the start.
///
/// Connecting itself waits for a name as it waits for a peer: it may be known later.
///
/// # Errors
///
/// [`Error::Connect`] with [`SocketError::UnknownHost`].
pub async fn check_host(connection: &str, address: &Address) -> Result<(), Error> {
    let Address::Tcp { host: Host::Name(name), port } = address else {
        return Ok(());
    };
    listen::resolve(name, *port).await.map(drop).map_err(|cause| Error::Connect {
        connection: connection.to_owned(),
        address: address.clone(),
        cause,
    })
}

/// Finds out whether this engine and this machine can listen at an address, without listening there: whether a host or a folder is its own.
///
/// Whether the port is free is known only to whoever takes it.
///
/// # Errors
///
/// [`Error::Bind`], as binding there would give.
pub async fn check_listener(
    engine: &Rc<dyn Engine>,
    connection: &str,
    address: &Address,
) -> Result<(), Error> {
    let checked = match engine.check(address) {
        Ok(()) => listen::check(address).await,
        cannot => cannot,
    };
    checked.map_err(|cause| Error::Bind {
        connection: connection.to_owned(),
        address: address.clone(),
        cause,
    })
}

/// Opens a listening socket for the connection of that name.
async fn bind(
    engine: &Rc<dyn Engine>,
    role: engine::Role,
    connection: &str,
    address: &Address,
    counters: &Arc<Counters>,
) -> Result<engine::Bound, Error> {
    watched(engine.bind(role, address).await, connection, address, counters)
}

/// A socket that was opened for the connection of that name, whose refusals are counted from now on.
fn watched(
    bound: Result<engine::Bound, SocketError>,
    connection: &str,
    address: &Address,
    counters: &Arc<Counters>,
) -> Result<engine::Bound, Error> {
    let bound = bound.map_err(|cause| Error::Bind {
        connection: connection.to_owned(),
        address: address.clone(),
        cause,
    })?;
    Rc::clone(&bound.socket).watch(connection, counters);
    Ok(bound)
}
