//! Runs every example to its end, and compares what it prints with what its head says that it does.

use std::fs;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::workspace::Workspace;

/// Runs the examples of all default members.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let defaults = workspace.metadata["workspace_default_members"].as_array();
    let is_default = |package: &&Value| defaults.is_some_and(|members| members.contains(&package["id"]));
    let mut count = 0;
    for package in workspace.packages().filter(is_default) {
        for target in package["targets"].as_array().into_iter().flatten() {
            if target["kind"] == serde_json::json!(["example"]) {
                run_one(workspace, &package["name"], target)?;
                count += 1;
            }
        }
    }
    if count == 0 {
        bail!("there is no example to run");
    }
    Ok(())
}

fn run_one(workspace: &Workspace, package: &Value, target: &Value) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().map(str::to_owned).context("cargo names packages and examples");
    let (package, example, source) = (text(package)?, text(&target["name"])?, text(&target["src_path"])?);
    let expected = promised(&fs::read_to_string(&source)?).with_context(|| {
        format!("{source} does not say in its head what it prints: write it into ```text")
    })?;
    let mut command = workspace.cargo_command();
    command.args(["run", "--quiet", "--package", &package, "--example", &example]);
    let output = command.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the example `{example}` ended with {}", output.status);
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    if printed != expected {
        bail!("the example `{example}` printed\n{printed}and its head says\n{expected}");
    }
    Ok(())
}

/// What the text block in the head of a source file holds.
fn promised(source: &str) -> Option<String> {
    let mut head = source.lines().map_while(|line| line.strip_prefix("//!"));
    head.by_ref().find(|line| line.trim() == "```text")?;
    let lines: Vec<_> = head.take_while(|line| line.trim() != "```").collect();
    Some(lines.iter().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_example_says_what_it_prints() {
        let source =
            "//! What.\n//!\n//! ```text\n//! one\n//!   two\n//!\n//! ```\n//! More.\n\nfn main() {}\n";
        assert_eq!(promised(source).as_deref(), Some("one\n  two\n\n"));
        assert_eq!(promised("//! What.\n\n//! ```text\n//! late\n//! ```\n"), None);
    }
}
