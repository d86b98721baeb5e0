//! The `service_framework` command.

fn main() {}
