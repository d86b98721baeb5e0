//! What connections do, seen from outside, over real sockets; for each engine the same.

mod addresses;
mod bus;
mod closing;
mod counting;
mod failing;
mod greeting;
mod publications;
mod replyer;
mod requester;
mod security;
mod support;
