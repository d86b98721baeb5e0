//! Our sockets and those of libzmq, by pyzmq, at the two ends of real streams.
#![cfg(all(feature = "tokio", unix))]

#[path = "../sockets/support.rs"]
#[expect(dead_code, reason = "the tests of sockets among themselves use more of it")]
mod support;

#[path = "../sockets/home.rs"]
#[expect(dead_code, reason = "the tests of sockets among themselves use more of it")]
mod home;

mod libzmq;
mod patterns;

#[cfg(feature = "curve")]
mod encrypting;
mod coming_again;
mod pairs;
mod proxy;
mod settings;
mod tap;
