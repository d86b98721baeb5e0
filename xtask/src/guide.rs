//! `cargo xtask guide`: does what the guide's chapters of commands say, one after the other, and compares what comes out.

mod page;
mod output;
mod shell;
mod flags;
#[cfg(test)]
mod links;

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::say::say;
use crate::workspace::Workspace;
use page::Step;
use shell::Shell;

/// The chapters, from the root of the workspace. The first installs the command for the others.
const CHAPTERS: [&str; 2] = ["guide/src/first-service.md", "guide/src/orders.md"];

/// The page that names the flags of the command.
const FLAGS: &str = "guide/src/configuration.md";

/// How long one step may take; the first ones build the framework.
const STEP_MAX: Duration = Duration::from_secs(1_800);

/// Runs each chapter in an empty folder, with `SERVICE_FRAMEWORK` naming the workspace; then compares the flags of the command that was installed with those that
/// the guide names. What is built is kept for the next time.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let tools = tempfile::tempdir()?;
    for chapter in CHAPTERS {
        // Outside of the workspace, as a reader's would be.
        let folder = tempfile::tempdir()?;
        let mut shell = Shell::start(folder.path(), tools.path(), &workspace.root, &workspace.target)?;
        follow(chapter, &read(workspace, chapter)?, &mut shell)?;
    }
    let mut shell = Shell::start(tools.path(), tools.path(), &workspace.root, &workspace.target)?;
    let help = shell.run("service_framework --help", STEP_MAX)?;
    flags::compare(&help, &read(workspace, FLAGS)?).context(FLAGS)
}

fn read(workspace: &Workspace, page: &str) -> anyhow::Result<String> {
    fs::read_to_string(workspace.root.join(page)).with_context(|| format!("cannot read {page}"))
}

/// Does what a chapter says, command by command.
fn follow(chapter: &'static str, text: &str, shell: &mut Shell) -> anyhow::Result<()> {
    let steps = page::steps(text).context(chapter)?;
    if steps.is_empty() {
        bail!("{chapter} has no commands");
    }
    for Step { line, commands, expected } in &steps {
        say(format_args!("{chapter}:{line}"));
        say(indented(commands));
        let actual = shell
            .run(commands, STEP_MAX)
            .with_context(|| format!("{chapter}:{line}: these commands failed:\n{}", indented(commands)))?;
        if let Some(expected) = expected
            && !output::matches(expected, &actual)
        {
            bail!(
                "{chapter}:{line}: the output is another\n\nthe page says:\n{}\n\nit was:\n{}",
                indented(expected),
                indented(&actual)
            );
        }
    }
    say(format_args!("{chapter}: {} steps, all as the page says", steps.len()));
    Ok(())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect::<String>().trim_end().to_owned()
}
