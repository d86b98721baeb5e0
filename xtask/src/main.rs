//! Every chore of this workspace: what a person runs at home, and what the CI runs.

mod say;
mod step;
mod workspace;
mod demo;
mod test;
mod ci;
mod examples;
mod tidy;
mod bench;
mod fuzz;
mod soak;
mod simulate;
mod peers;
mod interop;
mod guide;
mod tally;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use workspace::Workspace;

/// Every chore of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Options {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Builds everything and watches this machine with five services, each a process of its own; one is killed on the way, and started again.
    Demo(demo::Options),
    /// Runs all tests, and prepares what they need.
    Test,
    /// Runs everything that a change must pass.
    Ci,
    /// Checks what no compiler does: how files open, who depends on whom, what authors compile, where `unsafe` may stand, which file names an engine.
    Tidy,
    /// Measures the framework against its peers; what follows is handed to the bench.
    #[command(disable_help_flag = true)]
    Bench(bench::Options),
    /// Grows inputs for the readers of foreign bytes, and tries the laws that hold for them.
    Fuzz(fuzz::Options),
    /// Tries what takes minutes: strangers that come and go, ten thousand idle peers, a million calls, and faults of all kinds; and writes down what came of it.
    Soak(soak::Options),
    /// Tries a million schedules of lost, late and doubled messages, of the engine's protocol and of the states'.
    Simulate(simulate::Options),
    /// Runs the tests of our engine with all other engines in Rust, also with those that take long to build.
    Peers,
    /// Sets up the Python originals in `target/interop`, for the tests that talk with them.
    Interop,
    /// Does what the guide's chapters of commands say, in empty folders, and compares what comes out.
    Guide,
    /// Runs the examples, and compares what they print with what they say that they do.
    Examples,
    /// Runs a program that ends when the process that started it does.
    #[command(hide = true)]
    Tied(demo::Tied),
}

fn main() -> ExitCode {
    let Options { chore } = Options::parse();
    let done = Workspace::find().and_then(|workspace| match chore {
        Chore::Demo(options) => demo::run(&workspace, &options),
        Chore::Test => test::run(&workspace),
        Chore::Ci => ci::run(&workspace),
        Chore::Tidy => tidy::run(&workspace),
        Chore::Bench(options) => bench::run(&workspace, &options),
        Chore::Fuzz(options) => fuzz::run(&workspace, &options),
        Chore::Soak(options) => soak::run(&workspace, &options),
        Chore::Simulate(options) => simulate::run(&workspace, &options),
        Chore::Peers => peers::run(&workspace),
        Chore::Interop => interop::set_up(&workspace),
        Chore::Guide => guide::run(&workspace),
        Chore::Examples => examples::run(&workspace),
        Chore::Tied(tied) => tied.run(),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
