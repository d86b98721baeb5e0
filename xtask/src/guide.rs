//! `cargo xtask guide`: does what the first chapter of the guide says, command by command, and compares what comes out.

mod page;
mod output;
mod shell;
mod flags;
#[cfg(test)]
mod links;

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::workspace::Workspace;
use page::Step;
use shell::Shell;

/// The chapter, from the root of the workspace.
const CHAPTER: &str = "guide/src/first-service.md";

/// The page that names the flags of the command.
const FLAGS: &str = "guide/src/configuration.md";

/// How long one step may take; the first ones build the framework.
const STEP_MAX: Duration = Duration::from_secs(1_800);

/// Runs the chapter in an empty folder, with `SERVICE_FRAMEWORK` naming the workspace; then compares the flags of the command that it has installed with those that
/// the guide names. What it builds is kept for the next time.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let read = |page: &str| {
        fs::read_to_string(workspace.root.join(page)).with_context(|| format!("cannot read {page}"))
    };
    let steps = page::steps(&read(CHAPTER)?).context(CHAPTER)?;
    if steps.is_empty() {
        bail!("{CHAPTER} has no commands");
    }
    // Outside of the workspace, as a reader's would be.
    let (folder, tools) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut shell = Shell::start(folder.path(), tools.path(), &workspace.root, &workspace.target)?;
    for Step { line, commands, expected } in &steps {
        println!("{CHAPTER}:{line}");
        println!("{}", indented(commands));
        let actual = shell
            .run(commands, STEP_MAX)
            .with_context(|| format!("{CHAPTER}:{line}: these commands failed:\n{}", indented(commands)))?;
        if let Some(expected) = expected
            && !output::matches(expected, &actual)
        {
            bail!(
                "{CHAPTER}:{line}: the output is another\n\nthe page says:\n{}\n\nit was:\n{}",
                indented(expected),
                indented(&actual)
            );
        }
    }
    println!("{CHAPTER}: {} steps, all as the page says", steps.len());
    let help = shell.run("service_framework --help", STEP_MAX)?;
    flags::compare(&help, &read(FLAGS)?).context(FLAGS)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect::<String>().trim_end().to_owned()
}
