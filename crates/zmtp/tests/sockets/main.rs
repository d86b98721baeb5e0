//! Sockets over real streams, on one thread.
#![cfg(feature = "tokio")]

mod support;

mod dealing;
mod asking;
mod publishing;
mod working;
mod closing;
mod strangers;
