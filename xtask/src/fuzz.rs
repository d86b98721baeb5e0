//! `cargo xtask fuzz`: grows inputs for the readers of foreign bytes by what they reach, until a law does not hold or the time is over.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::bench;
use crate::say::say;
use crate::step::step;
use crate::workspace::{self, Workspace};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long each target is tried.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// The target, `xtask/fuzz/corpus` having a folder for each; all of them, one after the other, if none is named.
    target: Option<String>,
    /// Inputs to be tried, and no others: what was found, for example.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// The package of the targets, and of the program that tries them.
const PACKAGE: &str = "service-framework-fuzz";

/// Tells that program its target.
const VARIABLE: &str = "SERVICE_FRAMEWORK_FUZZ";

/// Lets the fuzzer see which code an input reaches, and what is compared there, with the stable compiler.
const FLAGS: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Builds the fuzzer and tries what was asked for.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<()> {
    step("a C++ compiler", bench::compiler)?;
    let all = targets(workspace)?;
    let chosen = match &options.target {
        Some(target) if all.contains(target) => vec![target.clone()],
        Some(target) => bail!("there is no target `{target}`: there are {}", all.join(", ")),
        None => all,
    };
    step("the fuzzer", || build(workspace))?;
    if !options.files.is_empty() {
        let mut command = program(workspace, &chosen[0])?;
        let files: Result<Vec<_>, _> = options.files.iter().map(std::path::absolute).collect();
        return workspace::run(command.args(files?));
    }
    chosen.iter().try_for_each(|target| grow(workspace, target, options.seconds))
}

/// Tries each target for as long as everybody can wait.
pub(crate) fn briefly(workspace: &Workspace) -> anyhow::Result<()> {
    build(workspace)?;
    targets(workspace)?.iter().try_for_each(|target| grow(workspace, target, 5))
}

/// The targets by their names, in the order of the alphabet.
fn targets(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let folder = seeds(workspace);
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names = entries.map(|entry| Ok(name(entry?))).collect::<anyhow::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Where the inputs lie that all fuzzing begins with.
fn seeds(workspace: &Workspace) -> PathBuf {
    workspace.root.join("xtask/fuzz/corpus")
}

/// Where the fuzzer is built, and keeps what it has found.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("fuzz")
}

fn build(workspace: &Workspace) -> anyhow::Result<()> {
    workspace::run(cargo(workspace, "build").env("CARGO_TERM_QUIET", "true"))
}

/// A target to be tried: what follows are the words of libFuzzer.
fn program(workspace: &Workspace, target: &str) -> anyhow::Result<Command> {
    let mut command = cargo(workspace, "run");
    command.args(["--quiet", "--"]).env(VARIABLE, target);
    let findings = home(workspace).join("findings");
    fs::create_dir_all(&findings).with_context(|| format!("cannot create {}", findings.display()))?;
    command.arg(format!("-artifact_prefix={}", findings.join(format!("{target}-")).display()));
    // An input that takes seconds, or much memory, is a finding as well.
    command.args(["-timeout=10", "-rss_limit_mb=1024"]);
    Ok(command)
}

fn cargo(workspace: &Workspace, verb: &str) -> Command {
    let mut command = workspace.cargo_command();
    command.args([verb, "--package", PACKAGE, "--features", "libfuzzer", "--profile", "fuzz"]);
    // With a target named, the flags are not for macros and build scripts.
    command.args(["--target", "host-tuple", "--target-dir"]).arg(home(workspace));
    command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    command
}

/// Tries a target for some seconds, from the inputs in the repository and those that were grown here before.
fn grow(workspace: &Workspace, target: &str, seconds: u32) -> anyhow::Result<()> {
    let grown = home(workspace).join("corpus").join(target);
    fs::create_dir_all(&grown).with_context(|| format!("cannot create {}", grown.display()))?;
    let mut command = program(workspace, target)?;
    command.args([format!("-max_total_time={seconds}"), "-print_final_stats=1".into()]);
    let begun = Instant::now();
    let output = command.args([grown, seeds(workspace).join(target)]).output().context("cannot run cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("the target `{target}` ended with {}:\n{}", output.status, found(target, &said));
    }
    let runs = runs(&said).context("the fuzzer does not say how many inputs it has tried")?;
    say(format_args!("    {target}: {runs} runs in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(())
}

/// How many inputs were tried, from what the fuzzer says at its end.
fn runs(said: &str) -> Option<u64> {
    let count = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    count?.trim().parse().ok()
}

/// What the fuzzer says of a finding, without how it came to it.
fn found(target: &str, said: &str) -> String {
    let is_begin = |line: &&str| line.contains("panicked at") || line.contains("ERROR: libFuzzer");
    let begin = said.lines().position(|line| is_begin(&line)).unwrap_or_default();
    let mut lines: Vec<&str> = said.lines().skip(begin).collect();
    let written = lines.iter().find_map(|line| line.split_once("Test unit written to "));
    let again = written.map(|(_, file)| {
        let file = Path::new(file).display();
        format!("try it alone: cargo xtask fuzz {target} {file}")
    });
    lines.extend(again.as_deref());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_runs_is_read() {
        let said = "#2\tINITED cov: 3\nDone 2201 runs in 5 second(s)\n\
            stat::number_of_executed_units: 2201\nstat::average_exec_per_sec:     440\n";
        assert_eq!(runs(said), Some(2201));
        assert_eq!(runs("Done"), None);
    }

    #[test]
    fn a_finding_is_told_without_the_way_to_it() {
        let said = "#2\tINITED cov: 3\n#3\tNEW cov: 4\nthread '<unnamed>' panicked at a.rs:1:2:\nno law\n\
            Test unit written to /t/wire-crash-1\n";
        let expected = "thread '<unnamed>' panicked at a.rs:1:2:\nno law\nTest unit written to /t/wire-crash-1\n\
            try it alone: cargo xtask fuzz wire /t/wire-crash-1";
        assert_eq!(found("wire", said), expected);
        // Whatever else may be wrong is told in full.
        assert_eq!(found("wire", "error: no such target\n"), "error: no such target");
    }
}
