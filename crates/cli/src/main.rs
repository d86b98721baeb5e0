//! The command `service_framework`: runs a service, describes it, checks it, makes a new one; or a bus between services.

mod descriptors;
mod flags;
mod words;
mod slip;
mod command;
mod run;
mod describe;
mod check;
mod new;
mod bus;
mod keys;
mod failure;
mod fault;
mod print;

use std::process::ExitCode;

// Linked for its `malloc`, which serves this command and every plugin that brings no allocator of its own.
#[cfg(target_os = "linux")]
use mimalloc as _;

fn main() -> ExitCode {
    descriptors::raise();
    fault::guard(|| command::run(std::env::args_os()))
}
