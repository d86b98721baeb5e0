//! `cargo xtask guide`: does what the first chapter of the guide says, command by command, and compares what comes out.

mod page;
mod output;
mod shell;
#[cfg(test)]
mod links;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};

use page::Step;
use shell::Shell;

/// The chapter, from the root of the workspace.
const CHAPTER: &str = "guide/src/first-service.md";

/// How long one step may take; the first ones build the framework.
const STEP_MAX: Duration = Duration::from_secs(1_800);

/// Runs the chapter in an empty folder, with `SERVICE_FRAMEWORK` naming the workspace in `root`. What it builds is kept in `target`, for the next time.
pub(crate) fn run(root: &Path, target: &Path) -> anyhow::Result<()> {
    let chapter = fs::read_to_string(root.join(CHAPTER)).with_context(|| format!("cannot read {CHAPTER}"))?;
    let steps = page::steps(&chapter).with_context(|| CHAPTER.to_owned())?;
    if steps.is_empty() {
        bail!("{CHAPTER} has no commands");
    }
    // Outside of the workspace, as a reader's would be.
    let (folder, tools) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut shell = Shell::start(folder.path(), tools.path(), root, target)?;
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
    Ok(())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect::<String>().trim_end().to_owned()
}
