//! Sockets over real streams, on one thread.
#![cfg(feature = "tokio")]

mod support;

mod dealing;
mod full;
mod delivering;
mod asking;
mod publishing;
mod working;
mod closing;
mod strangers;
mod counting;
mod inproc;
#[cfg(feature = "curve")]
mod encrypting;
