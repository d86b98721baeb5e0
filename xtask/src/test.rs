//! `cargo xtask test`: all tests, and what they need.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::say::say;
use crate::step::step;
use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{bench, demo, guide, interop};

/// Runs all tests. The last line says how many passed.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    step("the Python originals", || interop::set_up(workspace))?;
    let tally = step("tests", || tests(workspace))?;
    step("the demo", demo::check)?;
    step("the guide", || guide::run(workspace))?;
    say(tally);
    Ok(())
}

/// Runs the tests of all members, documentation included; without those of the benchmark where it cannot be built.
fn tests(workspace: &Workspace) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut command = workspace.cargo_command();
    // Named, so that the tests with a tokio of the plugin's own do not depend on who else is built.
    command.args(["test", "--no-fail-fast", "--workspace", "--features", "service-framework/tokio"]);
    if let Err(missing) = bench::compiler() {
        say(format_args!("    the tests of the benchmark are left out: {missing}"));
        command.args(["--exclude", bench::PACKAGE]);
    }
    command.env(interop::VARIABLE, interop::folder(workspace));
    add(&mut tally, &mut command)?;
    // What an author reads who has not asked for tokio can only be seen without it.
    let mut command = workspace.cargo_command();
    command.args(["test", "--package", "service-framework", "--test", "compile_errors", "--"]);
    add(&mut tally, command.args(["each_mistake", "trybuild=without_tokio"]))?;
    Ok(tally)
}

/// Runs tests, shows what they say, and adds them to the others.
fn add(tally: &mut Tally, command: &mut Command) -> anyhow::Result<()> {
    let mut runner = command.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let output = runner.stdout.take().expect("it was piped above");
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what the tests say")?;
        say(&line);
        tally.read(&line);
    }
    let status = runner.wait()?;
    if !status.success() || tally.failed > 0 {
        bail!("{tally}; `cargo test` ended with {status}");
    }
    Ok(())
}
