//! What connections do, carried by the other engine: the same tests.

/// The engine that carries them here.
const ENGINE: &str = "zeromq";

#[path = "connections/suite.rs"]
mod suite;
