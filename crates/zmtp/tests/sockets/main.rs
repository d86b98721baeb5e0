//! Sockets over real streams, on one thread.
#![cfg(feature = "tokio")]

mod support;
mod home;

mod dealing;
mod full;
mod delivering;
mod asking;
mod asking_again;
mod publishing;
mod greeting;
mod working;
mod closing;
mod dialling;
mod strangers;
mod counting;
mod inproc;
#[cfg(feature = "curve")]
mod encrypting;
