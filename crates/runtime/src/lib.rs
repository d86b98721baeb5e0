//! Loads plugins, owns sockets, drives loops.

pub mod log;
