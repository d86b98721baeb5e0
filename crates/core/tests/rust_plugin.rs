//! A plugin in Rust, called by its table as any host may call it.
#![expect(unsafe_code, reason = "calls C functions")]

#[path = "rust_plugin/homebody.rs"]
mod homebody;
#[cfg(unix)]
#[path = "rust_plugin/last_moments.rs"]
mod last_moments;
#[path = "rust_plugin/sizes.rs"]
mod sizes;
