//! Measures the framework against its peers.

fn main() {}
