//! The command as its users meet it: real processes, with a real plugin.

mod support;

mod help;
mod usage;
mod flags;
mod describe;
mod check;
mod running;
mod stopping;
mod refused;
mod new;
mod bus;
mod keys;
