//! Loads plugins, owns sockets, drives loops.
