//! The suite of connections on our own engine.

/// The engine that carries them here.
const ENGINE: &str = "zmtp";

#[path = "connections/suite.rs"]
mod suite;
