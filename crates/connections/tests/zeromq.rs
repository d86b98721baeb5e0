//! What connections do, carried by the other engine: the same tests.

/// The engine that carries them here.
const ENGINE: &str = "zeromq";

#[path = "connections/addresses.rs"]
mod addresses;
#[path = "connections/closing.rs"]
mod closing;
#[path = "connections/publications.rs"]
mod publications;
#[path = "connections/replyer.rs"]
mod replyer;
#[path = "connections/requester.rs"]
mod requester;
#[path = "connections/support.rs"]
mod support;
