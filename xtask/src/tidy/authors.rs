//! Checks that the author of a service compiles neither the transport nor tokio without asking for it.

use std::process::Stdio;

use anyhow::{Context as _, bail};

use crate::workspace::Workspace;

/// The crate that authors compile, with all that it brings along.
const FRONT: &str = "service-framework";

/// What it does not bring along.
const LEFT_OUT: [&str; 5] = [
    "tokio",
    "zeromq",
    "service-framework-zmtp",
    "service-framework-connections",
    "service-framework-runtime",
];

/// Says what is wrong with what cargo would build for an author.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let mut command = workspace.cargo_command();
    command.args(["tree", "--package", FRONT, "--edges", "normal,build", "--prefix", "none"]);
    let output = command.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("`cargo tree` ended with {}", output.status);
    }
    Ok(faults_of(&String::from_utf8_lossy(&output.stdout)))
}

/// The tree has a crate on each line, its name first.
fn faults_of(tree: &str) -> Vec<String> {
    let found = |name: &str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    let faults = LEFT_OUT.into_iter().filter(|name| found(name));
    faults.map(|name| format!("{FRONT} compiles {name}, which no author has asked for")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_may_not_come_along() {
        assert_eq!(faults_of("service-framework v0.1.0 (/w)\ntokio-like v1.0.0\ntracing v0.1.44\n"), [""; 0]);
        let tree = "service-framework v0.1.0 (/w)\nzeromq v0.7.0\ntokio v1.54.1 (*)\n\
                    service-framework-connections v0.1.0 (/c)\nservice-framework-zmtp v0.1.0 (/z)\n";
        let expected = ["tokio", "zeromq", "service-framework-zmtp", "service-framework-connections"]
            .map(|name| format!("service-framework compiles {name}, which no author has asked for"));
        assert_eq!(faults_of(tree), expected);
    }
}
