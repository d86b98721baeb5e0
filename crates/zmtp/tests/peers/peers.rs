//! Our sockets and those of other engines in Rust, at the two ends of real streams.
#![cfg(unix)]

#[path = "../sockets/support.rs"]
#[expect(dead_code, reason = "the tests of sockets among themselves use more of it")]
mod support;

#[path = "../interop/patterns.rs"]
mod patterns;

mod other;
mod pairs;

#[cfg(feature = "omq")]
mod omq;
mod zeromq;
