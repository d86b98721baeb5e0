//! The protocol without a network: two sides, bytes between them, and time as the tests please.

mod handshake;
mod hostile;
mod laws;
mod support;
mod traffic;
