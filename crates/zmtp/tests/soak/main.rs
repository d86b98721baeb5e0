//! Many strangers and many idle peers: what they take, and that nothing of it stays.
//!
//! The short forms are tests like others. The long ones are run by `cargo xtask soak`, which writes what they measured into `SOAK.md`.
#![cfg(all(feature = "tokio", target_os = "linux"))]

mod measure;
mod report;
mod server;
mod crowd;

mod churn;
mod idle;
