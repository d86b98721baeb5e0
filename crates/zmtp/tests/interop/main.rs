//! Our sockets and those of libzmq, by pyzmq, at the two ends of real streams.
//!
//! The crate `zmq` is a binding of libzmq as pyzmq is, so that what holds here for the one holds for the other: both carry the same C++. To build that takes a
//! C++ compiler, which only the benchmark asks for; there libzmq is talked with by that crate.
#![cfg(all(feature = "tokio", unix))]

#[path = "../sockets/support.rs"]
#[expect(dead_code, reason = "the tests of sockets among themselves use more of it")]
mod support;

#[path = "../sockets/home.rs"]
#[expect(dead_code, reason = "the tests of sockets among themselves use more of it")]
mod home;

mod libzmq;
mod meeting;
mod patterns;

#[cfg(feature = "curve")]
mod encrypting;
mod coming_again;
mod greeting;
mod pairs;
mod proxy;
mod settings;
mod tap;
