//! The command `service_framework`: runs a service, describes it, checks it, makes a new one.

mod flags;
mod words;
mod slip;
mod command;
mod run;
mod describe;
mod check;
mod new;
mod failure;
mod fault;
mod print;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fault::guard(|| command::run(std::env::args_os()))
}
