//! Sockets over real streams, on one thread.
#![cfg(feature = "tokio")]

mod support;
mod home;

mod dealing;
mod full;
mod delivering;
#[cfg(target_os = "linux")]
mod writing;
mod asking;
mod asking_again;
mod publishing;
mod greeting;
mod working;
mod silence;
mod closing;
mod dialling;
mod strangers;
#[cfg(unix)]
mod accepting;
mod counting;
mod inproc;
mod listening;
#[cfg(feature = "curve")]
mod encrypting;
