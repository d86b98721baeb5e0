//! The protocol without a network: two sides, bytes between them, and time as the tests please.

#[cfg(feature = "curve")]
mod curve;
mod handshake;
mod hostile;
mod laws;
mod support;
mod traffic;
