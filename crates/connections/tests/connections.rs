//! What connections do, seen from outside, over real sockets.

/// The engine that carries them here.
const ENGINE: &str = "zmtp";

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
