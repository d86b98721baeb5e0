//! Compiles the sample of the guide as a documentation test.

#[doc = include_str!("../../../guide/src/running.md")]
struct Running;
